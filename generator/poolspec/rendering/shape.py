"""Check that a finished module is its spec in Python, and nothing else.

The finished text is parsed, and its tree is compared with the spec it was made from: one
docstring, two imports, one class, its tests in order, each with its marks and its words, waiting as
threads or as tasks do; inside the tests no name that is not the lab's, a label's or a
parameter's, and no constant that is not the spec's. The text is not executed.

The bodies of the tests are checked as code objects; the rest of the module is checked as a tree.

This checks the promises of `names` and `literals` by other means. If it fails, poolspec has a
defect, and nothing is written.
"""

import ast
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from types import CodeType
from typing import Any

from poolspec.model import SpecClass, SpecTest
from poolspec.python.names import HELPER
from poolspec.rendering.allowed import ALLOWED, KEYWORDS, RUNTIME_NAMES
from poolspec.rendering.arguments import matrix_types
from poolspec.rendering.render import (
    class_name,
    paragraphs_of_class,
    paragraphs_of_module,
    paragraphs_of_test,
)
from poolspec.rendering.skeleton import skeleton
from poolspec.vocabulary import Concurrency

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_KINDS: dict[Concurrency, type[_Function]] = {
    Concurrency.THREADS: ast.FunctionDef,
    Concurrency.ASYNCIO: ast.AsyncFunctionDef,
}
_LABS = {Concurrency.THREADS: "Lab", Concurrency.ASYNCIO: "AsyncLab"}


@cache
def _parts_of(kind: type) -> Callable[[Any], Iterable[object]] | None:
    """Return a function that gives the values inside a value of a type; None if it has none.

    Looked up once per type: there are very many values.
    """
    if kind in (tuple, frozenset, dict):
        return iter
    if not is_dataclass(kind):
        return None
    names = [field.name for field in fields(kind)]
    return attrgetter(*names, "__class__")  # one name alone would not give a tuple


class ShapeError(Exception):
    """A module differs from its spec: a defect of poolspec."""


def _defect(spec: SpecClass, difference: str) -> ShapeError:
    return ShapeError(f"{spec.path}: the module made from it differs from it: {difference}")


def check_shape(text: str, spec: SpecClass, concurrency: Concurrency) -> None:
    """Compare a finished module with its spec. Raises ShapeError at the first difference."""
    try:
        code = compile(text, "<generated>", "exec", dont_inherit=True)
        tree = ast.parse(skeleton(text))
    except (SyntaxError, ValueError) as error:
        raise _defect(spec, f"it is not Python ({error})") from None
    check = _Checker(spec, concurrency)
    check.module(tree)
    check.names(code)


