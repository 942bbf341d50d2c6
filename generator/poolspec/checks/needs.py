"""What a test needs of pool and server: what its words imply, and what it says besides.

`needs` is for what does not follow from anything else. To say there what follows anyhow is an
error: the next reader would look for the reason, and the word would stay when the step that it was
written for is long gone.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from poolspec import implied
from poolspec.errors import shown
from poolspec.language import grammar_steps as steps
from poolspec.language.grammar_common import FAILS, TOOK
from poolspec.language.grammar_expect import EVENTS_KEY, EXACTLY, IN_ORDER, REAL
from poolspec.loading import files as g
from poolspec.model import Check, Matrix, PoolOptions, Ref, Value
from poolspec.spec.fields import Fields, Reader
from poolspec.spec.scope import Names
from poolspec.spec.tree import Node, Scalar, Sequence
from poolspec.vocabulary import Capability, CheckOp, Real

_BY_WORD = {need.value: need for need in Capability}
_RANKS = {need: rank for rank, need in enumerate(Capability)}


@dataclass(slots=True)
class Needs:
    """What the tests of one class need."""

    reader: Reader
    fields: Fields
    """Of the class."""
    always: set[Capability] = field(default_factory=lambda: set(Capability))
    """What follows from every test so far."""

    def of_test(
        self, fields: Fields, names: Names, matrix: Matrix | None, patience: float | None
    ) -> tuple[Capability, ...]:
        """All that a test needs, in the order of the vocabulary.

        `patience` is the deadline, in seconds of real time, of a test on the virtual clock.
        """
        for options, node in names.options:
            _note_options(names, options, matrix, node)
        if patience is not None:
            _note_waits(names, matrix, patience)
        self.always &= names.implied.keys()
        given = fields.get(g.NEEDS) or ()
        for need, node in _named(self.reader, fields):
            if need in names.implied:
                self._report(need, node, f"it follows from {names.implied[need]}")
        wanted = {*(self.fields.get(g.NEEDS) or ()), *given, *names.implied}
        return tuple(sorted(wanted, key=_RANKS.__getitem__))

    def check_class(self) -> None:
        """What a class needs follows not from each of its tests."""
        for need, node in _named(self.reader, self.fields):
            if self.fields.get(g.TESTS) and need in self.always:
                self._report(need, node, "it follows from what each of the tests says")

    def _report(self, need: Capability, node: Node, why: str) -> None:
        message = f"{shown(need.value)} need not be said: {why}"
        self.reader.problem(node, message, "leave it out of 'needs'")


def _named(reader: Reader, fields: Fields) -> Iterable[tuple[Capability, Node]]:
    """The capabilities that `needs` names, each with its place."""
    node = fields.nodes.get(g.NEEDS.name)
    seen: set[Capability] = set()
    for item in node.items if isinstance(node, Sequence) else ():
        need = _BY_WORD.get(item.text) if isinstance(item, Scalar) else None
        if need in seen:
            reader.problem(item, f"{shown(str(need))} is named twice", "once will do")
        elif need:
            seen.add(need)
            yield need, item


def note_step(names: Names, fields: Fields, again: bool) -> None:
    """Take note of what a step implies; it may be done again and again."""
    verb = fields.place.name.removeprefix("the step ")
    _note(names, implied.STEPS.get(verb), f"the step {verb!r}", fields.node)
    for name, head in fields.heads.items():
        _note(names, implied.KEYS.get((verb, name)), repr(name), head)
    if took := fields.get(TOOK):
        names.waits.append((took, fields.at(TOOK)))
    if seconds := fields.get(steps.ADVANCE):
        names.waits.append((seconds, fields.at(steps.ADVANCE)))
        if again:
            names.unreal.append(("the time, which passes again and again,", fields.node))
    if kind := fields.get(FAILS):
        _note(names, implied.ERRORS.get(kind), f"'fails: {kind}'", fields.node)
    if fault := fields.get(steps.FAULT):
        _note(names, implied.FAULTS.get(fault), f"'fault: {fault}'", fields.node)
    if condition := fields.get(steps.WAIT_UNTIL):
        _note(names, implied.STATES.get(condition.state), "'wait_until'", fields.node)


def note_expectations(names: Names, fields: Fields) -> None:
    """Take note of what an expectation implies."""
    for name, head in fields.heads.items():
        _note(names, implied.EXPECTATIONS.get(name), repr(name), head)
    if (real := fields.get(REAL)) is not None and Real.CLOCK not in real:
        names.unreal.append(("'real' without the clock", fields.at(REAL)))
    if events := fields.get(EVENTS_KEY):
        for kind in events.get(EXACTLY) or events.get(IN_ORDER) or ():
            _note(names, implied.EVENTS.get(kind), repr(kind.value), events.node)


def _note_options(names: Names, options: PoolOptions, matrix: Matrix | None, node: Node) -> None:
    """Take note of what a pool's options imply, whichever row of the matrix is in force."""
    for name, value in options:
        if option := implied.OPTIONS.get(name):
            for one in _values(value, matrix):
                need = option.then if one == option.without else option.needs
                _note(names, need, f"the option {name!r}", node)


def _note_waits(names: Names, matrix: Matrix | None, patience: float) -> None:
    """Take note of what takes exactly so long, or longer than a test may take in real time."""
    for words, node in names.unreal:
        _note(names, Capability.VIRTUAL_TIME, words, node)
    for wait, node in names.waits:
        exact = isinstance(wait, Check) and wait.op is CheckOp.EQUAL
        short = isinstance(wait, Check) and wait.op in (CheckOp.LESS, CheckOp.AT_MOST)
        value = wait.value if isinstance(wait, Check) else wait
        seconds = () if short else _values(value, matrix)
        if exact or any(isinstance(one, float) and one >= patience for one in seconds):
            _note(names, Capability.VIRTUAL_TIME, "the time", node)


def _values(value: Value | str, matrix: Matrix | None) -> Iterable[Value | str]:
    if not isinstance(value, Ref):
        return (value,)
    if matrix is None or value.name not in matrix.names:
        return ()
    column = matrix.names.index(value.name)
    return (row[column] for row in matrix.rows)


def _note(names: Names, need: Capability | None, words: str, node: Node) -> None:
    if need:
        names.implied.setdefault(need, f"{words} in line {node.line}")
