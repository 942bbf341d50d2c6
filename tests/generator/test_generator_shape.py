"""A module that differs from its spec is refused."""

import ast
import pickle
from dataclasses import replace

import pytest
from tests.suites import a_class, every_step, limit_test

from poolspec.model import SpecClass
from poolspec.rendering.render import render_module
from poolspec.rendering.shape import ShapeError, check_shape
from poolspec.rendering.skeleton import skeleton
from poolspec.vocabulary import Concurrency

SPEC = a_class(limit_test(concurrency=tuple(Concurrency)), every_step(tuple(Concurrency)))

TAMPERED = {
    "a statement at the top": ("\nimport pytest\n", "\nimport pytest\nimport os\n"),
    "another import": ("import pytest\n", "import sys\n"),
    "a renamed import": ("ErrorKind, ", "ErrorKind as Lab, "),
    "an import of what is not the lab's": ("import BodyError", "import boot, BodyError"),
    "a base class": ("class TestConnectionPoolLimits:", "class TestConnectionPoolLimits(object):"),
    "another class": ("class TestConnectionPoolLimits:", "class TestSomething:"),
    "another docstring": ('"""Pool respects', '"""Pool disdains'),
    "another name": ("def test_pool_size_limit", "def test_pool_size"),
    "another parameter": ("(self, lab: Lab)", "(self, lab: Lab, x: Lab)"),
    "a default": ("(self, lab: Lab)", "(self, lab: Lab = 1)"),
    "a default of a keyword": ("(self, lab: Lab)", "(self, lab: Lab, *, pool: Lab = open())"),
    "an annotation that does something": ("size: int", "size: open('f')"),
    "a result that does something": ('-> None:\n        "', "-> open('f'):\n        \""),
    "a call in a mark": ("layer='integration'", "layer=open('f')"),
    "a mark twice": ("@pytest.mark.spec(", "@pytest.mark.spec(open('f'))\n    @pytest.mark.spec("),
    "an argument that does something": ("covers=['A06']", "covers=['A06'], line=open('f')"),
    "a docstring for the class": ("    @pytest", '    """More."""\n    @pytest'),
    "another identifier": ("limits.pool_size_limit'", "limits.other'"),
    "another requirement": ("covers=['A06']", "covers=['A07']"),
    "another layer": ("layer='integration'", "layer='unit'"),
    "one mark more": ("    @pytest.mark.spec(", "    @pytest.mark.x\n    @pytest.mark.spec("),
    "another matrix": ("(1, 0.5, True)", "(1, 0.5, False)"),
    "a call of something else": ("lab.join(", "exec("),
    "an attribute of something else": ("lab.join(", "lab.__class__("),
    "a string that is not the spec's": ("'SELECT 1'", "'SELECT 3'"),
    "another variable": ("a = pool.acquire()", "evil = a = pool.acquire()"),
    "a call inside an actor": ("x = pool.acquire()", "x = open('f')"),
    "a lambda": ("lab.connect()", "(lambda: __import__('os'))()"),
    "a statement after a test": ("    @pytest.mark.spec(", "    import os\n    @pytest.mark.spec("),
    "a string in which the next test is lost": (
        'times out.\n        """',
        'times out.\n        """ """',
    ),
    "a docstring that is no docstring": (
        'times out.\n        """',
        'times out.\n        """, """"""',
    ),
    "no Python": ("class Test", "klass Test"),
    "a NUL": ("class Test", "\0class Test"),
}


TAMPERED_ASYNCIO = {
    "another class for asyncio": ("LimitsAsyncio:", "LimitsAsync:"),
    "a function for threads among those for asyncio": ("async def test_pool", "def test_pool"),
    "the lab for threads in a test for asyncio": ("lab: AsyncLab", "lab: Lab"),
    "an actor for threads in a test for asyncio": ("async def idle", "def idle"),
    "a mark that does not say the concurrency": (", concurrency='asyncio'", ""),
    "another concurrency": ("concurrency='asyncio'", "concurrency='threads'"),
    "an import of what is not the lab's": (
        "import AsyncLab",
        "import boot, AsyncLab",
    ),
    "another docstring": ('"""Pool respects', '"""Pool disdains'),
    "another identifier": ("limits.pool_size_limit'", "limits.other'"),
    "another layer": ("layer='integration'", "layer='unit'"),
    "another matrix": ("(1, 0.5, True)", "(1, 0.5, False)"),
    "a call of something else": ("lab.join(", "exec("),
    "a string that is not the spec's": ("'SELECT 1'", "'SELECT 3'"),
    "a call inside an actor": ("x = await pool.acquire()", "x = open('f')"),
    "a lambda": ("await lab.connect()", "(lambda: __import__('os'))()"),
    "a statement after a test": ("    @pytest.mark.spec(", "    import os\n    @pytest.mark.spec("),
}


