"""Hostile strings in every place of a spec: module and pages show them, and execute none."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from tests.generator.hostile import hostile_text
from tests.suites import a_class, a_suite, a_test, every_step, pages

from poolspec.model import Matrix, Requirement, SpecClass, Table
from poolspec.python.names import RenderError
from poolspec.rendering.generate import generate_modules
from poolspec.rendering.render import render_module
from poolspec.rendering.shape import check_shape
from poolspec.report.results import Results, Verdict
from poolspec.spec.values import Ref, Step, numbered
from poolspec.steps.blocks import Transaction, With
from poolspec.steps.borrow import Acquire, Connect, Release
from poolspec.steps.faults import Inject
from poolspec.steps.other_pools import GlobalPool
from poolspec.steps.query import Query
from poolspec.steps.waiting import Use
from poolspec.vocabulary import Concurrency, ErrorKind, Fault
from poolspec.vocabulary.outcomes import Outcome

MARK = re.compile(r"# step [1-9][0-9]*(\.[1-9][0-9]*)*|# at the end")
scalars = hostile_text | st.none() | st.integers() | st.booleans()


@st.composite
def queries(draw: st.DrawFn) -> Query:
    return Query(
        line=draw(st.integers(1, 999)),
        sql=draw(hostile_text),
        on="a",
        params=tuple(draw(st.lists(scalars, max_size=3))),
        returns=draw(scalars),
        expects_value=True,
        fails=draw(st.none() | st.just(ErrorKind.LOST)),
        says=tuple(draw(st.lists(hostile_text, max_size=2))),
        rows=tuple((draw(scalars), draw(scalars)) for _ in range(draw(st.integers(0, 2)))),
    )


@st.composite
def hostile_classes(draw: st.DrawFn) -> SpecClass:
    query, option = draw(queries()), draw(hostile_text)
    test = a_test(
        purpose=draw(hostile_text),
        validates=draw(hostile_text),
        covers=tuple(draw(st.lists(hostile_text, max_size=3))),
        steps=(
            GlobalPool(10, "shared", (("config_name", option),)),
            Acquire(11, ("a",), pool="shared"),
            query,
            Release(12, ("a",), pool="shared"),
        ),
        concurrency=tuple(Concurrency),
        tables=(Table("t", draw(hostile_text)),),
    )
    return a_class(test, purpose=draw(hostile_text), description=draw(hostile_text))


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(name):
            yield node


def said(spec: SpecClass, text: str) -> bool:
    """Return whether the constants of the class of a module are those of the spec."""
    (tree,) = (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef))
    return said_in(spec, tree)


def said_in(spec: SpecClass, tree: ast.ClassDef) -> bool:
    test = spec.tests[0]
    option, query = test.steps[0], test.steps[2]
    assert isinstance(option, GlobalPool)
    assert isinstance(query, Query)
    (asked,) = calls(tree, ".global_pool")
    (made,) = calls(tree, ".query")
    (table,) = calls(tree, ".execute")
    (mark,) = calls(tree, "mark.spec")
    guards = [word.value for call in calls(tree, "lab.fails") for word in call.keywords]
    found = {word.arg: ast.literal_eval(word.value) for word in made.keywords}
    covers = {word.arg: ast.literal_eval(word.value) for word in mark.keywords}["covers"]
    return (
        ast.literal_eval(asked.keywords[0].value) == option.options[0][1]
        and ast.literal_eval(made.args[0]) == query.sql
        and ast.literal_eval(table.args[0]) == test.tables[0].create
        and found.get("params", ()) == query.params
        and found["returns"] == query.returns
        and tuple(found["rows"]) == query.rows
        and tuple(covers) == test.covers
        and [ast.literal_eval(guard) for guard in guards]
        == ([query.says] if query.fails and query.says else [])
    )


@given(hostile_classes())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_rendered_module_has_the_shape_and_the_constants_of_its_spec(spec: SpecClass) -> None:
    for concurrency in Concurrency:
        text = render_module(spec, concurrency)
        check_shape(text, spec, concurrency)
        assert said(spec, text)


@given(st.lists(hostile_classes(), min_size=20, max_size=20))
@settings(suppress_health_check=list(HealthCheck), deadline=None, max_examples=8)
def test_formatting_changes_neither_shape_nor_constants(specs: list[SpecClass]) -> None:
    named = [
        replace(spec, path=PurePosixPath(f"specs/s{number}.yaml"))
        for number, spec in enumerate(specs)
    ]
    for spec, modules in zip(named, generate_modules(named), strict=True):
        assert len(modules) == len(Concurrency)
        assert all(said(spec, text) for text in modules.values())


def comments(text: str) -> list[tokenize.TokenInfo]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [token for token in tokens if token.type == tokenize.COMMENT]


@given(hostile_classes())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_comment_holds_the_number_of_a_step_and_nothing_else(spec: SpecClass) -> None:
    for concurrency in Concurrency:
        found = comments(render_module(spec, concurrency))
        assert all(MARK.fullmatch(token.string) for token in found)
        assert [token.string for token in found] == [
            f"# step {number}" for number, _ in enumerate(spec.tests[0].steps, 1)
        ]
        assert len({token.start[0] for token in found}) == len(found)


@pytest.mark.parametrize("concurrency", Concurrency)
def test_a_comment_of_any_step_or_expectation_is_a_mark(concurrency: Concurrency) -> None:
    spec = a_class(every_step((concurrency,)))
    found = [token.string for token in comments(render_module(spec, concurrency))]
    assert all(MARK.fullmatch(comment) for comment in found)
    steps = {f"# step {number}" for number, step in numbered(spec.tests[0].steps)}
    assert {*found} == steps | {"# at the end"}
    assert found.count("# at the end") == 1


BAD_NAMES = (
    "A", "a b", "a-b", "a.b", "a\n", "import os", "é", "_a", "1a", "", "a" * 101, "ａ", "a;b",
)  # fmt: skip


@pytest.mark.parametrize("name", [*BAD_NAMES, "print", "class", "match", "lab", "pool", "pytest"])
def test_a_label_that_is_not_a_plain_free_name_is_refused(name: str) -> None:
    steps: tuple[Step, ...] = (Acquire(1, (name,)), Release(2, (name,)))
    with pytest.raises(RenderError):
        render_module(a_class(a_test(steps=steps)), Concurrency.THREADS)


@pytest.mark.parametrize(
    "name", [*BAD_NAMES, "interrupted", "interrupted_2", "forked", "point", "async_actor"]
)
@pytest.mark.parametrize("concurrency", Concurrency)
def test_a_label_of_any_borrowing_step_that_is_not_a_plain_free_name_is_refused(
    name: str, concurrency: Concurrency
) -> None:
    borrowing: tuple[Step, ...] = (Transaction(1, name), With(1, name), Connect(1, name))
    using = Query(2, "SELECT 1", name)
    for step in borrowing:
        with pytest.raises(RenderError):
            render_module(
                a_class(a_test(steps=(step, using), concurrency=(concurrency,))), concurrency
            )
    with pytest.raises(RenderError):
        killed = Inject(1, Fault.CONNECTION_KILLED, on=(name,))
        render_module(a_class(a_test(steps=(killed,), concurrency=(concurrency,))), concurrency)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_test_whose_name_is_not_plain_is_refused(name: str) -> None:
    with pytest.raises(RenderError):
        render_module(a_class(a_test(name)), Concurrency.THREADS)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_step_of_the_user_whose_name_is_not_plain_is_refused(name: str) -> None:
    with pytest.raises(RenderError):
        render_module(a_class(a_test(steps=(Use(1, name),))), Concurrency.THREADS)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_an_option_whose_name_is_not_plain_is_refused(name: str) -> None:
    with pytest.raises(RenderError):
        render_module(
            a_class(a_test(steps=(GlobalPool(1, "shared", ((name, 1),)),))), Concurrency.THREADS
        )


@pytest.mark.parametrize("name", ["self", "lab", "print", *BAD_NAMES])
def test_a_parameter_whose_name_is_not_plain_and_free_is_refused(name: str) -> None:
    with pytest.raises(RenderError):
        render_module(a_class(a_test(matrix=Matrix((name,), ((1,),)))), Concurrency.THREADS)


@pytest.mark.parametrize("name", ["limits", "A b", "A\n", "", "Ä"])
def test_a_class_whose_name_is_not_plain_is_refused(name: str) -> None:
    with pytest.raises(RenderError):
        render_module(a_class(name=name), Concurrency.THREADS)


@pytest.mark.parametrize(
    "path",
    ["specs/a\rb/x.yaml", "specs/`x`/x.yaml", "specs/\u2028/x.yaml", "-->/x.yaml", "x y.yaml"],
)
def test_a_path_that_could_leave_its_comment_is_refused(path: str) -> None:
    with pytest.raises(RenderError):
        generate_modules([replace(a_class(), path=PurePosixPath(path))])


# --- pages ---------------------------------------------------------------------------------------

_BAD_TOKENS = {"html_inline", "html_block", "image", "hr", "blockquote_open"}


def page_tokens(text: str) -> Iterator[tuple[str, str]]:
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(text):
        yield token.type, token.content
        for child in token.children or []:
            yield child.type, child.attrGet("href") or child.content  # type: ignore[misc]


@given(hostile_classes(), hostile_text, hostile_text, hostile_text)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_pages_hold_no_markup_of_a_spec(
    spec: SpecClass, section: str, subject: str, reason: str
) -> None:
    suite = replace(
        a_suite(spec), requirements=(Requirement("A06", section or "A", subject, reason),)
    )
    verdict = Verdict("limits.pool_size_limit", Concurrency.THREADS, Outcome.FAILED, 0.1, reason)
    results = Results(subject, section, 1.0, {(verdict.test, verdict.concurrency): verdict})
    for page in pages(suite, results).values():
        body = page.split("-->\n", 1)[1]
        tokens = list(page_tokens(body))
        assert not _BAD_TOKENS & {kind for kind, _ in tokens}
        links = [href for kind, href in tokens if kind == "link_open"]
        assert all(
            re.fullmatch(r"(limits|index)?(\.md)?(#pool_size_limit)?", href) for href in links
        )
        assert [kind for kind, _ in tokens].count("fence") == body.count("```sh\n")


@given(hostile_classes())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_row_of_a_table_has_as_many_cells_as_its_head(spec: SpecClass) -> None:
    page = pages(a_suite(spec))[PurePosixPath("limits.md")]
    tokens = [kind for kind, _ in page_tokens(page)]
    assert tokens.count("th_open") == tokens.count("td_open") == 8


def test_a_reference_is_shown_by_its_name() -> None:
    page = pages(a_suite(a_class(a_test(steps=(Acquire(3, ("a",), timeout=Ref("wait")),)))))[
        PurePosixPath("limits.md")
    ]
    assert "Acquire `a`, waiting `wait` s at most." in page
