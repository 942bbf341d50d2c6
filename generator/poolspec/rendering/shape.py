"""Proof, after the fact, that a module is what was meant and nothing else.

The finished text is parsed, and what comes out is compared with the spec it was made from: one
docstring, two imports, one class, its tests in order, each with its marks and its words; inside the
tests no name that is not the runtime's, a label's or a parameter's, and no constant that is not the
spec's. The text is not executed.

This repeats what `names` and `literals` promise, by other means. If it ever fails, poolspec has a
defect, and nothing is written.
"""

import ast
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import CodeType

from poolspec import model
from poolspec.model import SpecClass, SpecTest
from poolspec.rendering.literals import FUNCTIONS
from poolspec.rendering.names import RUNTIME_NAMES
from poolspec.rendering.render import paragraphs_of_class, paragraphs_of_module, paragraphs_of_test
from poolspec.vocabulary import ActorState, ErrorKind, EventKind, Operation, Runner, Via

_CALLS = frozenset(
    {
        *("acquire", "release", "close", "close_all", "query", "expect"),
        *("pool", "global_pool", "connect", "start", "join", "advance", "load"),
        *("fails", "took", "expect_errors", "expect_latency"),
        *("expect_stats", "expect_server", "expect_served", "expect_same", "expect_different"),
        *("expect_pools", "expect_events", "raises"),
        *(f"wait_until_{state.value}" for state in ActorState),
    }
)
_MEMBERS = frozenset(
    member.name for kind in (ErrorKind, EventKind, Operation, Runner, Via) for member in kind
)
_ALLOWED = RUNTIME_NAMES | _CALLS | _MEMBERS | frozenset(FUNCTIONS.values()) | {"lab", "pytest"}
_KEYWORDS = frozenset(
    {
        *("took", "timeout", "params", "returns", "rows", "count", "repeat", "clients"),
        *("operations", "each", "mix", "hold", "via", "runner", "exactly", "rel", "abs"),
        "return",  # the annotation of an actor's function
    }
)


_FIELDS: dict[object, tuple[str, ...]] = {
    kind: tuple(field.name for field in fields(kind))
    for kind in vars(model).values()
    if isinstance(kind, type) and is_dataclass(kind)
}
"""The fields of the model's classes; asking `dataclasses` each time would take most of the time."""


class ShapeError(Exception):
    """A module does not say what its spec says. A defect of poolspec."""

    def __init__(self, spec: SpecClass, what: str) -> None:
        super().__init__(f"{spec.path}: the module made from it is not what was meant: {what}")


