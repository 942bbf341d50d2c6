"""The capabilities that a test needs: those that follow from its words, and those it names.

`needs` names the capabilities that do not follow from anything else. To name one that follows is
an error: a reader would look for the reason, and the word would remain when the step that it was
written for is gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from poolspec.errors import shown
from poolspec.model import Matrix
from poolspec.spec.fields import Fields, Key, Reader
from poolspec.spec.formulas import known, parameters
from poolspec.spec.kinds import enum_kind, list_kind
from poolspec.spec.scope import Names
from poolspec.spec.tree import Node, Scalar, Sequence
from poolspec.spec.values import Check, PoolOptions, Value
from poolspec.vocabulary import Capability, CheckOp
from poolspec.vocabulary.rules import OPTIONS

NEEDS = Key(
    "needs",
    list_kind("a list of capabilities", enum_kind("a capability", Capability)),
    "capabilities of pool and server",
    "[fair_queue]",
    default="none; a test adds to its class's",
)
_BY_WORD = {need.value: need for need in Capability}
_RANKS = {need: rank for rank, need in enumerate(Capability)}


@dataclass(slots=True)
class Needs:
    """The capabilities that the tests of one class need."""

    reader: Reader
    fields: Fields
    """Of the class."""
    always: set[Capability] | None = None
    """The capabilities that follow from every test so far; None before the first test."""

    def of_test(
        self, fields: Fields, names: Names, matrix: Matrix | None, deadline: float | None
    ) -> tuple[Capability, ...]:
        """Return all that a test needs, in the order of the vocabulary.

        `deadline`, in seconds of real time, is that of a test on the virtual clock.
        """
        for options, node in names.options:
            _note_options(names, options, matrix, node)
        if deadline is not None:
            _note_waits(names, matrix, deadline)
        implied = set(names.implied)
        self.always = implied if self.always is None else self.always & implied
        for need, node in _named(self.reader, fields):
            if need in names.implied:
                self._report(need, node, f"it follows from {names.implied[need]}")
        wanted = {*(self.fields.get(NEEDS) or ()), *(fields.get(NEEDS) or ()), *implied}
        return tuple(sorted(wanted, key=_RANKS.__getitem__))

    def check_class(self) -> None:
        """Report capabilities of the class that follow from each of its tests."""
        for need, node in _named(self.reader, self.fields):
            if need in (self.always or ()):
                self._report(need, node, "it follows from each of the tests")

    def _report(self, need: Capability, node: Node, why: str) -> None:
        message = f"{shown(need.value)} is redundant: {why}"
        self.reader.problem(node, message, "leave it out of 'needs'")


def _named(reader: Reader, fields: Fields) -> Iterable[tuple[Capability, Node]]:
    """Yield the capabilities that `needs` names, each with its place."""
    node = fields.nodes.get(NEEDS.name)
    seen: set[Capability] = set()
    for item in node.items if isinstance(node, Sequence) else ():
        need = _BY_WORD.get(item.text) if isinstance(item, Scalar) else None
        if need in seen:
            reader.problem(item, f"{shown(str(need))} is named twice", "name it once")
        elif need:
            seen.add(need)
            yield need, item


def _note_options(names: Names, options: PoolOptions, matrix: Matrix | None, node: Node) -> None:
    """Take note of the needs of a pool's options, in every row of the matrix."""
    for name, value in options:
        if rule := OPTIONS.get(name):
            for one in _values(value, matrix):
                need = rule.then if one == rule.without else rule.needs
                names.imply(need, f"the option {name!r}", node)


def _note_waits(names: Names, matrix: Matrix | None, deadline: float) -> None:
    """Take note of times that are exact, or longer than a test may take in real time."""
    for words, node in names.unreal:
        names.imply(Capability.VIRTUAL_TIME, words, node)
    for wait, node in names.waits:
        exact = isinstance(wait, Check) and wait.op is CheckOp.EQUAL
        short = isinstance(wait, Check) and wait.op in (CheckOp.LESS, CheckOp.AT_MOST)
        value = wait.value if isinstance(wait, Check) else wait
        seconds = () if short else _values(value, matrix)
        if exact or any(isinstance(one, float) and one >= deadline for one in seconds):
            names.imply(Capability.VIRTUAL_TIME, "the time", node)


def _values(value: Value | str, matrix: Matrix | None) -> Iterable[Value | str]:
    if isinstance(value, str) or not parameters(value):
        return (value,)
    rows = (dict(zip(matrix.names, row, strict=True)) for row in matrix.rows) if matrix else ()
    found = (known(value, row) for row in rows)
    return (one for one in found if one is not None)
