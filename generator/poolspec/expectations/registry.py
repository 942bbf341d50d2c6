"""The registry of expectations, and the functions that go through its rows.

The rows stand in the order in which their checks are written. The name of each is its key in a
spec, and its field of `Expectations`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, Union

from poolspec.expectations import figures, labels, states
from poolspec.expectations.kind import ExpectationKind
from poolspec.expectations.labels import EventsExpectation
from poolspec.expectations.outcomes import (
    LOADED,
    LoadExpectation,
    read_outcomes,
    say_outcome,
    write_outcome,
)
from poolspec.expectations.states import LoanExpectation
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body
from poolspec.python.names import variable
from poolspec.spec.common import FROM
from poolspec.spec.fields import Fields, Place, read_fields
from poolspec.spec.fragments import place_schema
from poolspec.spec.kinds import fields_kind
from poolspec.spec.names import Naming
from poolspec.spec.scope import Scope
from poolspec.spec.tree import Node
from poolspec.spec.values import Check, Checks
from poolspec.vocabulary import HealthWord, Real

KINDS: Final[tuple[ExpectationKind[Any], ...]] = (
    figures.KIND_OF_STATS,
    figures.KIND_OF_SERVER,
    labels.KIND_OF_SERVED,
    labels.KIND_OF_SAME,
    labels.KIND_OF_DIFFERENT,
    labels.KIND_OF_POOLS,
    labels.KIND_OF_EVENTS,
    states.KIND_OF_HEALTH,
    states.KIND_OF_REMAINING_TIMEOUT,
    figures.KIND_OF_HOOKS,
    states.KIND_OF_REAL,
    figures.KIND_OF_CALLS,
    figures.KIND_OF_LOGS,
    states.KIND_OF_LOANS,
    figures.KIND_OF_METRICS,
)
OF_POOL: Final = Place(
    "the expectations of a pool", tuple(kind.key for kind in KINDS if kind.of_pool)
)
_LOADED: Final = fields_kind(LOADED)
EXPECT: Final = Place(
    "an expectation",
    (*(kind.key for kind in KINDS), FROM),
    other=replace(_LOADED, schema={"anyOf": [_LOADED.schema, place_schema(OF_POOL)]}),
)
ARGUMENTS: Final = ("of",)
"""Names of arguments that the calls of several rows use."""


Part = Union[tuple[ExpectationKind[Any], Any], LoadExpectation, "Expectations"]
"""A row with its value, the outcome of a load, or the expectations of another pool."""


@dataclass(frozen=True, slots=True)
class Expectations:
    """Everything that must hold at one point of a test. Parts with their default say nothing."""

    stats: Checks = ()
    """By StatName."""
    server: Checks = ()
    """Of: connections (open now, by the server's count), peak (most sockets open at once)."""
    served: tuple[str, ...] = ()
    """Actors, in the order in which they received connections they had queued for."""
    same: tuple[str, ...] = ()
    """Labels of one connection, or of one pool."""
    different: tuple[str, ...] = ()
    """Labels of connections no two of which are the same."""
    pools: Check | None = None
    """How many different pools all `global_pool` steps and actors received."""
    events: EventsExpectation | None = None
    loads: tuple[LoadExpectation, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    """The line of each part given, loads by their labels, in the order of the spec."""
    health: HealthWord | None = None
    """The health that the pool reports."""
    remaining_timeout: Check | None = None
    """How long a call to the database will still wait, in seconds."""
    hooks: Checks = ()
    """Of: setup, on_acquire, on_release. How often the pool called them."""
    logs: Checks = ()
    """Of: failure, retry, recovery, leak … How many records of each sort the pool logged."""
    loans: tuple[LoanExpectation, ...] | None = None
    """All that is on loan, the longest loan first."""
    metrics: Checks = ()
    """By MetricName, and by TimingName with a part: `wait_time.count`, `.sum`, `.min`, `.max`."""
    real: tuple[Real, ...] | None = None
    """All that is real in the test."""
    calls: Checks = ()
    """By Call. How often the pool called its driver and its scripted connections."""
    of: str | None = None
    """The label of the pool that they are about; None: the test's own or only one."""
    others: tuple["Expectations", ...] = ()
    """Those of other pools, each with its label."""

    @property
    def asks_for_metrics(self) -> bool:
        """Whether figures of monitoring are expected, of any pool."""
        return bool(self.metrics) or any(other.metrics for other in self.others)

    def given(self) -> Iterator[Part]:
        """Yield the parts in the order of the spec: a row with its value, a load, or a pool."""
        rows = {kind.name: (kind, getattr(self, kind.name)) for kind in KINDS}
        said = {name: row for name, row in rows.items() if row[1] != _DEFAULTS[name]}
        parts: dict[str, Part] = {
            **said,
            **{load.label: load for load in self.loads},
            **{str(other.of): other for other in self.others},
        }
        for name in dict.fromkeys((*self.lines, *parts)):
            if name in parts:
                yield parts[name]

    def reads(self) -> Iterator[str]:
        """Yield the labels that are referred to."""
        yield from self.same
        yield from self.different
        for load in self.loads:
            yield load.label
        if self.of is not None:
            yield self.of
        for other in self.others:
            yield from other.reads()


_DEFAULTS: Final[dict[str, Any]] = {part.name: part.default for part in fields(Expectations)}


def build_expectations(scope: Scope, given: Fields, of: str | None = None) -> Expectations:
    """Return the expectations, `of` a pool. Problems are reported to the scope's reader."""
    scope.names.expecting = True
    of = _pool(scope, given) if given.has(FROM) else of
    if not given.values and not given.others and given.sound:
        scope.reader.problem(given.node, "nothing is expected here", "leave it out, or fill it")
    for kind in KINDS:
        if given.has(kind.key):
            scope.names.imply(kind.needs, repr(kind.name), given.at(kind.key))
            if kind.of_pool and not kind.of_all and of is None:
                scope.note_unnamed(kind.name, given.at(kind.key))
    values: dict[str, Any] = {kind.name: kind.read(scope, given, kind.key) for kind in KINDS}
    parts = {name: _DEFAULTS[name] if value is None else value for name, value in values.items()}
    heads = sorted((*given.heads.values(), *(head for head, _ in given.others)), key=_position)
    lines = {head.text: head.line for head in heads}
    others = tuple(_of_pools(scope, given))
    loads = read_outcomes(scope, given)
    return Expectations(**parts, loads=loads, lines=lines, of=of, others=others)


def _pool(scope: Scope, given: Fields) -> str | None:
    """Return the pool that expectations name, each of which must be about one."""
    word = given.get(FROM)
    for kind in KINDS:
        if given.has(kind.key) and not kind.of_pool:
            message = f"{kind.name!r} is not about one pool"
            hint = "move it to expectations without 'from'"
            scope.reader.problem(given.at(kind.key), message, hint)
    return word.text if word and scope.find(word, Naming.POOL) else None


def _of_pools(scope: Scope, given: Fields) -> Iterator[Expectations]:
    """Yield the expectations of pools: mappings under their labels."""
    for head, node in given.others:
        if scope.is_pool(head.text):
            yield build_expectations(scope, read_fields(scope.reader, node, OF_POOL), head.text)


def _position(node: Node) -> tuple[int, int]:
    return node.line, node.column


def write_expectations(wanted: Expectations, body: Body) -> Iterator[str]:
    """Yield a statement for each part."""
    for part in wanted.given():
        if isinstance(part, LoadExpectation):
            yield from write_outcome(part, body)
        elif isinstance(part, Expectations):
            yield from write_expectations(part, body)
        else:
            kind, value = part
            awaits = body.awaits if kind.awaits else ""
            of = "" if wanted.of is None else f"of={variable(wanted.of)}"
            arguments = ", ".join(filter(None, (kind.write(body, value), of)))
            yield f"{awaits}lab.{kind.call}({arguments})"


def say_expectations(wanted: Expectations) -> Iterator[Sentence]:
    """Yield the sentences of the parts."""
    for part in wanted.given():
        if isinstance(part, LoadExpectation):
            yield from say_outcome(part)
        elif isinstance(part, Expectations):
            yield from say_expectations(part)
        else:
            kind, value = part
            whose = "" if wanted.of is None else f"of {code(wanted.of)}: "
            yield Sentence(whose + kind.say(value))