def rendered(spec: SpecClass = SPEC, concurrency: Concurrency = Concurrency.THREADS) -> str:
    return render_module(spec, concurrency)


FORMS = pytest.mark.parametrize("concurrency", Concurrency)


@FORMS
def test_the_module_of_a_spec_has_its_shape(concurrency: Concurrency) -> None:
    check_shape(rendered(SPEC, concurrency), SPEC, concurrency)


@FORMS
def test_the_module_of_the_other_form_does_not_have_its_shape(concurrency: Concurrency) -> None:
    (other,) = set(Concurrency) - {concurrency}
    with pytest.raises(ShapeError, match="the class has another head"):
        check_shape(rendered(SPEC, other), SPEC, concurrency)


@FORMS
def test_the_module_of_a_form_has_only_its_tests(concurrency: Concurrency) -> None:
    less = replace(SPEC, tests=(SPEC.tests[0], replace(SPEC.tests[1], concurrency=())))
    check_shape(rendered(less, concurrency), less, concurrency)
    with pytest.raises(ShapeError, match="other statements"):
        check_shape(rendered(SPEC, concurrency), less, concurrency)


@FORMS
def test_a_skeleton_is_the_module_without_the_bodies_of_its_tests(concurrency: Concurrency) -> None:
    text = rendered(SPEC, concurrency)
    whole = ast.parse(text)
    (spec_class,) = whole.body[3:]
    assert isinstance(spec_class, ast.ClassDef)
    for test in spec_class.body:
        assert isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef)
        del test.body[1:]
    assert ast.dump(ast.parse(skeleton(text))) == ast.dump(whole)


def test_a_defect_survives_the_way_between_processes() -> None:
    with pytest.raises(ShapeError) as caught:
        check_shape("", SPEC, Concurrency.THREADS)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@FORMS
def test_the_description_of_a_class_must_be_there(concurrency: Concurrency) -> None:
    described = replace(SPEC, description="Small pools")
    check_shape(rendered(described, concurrency), described, concurrency)
    with pytest.raises(ShapeError, match="docstring"):
        check_shape(rendered(SPEC, concurrency), described, concurrency)


def assert_refused(concurrency: Concurrency, before: str, after: str) -> None:
    text = rendered(SPEC, concurrency)
    assert before in text
    with pytest.raises(ShapeError, match=r"^specs/limits\.yaml: "):
        check_shape(text.replace(before, after, 1), SPEC, concurrency)


@pytest.mark.parametrize("change", TAMPERED)
def test_a_changed_module_is_refused(change: str) -> None:
    assert_refused(Concurrency.THREADS, *TAMPERED[change])


@pytest.mark.parametrize("change", TAMPERED_ASYNCIO)
def test_a_changed_module_for_asyncio_is_refused(change: str) -> None:
    assert_refused(Concurrency.ASYNCIO, *TAMPERED_ASYNCIO[change])


def test_an_additional_test_is_refused() -> None:
    text = rendered() + "\n    def test_more(self) -> None:\n        pass\n"
    with pytest.raises(ShapeError, match="other statements"):
        check_shape(text, SPEC, Concurrency.THREADS)


@pytest.mark.parametrize("hidden", ["\rprint()", "\n        \f    print()", "\n        \fprint()"])
def test_a_statement_hidden_in_the_last_body_is_refused(hidden: str) -> None:
    text = rendered().rstrip() + hidden + "\n"
    compile(text, "hidden", "exec")
    with pytest.raises(ShapeError, match="carriage return or a form feed"):
        check_shape(text, SPEC, Concurrency.THREADS)


def test_a_statement_after_the_class_is_refused() -> None:
    with pytest.raises(ShapeError, match="other statements"):
        check_shape(rendered() + "\nprint()\n", SPEC, Concurrency.THREADS)
