"""Expectations of labels, pools and events: served, same, different, pools, events."""

from dataclasses import dataclass

from poolspec.errors import shown
from poolspec.expectations.kind import ExpectationKind
from poolspec.prose import amounts
from poolspec.python.body import Body
from poolspec.python.literals import literal
from poolspec.python.names import variable
from poolspec.spec.common import COUNTED, NAMES
from poolspec.spec.fields import Fields, Key, Place, Word
from poolspec.spec.kinds import enum_kind, fields_kind, list_kind
from poolspec.spec.names import Naming
from poolspec.spec.scope import Scope
from poolspec.spec.values import Check
from poolspec.vocabulary import Capability, EventKind
from poolspec.vocabulary.rules import EVENTS as EVENT_RULES

# --- labels --------------------------------------------------------------------------------------

SERVED = Key("served", NAMES, "actors, in the order they were served", "[first, second]")
SAME = Key("same", NAMES, "labels of the same connection or pool", "[a, b]")
DIFFERENT = Key("different", NAMES, "labels, no two of the same connection or pool", "[a, b]")


def _read_served(scope: Scope, fields: Fields, key: Key[tuple[Word, ...]]) -> tuple[str, ...]:
    words = fields.get(key) or ()
    for word in words:
        scope.find(word, Naming.ACTOR)
    return tuple(word.text for word in words)


def _read_compared(scope: Scope, fields: Fields, key: Key[tuple[Word, ...]]) -> tuple[str, ...]:
    words = fields.get(key) or ()
    texts = tuple(word.text for word in words)
    if len(texts) == 1:
        scope.reader.problem(fields.at(key), f"{key.name!r} compares at least two labels")
    for index, word in enumerate(words):
        if word.text in texts[:index]:
            scope.reader.problem(word.node, f"{shown(word.text)} is named twice", "name it once")
    things = [scope.find(word, Naming.LABEL, Naming.POOL) for word in words]
    if len({thing.naming for thing in things if thing}) > 1:
        message = "a connection and a pool cannot be compared"
        scope.reader.problem(fields.at(key), message, "name connections only, or pools only")
    return texts


def _write_texts(_: Body, labels: tuple[str, ...]) -> str:
    return ", ".join(map(literal, labels))


def _write_variables(_: Body, labels: tuple[str, ...]) -> str:
    return ", ".join(map(variable, labels))


KIND_OF_SERVED = ExpectationKind(
    SERVED,
    _write_texts,
    lambda wanted: f"served in this order: {amounts.labels(wanted)}",
    _read_served,
    of_pool=True,
    of_all=True,
)
KIND_OF_SAME = ExpectationKind(
    SAME,
    _write_variables,
    lambda wanted: f"the same: {amounts.labels(wanted)}",
    _read_compared,
)
KIND_OF_DIFFERENT = ExpectationKind(
    DIFFERENT,
    _write_variables,
    lambda wanted: f"all different: {amounts.labels(wanted)}",
    _read_compared,
)

# --- pools ---------------------------------------------------------------------------------------

POOLS = Key("pools", COUNTED, "number of different pools that `global_pool` steps got", "1")


def _read_pools(scope: Scope, fields: Fields, key: Key[Check]) -> Check | None:
    if fields.has(key) and not scope.names.global_pools and not scope.names.incomplete:
        hint = "start with a step global_pool"
        scope.reader.problem(fields.at(key), "no step asks for a global pool", hint)
    return fields.get(key)


KIND_OF_POOLS: ExpectationKind[Check] = ExpectationKind(
    POOLS,
    Body.check,
    lambda wanted: f"different pools handed out {amounts.check(wanted)}",
    _read_pools,
    Capability.GLOBAL_POOL,
)

# --- events --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EventsExpectation:
    """Events that the log must hold, in this order: only these, or these among others."""

    kinds: tuple[EventKind, ...]
    exactly: bool


_KINDS = list_kind("a list of events", enum_kind("an event", EventKind), low=1)
EXACTLY = Key("exactly", _KINDS, "these events and no others, in this order", "[pool_created]")
IN_ORDER = Key("in_order", _KINDS, "these in this order, among others", "[checked_out, checked_in]")
EVENTS = Place("events", (EXACTLY, IN_ORDER))
EVENTS_KEY = Key(
    "events",
    fields_kind(EVENTS),
    "events of the pool",
    "{exactly: [checked_out, checked_in]}",
)


def _read_events(scope: Scope, fields: Fields, key: Key[Fields]) -> EventsExpectation | None:
    given = fields.get(key)
    if given is None:
        return None
    exactly, in_order = given.get(EXACTLY), given.get(IN_ORDER)
    if given.has(EXACTLY) == given.has(IN_ORDER) and given.sound:
        scope.reader.problem(given.node, "events needs one of 'exactly' and 'in_order'")
    kinds = exactly or in_order or ()
    for kind in kinds:
        scope.names.imply(EVENT_RULES.get(kind), repr(kind.value), given.node)
    return EventsExpectation(kinds, exactly is not None)


def _write_events(body: Body, wanted: EventsExpectation) -> str:
    return ", ".join([*map(body.member, wanted.kinds), f"exactly={wanted.exactly!r}"])


def _say_events(wanted: EventsExpectation) -> str:
    how = "only these events" if wanted.exactly else "these events, among others"
    return f"{how}, in order: {amounts.labels(kind.value for kind in wanted.kinds)}"


KIND_OF_EVENTS: ExpectationKind[EventsExpectation] = ExpectationKind(
    EVENTS_KEY,
    _write_events,
    _say_events,
    _read_events,
    Capability.EVENTS,
    of_pool=True,
    arguments=("exactly",),
    enums=(EventKind,),
)