class _Checker:
    """Comparisons that name the spec when they fail."""

    def __init__(self, spec: SpecClass, concurrency: Concurrency) -> None:
        self._spec = spec
        self._concurrency = concurrency
        self._tests = spec.tests_for(concurrency)

    def _must(self, holds: bool, difference: str) -> None:
        if not holds:
            raise _defect(self._spec, difference)

    def _says(self, node: ast.Module | ast.ClassDef | _Function, words: list[str]) -> None:
        found = ast.get_docstring(node)
        self._must(found is not None, "a docstring is missing")
        wanted = [" ".join(text.split()) for text in words]
        parts = [" ".join(part.split()) for part in str(found).split("\n\n")]
        self._must(parts == wanted, f"a docstring says {found!a}")

    def module(self, tree: ast.Module) -> None:
        self._must(len(tree.body) == 4, "the module has other statements")
        _, first, second, tests = tree.body
        self._says(tree, paragraphs_of_module(self._spec))
        self._must(ast.unparse(first) == "import pytest", "the first import is not pytest")
        self._must(
            isinstance(second, ast.ImportFrom)
            and (second.module, second.level) == ("poolspec.lab", 0)
            and all(name.name in RUNTIME_NAMES and not name.asname for name in second.names),
            "the imports are not the lab's",
        )
        if not isinstance(tests, ast.ClassDef):
            raise _defect(self._spec, "the statement after the imports is not a class")
        self.test_class(tests)

    def test_class(self, node: ast.ClassDef) -> None:
        spec, concurrency = self._spec, self._concurrency
        bare = not (node.bases or node.keywords or node.decorator_list)
        self._must(
            bare and node.name == class_name(spec, concurrency), "the class has another head"
        )
        words = paragraphs_of_class(spec)
        if words:
            self._says(node, words)
        found = node.body[1:] if words else node.body
        self._must(len(found) == len(self._tests), "the class has other statements")
        for function, test in zip(found, self._tests, strict=True):
            if not isinstance(function, _KINDS[concurrency]):
                raise _defect(spec, "the class holds more than tests")
            self.test(function, test)

    def test(self, node: _Function, test: SpecTest) -> None:
        self._must(node.name == f"test_{test.name}", f"{node.name!a} is in the wrong place")
        self._must(
            _signature(node) == _wanted_signature(test, self._concurrency),
            f"{node.name} has other parameters",
        )
        self._says(node, paragraphs_of_test(test))
        self.marks(node, test)

    def marks(self, node: _Function, test: SpecTest) -> None:
        wanted = ["pytest.mark.spec"]
        wanted += ["pytest.mark.parametrize"] if test.matrix else []
        calls = [item if isinstance(item, ast.Call) else None for item in node.decorator_list]
        found = [
            _dotted(call.func if call else item)
            for call, item in zip(calls, node.decorator_list, strict=True)
        ]
        self._must(found == wanted, f"{node.name} has other marks")
        said = self.arguments(calls[0])
        identity = f"{self._spec.stem}.{test.name}"
        self._must(said[:1] == [identity], f"{node.name} has another identifier")
        self._must(("layer", test.layer.value) in said, f"{node.name} is of another layer")
        self._must(("covers", list(test.covers)) in said, f"{node.name} covers something else")
        marked = ("concurrency", self._concurrency.value) in said
        self._must(
            marked is (self._concurrency is Concurrency.ASYNCIO),
            f"{node.name} is for another concurrency",
        )
        if test.matrix:
            names: object = test.matrix.names
            rows: object = list(test.matrix.rows)
            if len(test.matrix.names) == 1:
                names, rows = test.matrix.names[0], [row[0] for row in test.matrix.rows]
            said = self.arguments(calls[1])
            self._must(said == [names, rows], f"{node.name} has another matrix")

    def arguments(self, call: ast.Call | None) -> list[object]:
        """Return the arguments of a mark, which are literals; those by name in pairs."""
        given = [(item.arg, item.value) for item in call.keywords] if call else []
        try:
            return [
                *(ast.literal_eval(item) for item in (call.args if call else ())),
                *((name, ast.literal_eval(value)) for name, value in given),
            ]
        except ValueError:
            raise _defect(self._spec, "a mark holds more than literals") from None

    def names(self, module: CodeType) -> None:
        """Compare every name and constant inside the tests with those of their specs."""
        known = {test.name: _strings(test) for test in self._spec.tests}
        (body,) = _codes(module)
        for code, test in zip(_codes(body), self._tests, strict=True):
            for inner in (code, *_nested(code)):
                self.body(inner, code, known[test.name])

    def body(self, code: CodeType, test: CodeType, known: set[str]) -> None:
        waits = bool(code.co_flags & inspect.CO_COROUTINE)
        self._must(
            waits is (self._concurrency is Concurrency.ASYNCIO),
            f"{code.co_name} is for another concurrency",
        )
        variables = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
        taken = variables - known - {"point", "lab", "pool", "self"}
        self._must(
            all(HELPER.fullmatch(name) for name in taken), f"{test.co_name} has other variables"
        )
        for name in code.co_names:
            self._must(name in ALLOWED, f"{test.co_name} uses {name!a}")
        constants = code.co_consts[1:] if code is test else code.co_consts
        for text in _strings(constants) if constants else ():
            fine = text in known or text in KEYWORDS or text.startswith(f"{test.co_qualname}.")
            self._must(fine, f"{test.co_name} holds {text!a}")


def _dotted(node: ast.expr | None) -> str:
    """Return a name with dots as it is written; empty for any other expression."""
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _signature(node: _Function) -> list[tuple[str, str]]:
    """Return the parameters of a function with their types, and its return type."""
    own = node.args
    more = (own.posonlyargs, own.vararg, own.kwonlyargs, own.kwarg, own.defaults, own.kw_defaults)
    found = [(one.arg, _dotted(one.annotation)) for one in own.args]
    nothing = isinstance(node.returns, ast.Constant) and node.returns.value is None
    return [*found, ("return", "None" if nothing and not any(more) else "")]


def _wanted_signature(test: SpecTest, concurrency: Concurrency) -> list[tuple[str, str]]:
    parameters = (
        zip(test.matrix.names, matrix_types(test.matrix), strict=True) if test.matrix else ()
    )
    return [("self", ""), ("lab", _LABS[concurrency]), *parameters, ("return", "None")]


def _codes(code: CodeType) -> Iterator[CodeType]:
    return (item for item in code.co_consts if isinstance(item, CodeType))


def _nested(code: CodeType) -> Iterator[CodeType]:
    for inner in _codes(code):
        yield inner
        yield from _nested(inner)


def _strings(value: object) -> set[str]:
    """Return every string inside a value of the model, or inside a constant."""
    found = set()
    rest = [value]
    while rest:
        item = rest.pop()
        kind: type = type(item)
        if kind is str:
            found.add(str(item))
        elif parts := _parts_of(kind):
            rest.extend(parts(item))
    return found