def check_shape(text: str, spec: SpecClass) -> None:
    """Compare a finished module with its spec. Raises ShapeError at the first difference."""
    try:
        tree = ast.parse(text)
        code = compile(tree, "<generated>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise ShapeError(spec, f"it is not Python ({error})") from None
    check = _Checker(spec)
    check.module(tree)
    check.names(code)


class _Checker:
    """Comparisons that name the spec when they fail."""

    def __init__(self, spec: SpecClass) -> None:
        self._spec = spec

    def _must(self, holds: bool, what: str) -> None:
        if not holds:
            raise ShapeError(self._spec, what)

    def _says(self, node: ast.Module | ast.ClassDef | ast.FunctionDef, words: list[str]) -> None:
        found = ast.get_docstring(node)
        self._must(found is not None, "a docstring is missing")
        wanted = [" ".join(text.split()) for text in words]
        parts = [" ".join(part.split()) for part in str(found).split("\n\n")]
        self._must(parts == wanted, f"a docstring says {found!a}")

    def module(self, tree: ast.Module) -> None:
        self._must(len(tree.body) == 4, "the module has other statements")
        _, first, second, body = tree.body
        self._says(tree, paragraphs_of_module(self._spec))
        self._must(ast.unparse(first) == "import pytest", "the first import is not pytest")
        self._must(
            isinstance(second, ast.ImportFrom)
            and (second.module, second.level) == ("poolspec.runtime", 0)
            and all(name.name in RUNTIME_NAMES and not name.asname for name in second.names),
            "the imports are not the runtime's",
        )
        if not isinstance(body, ast.ClassDef):
            raise ShapeError(self._spec, "the last statement is not a class")
        self.test_class(body)

    def test_class(self, node: ast.ClassDef) -> None:
        spec = self._spec
        bare = not (node.bases or node.keywords or node.decorator_list)
        self._must(bare and node.name == f"Test{spec.name}", "the class has another head")
        self._says(node, paragraphs_of_class(spec))
        found = node.body[1:]
        self._must(len(found) == len(spec.tests), "the class has other statements")
        for function, test in zip(found, spec.tests, strict=True):
            if not isinstance(function, ast.FunctionDef):
                raise ShapeError(spec, "the class holds more than tests")
            self.test(function, test)

    def test(self, node: ast.FunctionDef, test: SpecTest) -> None:
        self._must(node.name == f"test_{test.name}", f"{node.name!a} is in the wrong place")
        parameters = test.matrix.names if test.matrix else ()
        found = [argument.arg for argument in node.args.args]
        self._must(found == ["self", "lab", *parameters], f"{node.name} has other parameters")
        self._must(
            ast.unparse(node.args.args[1]) == "lab: Lab" and not node.args.defaults,
            f"{node.name} has other parameters",
        )
        self._says(node, paragraphs_of_test(test))
        self.marks(node, test)

    def marks(self, node: ast.FunctionDef, test: SpecTest) -> None:
        marks = {}
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            marks[ast.unparse(call.func if call else decorator)] = call
        wanted = ["pytest.mark.spec", f"pytest.mark.{test.layer.value}"]
        wanted += ["pytest.mark.parametrize"] if test.matrix else []
        self._must(list(marks) == wanted, f"{node.name} has other marks")
        said = _arguments(marks["pytest.mark.spec"])
        identity = f"{self._spec.stem}.{test.name}"
        self._must(said[:1] == [identity], f"{node.name} has another identifier")
        self._must(("line", test.line) in said, f"{node.name} has another line")
        self._must(("covers", list(test.covers)) in said, f"{node.name} covers something else")
        if test.matrix:
            names: object = test.matrix.names
            rows: object = list(test.matrix.rows)
            if len(test.matrix.names) == 1:
                names, rows = test.matrix.names[0], [row[0] for row in test.matrix.rows]
            found = _arguments(marks["pytest.mark.parametrize"])
            self._must(found == [names, rows], f"{node.name} has another matrix")

    def names(self, module: CodeType) -> None:
        """Compare every name and constant inside the tests with what their specs hold."""
        body = next(code for code in _codes(module))
        for code, test in zip(_codes(body), self._spec.tests, strict=True):
            known = _gather(test, set())
            for inner in (code, *_nested(code)):
                self.body(inner, code, known)

    def body(self, code: CodeType, test: CodeType, known: set[str]) -> None:
        variables = {*code.co_varnames, *code.co_cellvars, *code.co_freevars}
        own = variables <= known | {"lab", "pool", "self"}
        self._must(own, f"{test.co_name} has other variables")
        for name in code.co_names:
            self._must(name in _ALLOWED, f"{test.co_name} uses {name!a}")
        constants = code.co_consts[1:] if code is test else code.co_consts
        for text in _gather(constants, set()):
            fine = text in known or text in _KEYWORDS or text.startswith(f"{test.co_qualname}.")
            self._must(fine, f"{test.co_name} holds {text!a}")


def _arguments(call: ast.Call | None) -> list[object]:
    if call is None:
        return []
    return [
        *(ast.literal_eval(item) for item in call.args),
        *((item.arg, ast.literal_eval(item.value)) for item in call.keywords),
    ]


def _codes(code: CodeType) -> Iterator[CodeType]:
    return (item for item in code.co_consts if isinstance(item, CodeType))


def _nested(code: CodeType) -> Iterator[CodeType]:
    for inner in _codes(code):
        yield inner
        yield from _nested(inner)


def _gather(value: object, into: set[str]) -> set[str]:
    """Add every string inside a value of the model, or inside a constant, to a set."""
    kind = type(value)
    if kind is str:
        into.add(str(value))
    elif isinstance(value, tuple | frozenset | dict):
        for item in value:
            _gather(item, into)
    else:
        for name in _FIELDS.get(kind, ()):
            item = getattr(value, name)
            if type(item) is not int:
                _gather(item, into)
    return into
