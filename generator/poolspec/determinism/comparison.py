"""Compares the event logs of two runs of one test on virtual time.

Some numbers differ from run to run without a meaning: those of connections at the server, of
requests, of tasks without a name, and of ports. So each is replaced by the place at which it first
appears. Then

* a test in which one actor acts at a time has the same entries in the same order;
* if several actors act, the system's scheduler, or the order in which the server answers them,
  decides which is first at one moment of the test's clock. Each actor has the same entries in the
  same order;
* if the members of one actor compete (clients of a load, or an actor with a `count`), even the way
  of one member may differ: it finds an idle connection in one run, and has to wait in the other.
  The members together have as many check-ins, and as many failures of each kind;
* if calls are interrupted beside other actors, the points at which they can be interrupted depend
  on the others. The same kinds of outcomes appear;
* if connects fail while members compete, the order of attempts decides which of them fail, and
  when the pool tries again. Nothing is compared: the test must pass twice.

Asyncio runs its tasks in a fixed order, so there most tests of the last three kinds have equal
logs, too. A server that was restarted numbers its connections from the start, so that the lab's
numbers then say nothing.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

from poolspec.invariants.log import MAIN, Entry
from poolspec.invariants.marks import CONNECT_FAILED, NUMBERS_VOID, ROUNDS
from poolspec.vocabulary import EventKind

_NUMBER = re.compile(r"\d+(\.\d+)?")
_UNNAMED = re.compile(r"Task-\d+|Thread-\d+.*")
_MEMBER = re.compile(r"(?P<group>.+)[-_]\d+")
_WITHOUT_NAME = "unnamed "
_DIGITS = 6
"""Decimals of a time that count."""
_OUTCOMES = frozenset({EventKind.CHECKED_IN, EventKind.CHECKOUT_FAILED, "actor_done"})


class Sameness(IntEnum):
    """How far two logs are equal."""

    NOT = 0
    KINDS = 1
    """The members of each actor together have the same kinds of outcomes."""
    OUTCOMES = 2
    """The members of each actor together have as many outcomes of each kind."""
    ACTORS = 3
    """Each actor has the same entries in the same order."""
    ALL = 4
    """The logs are equal."""


class Line(NamedTuple):
    """An entry without the numbers that have no meaning."""

    at: float
    actor: str
    kind: str
    by_pool: bool
    pool: int
    connection: int | None
    ticket: int | None
    detail: str
    figures: tuple[int, ...] | None


def lines_of(entries: Sequence[Entry]) -> list[Line]:
    """Replace each number of a log by the place at which it first appears."""
    places = _Places(numbered=all(entry.kind != NUMBERS_VOID for entry in entries))
    return [
        Line(
            round(entry.at, _DIGITS),
            places.actor(entry.actor),
            str(entry.kind),
            entry.by_pool,
            entry.pool,
            places.connection(entry),
            places.of("ticket", (entry.by_pool, entry.pool, entry.ticket), entry.ticket),
            _NUMBER.sub("#", entry.detail),
            None if entry.figures is None else tuple(entry.figures),
        )
        for entry in entries
    ]


def sameness(first: Sequence[Line], second: Sequence[Line]) -> Sameness:
    """Return how far two logs are equal."""
    if first == second:
        return Sameness.ALL
    if _by_actor(first) == _by_actor(second):
        return Sameness.ACTORS
    one, two = _outcomes(first), _outcomes(second)
    if one == two:
        return Sameness.OUTCOMES
    return Sameness.KINDS if _kinds(one) == _kinds(two) else Sameness.NOT


def required(lines: Sequence[Line]) -> Sameness:
    """Return how far the logs of a test must be equal, by what its actors do."""
    actors = {line.actor for line in lines if not line.actor.startswith(_WITHOUT_NAME)}
    if actors <= {MAIN}:
        return Sameness.ALL
    kinds = {line.kind for line in lines}
    if not kinds.isdisjoint(ROUNDS):
        return Sameness.KINDS
    if any(_MEMBER.fullmatch(actor) for actor in actors):
        return Sameness.NOT if CONNECT_FAILED in kinds else Sameness.OUTCOMES
    return Sameness.ACTORS


class _Places:
    """The place at which each number first appeared, by its kind."""

    def __init__(self, *, numbered: bool) -> None:
        self._numbered = numbered
        """Whether the lab's numbers of connections have a meaning in the whole test."""
        self._known: dict[str, dict[Hashable, int]] = defaultdict(dict)

    def of(self, kind: str, key: Hashable, number: object) -> int | None:
        known = self._known[kind]
        return None if number is None else known.setdefault(key, len(known))

    def actor(self, name: str) -> str:
        if not _UNNAMED.fullmatch(name):
            return name
        return f"{_WITHOUT_NAME}{self.of('actor', name, name)}"

    def connection(self, entry: Entry) -> int | None:
        number = entry.connection
        known = number if self._numbered or entry.by_pool or number is None else 0
        return self.of("connection", (entry.by_pool, entry.pool, known), known)


def _by_actor(lines: Iterable[Line]) -> dict[str, list[tuple[object, ...]]]:
    """Return the entries of each actor; those without a name are one, in any order."""
    found: dict[str, list[tuple[object, ...]]] = defaultdict(list)
    for line in lines:
        actor = "" if line.actor.startswith(_WITHOUT_NAME) else line.actor
        found[actor].append((line.at, line.kind, line.by_pool, line.pool, line.detail))
    found[""].sort()
    return found


def _outcomes(lines: Iterable[Line]) -> Counter[tuple[str, str, str]]:
    """Count what the lab has seen the actors do; the main actor's borrowing may be the lab's."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for line in lines:
        if line.kind in _OUTCOMES and not line.by_pool and line.actor != MAIN:
            member = _MEMBER.fullmatch(line.actor)
            counted[(member["group"] if member else line.actor, line.kind, line.detail)] += 1
    return counted


def _kinds(outcomes: Iterable[tuple[str, str, str]]) -> set[tuple[str, str]]:
    """Return which actors have which outcomes; the errors of failures do not count."""
    return {(actor, kind) for actor, kind, _ in outcomes}
