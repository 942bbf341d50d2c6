"""The time line of a test: its pools' figures, errors and faults over its time.

It is made from the log after the test's steps, in one pass and in bounded memory, so it costs a
test nothing while it runs. It ends with the steps, before the lab's own work that follows. Times
are seconds of the test's clock since the start of the test.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from poolspec.invariants.log import Entry, Log
from poolspec.invariants.marks import FAULT, HEALED, NUMBERS_VOID
from poolspec.vocabulary.timeline import BRIEF, MOST_POINTS, MOST_POOLS, Series, Total
from poolspec.witness.bins import Bins, Point
from poolspec.witness.errors import Errors, Mark
from poolspec.witness.sizes import Sizes

DIGITS = 6
"""Microseconds: the digits of a time."""
DIGITS_OF_A_MEAN = 3


@dataclass(slots=True)
class Band:
    """A fault, and when it was in force; it has no end if the test did not heal it."""

    fault: str
    began: float
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """The figures of one pool over the time of a test."""

    pool: int
    limit: int | None
    """The largest limit that it ever had; None if it had none, or the lab does not know it."""
    points: list[Point]
    is_exact: bool
    """Whether each point is a time at which something changed, and not an interval."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The time line of one test."""

    began: float
    ended: float
    pools: Sequence[int]
    """The numbers of all pools, in the order in which they were made."""
    courses: list[Course]
    """Those of the first pools."""
    errors: list[Mark]
    faults: list[Band]
    events: int | None = None
    """The length of the log if no time has passed: then all times are places in it."""

    def as_result(self) -> dict[str, Any]:
        """Return it as a results file has it."""
        return {
            "seconds": 0.0 if self.events else self._since(self.ended),
            **({"events": self.events} if self.events else {}),
            "pools": [self._pool(course) for course in self.courses],
            "pools_left_out": len(self.pools) - len(self.courses),
            "errors": [self._error(mark) for mark in self.errors],
            "faults": [
                {
                    "fault": band.fault,
                    "from": self._since(band.began),
                    "to": None if band.ended is None else self._since(band.ended),
                }
                for band in self.faults
            ],
        }

    def _error(self, mark: Mark) -> dict[str, Any]:
        place = {"at": self._since(mark.at), "pool": self._place(mark.pool)}
        return {**place, "error": mark.error, "count": mark.count}

    def _place(self, pool: int) -> int:
        """Return which pool of the test it is, from 1: the lab's numbers have gaps.

        A pool that never had a connection is 0.
        """
        return self.pools.index(pool) + 1 if pool in self.pools else 0

    def _since(self, at: float) -> float:
        return round(min(max(at, self.began), self.ended) - self.began, DIGITS)

    def _pool(self, course: Course) -> dict[str, Any]:
        points: dict[str, Any] = {"at": [self._since(point.at) for point in course.points]}
        for n, name in enumerate(Series):
            values = (round(point.mean[n], DIGITS_OF_A_MEAN) for point in course.points)
            points[str(name)] = [int(value) if value == int(value) else value for value in values]
        most = {str(s): [p.most[n] for p in course.points] for n, s in enumerate(Series)}
        totals = {str(t): [p.totals[n] for p in course.points] for n, t in enumerate(Total)}
        about = {"pool": self._place(course.pool), "limit": course.limit}
        pool = {**about, "thinned": not course.is_exact, "points": points, "totals": totals}
        return pool if most.items() <= points.items() else {**pool, "most": most}


@dataclass(slots=True)
class Reader:
    """Reads the log of a test from its start to its end."""

    began: float
    ended: float
    shown: Collection[int]
    """The numbers of the pools that get a course."""
    reported: Collection[int] = ()
    """The numbers of the pools that are not used by the lab alone."""
    by_events: bool = False
    """Whether times are places in the log, so that only acquires seen waiting wait."""
    _sizes: dict[int, Sizes] = field(init=False)
    _bins: dict[int, Bins] = field(init=False)
    _errors: Errors = field(init=False)
    _faults: list[Band] = field(default_factory=list)

    def __post_init__(self) -> None:
        each = MOST_POINTS // max(1, len(self.shown))
        brief = math.inf if self.by_events else BRIEF
        self._sizes = {pool: Sizes(brief) for pool in self.shown}
        self._bins = {pool: Bins(self.began, self.ended, each) for pool in self.shown}
        self._errors = Errors(self.began, self.ended)

    def take(self, entry: Entry) -> None:
        """Follow an entry of the log."""
        if entry.by_pool:
            self._take_reported(entry)
            return
        pool = entry.pool
        if pool:
            self._errors.take(entry)
            sizes = self._sizes.get(pool)
            if sizes is not None:
                self._pass_time(sizes, pool, entry.at)
                if sizes.take(entry):
                    self._note(pool, sizes, entry.at)
        elif entry.kind == NUMBERS_VOID:
            for sizes in self._sizes.values():
                sizes.void()
        elif entry.kind == FAULT:
            self._faults.append(Band(entry.detail, entry.at))
        elif entry.kind == HEALED:
            self._heal(entry)

    def _take_reported(self, entry: Entry) -> None:
        pool = entry.pool or next(iter(self.reported), 0)
        sizes = self._sizes.get(pool) if pool in self.reported else None
        if sizes is not None and sizes.take_reported(entry):
            self._note(pool, sizes, entry.at)

    def _pass_time(self, sizes: Sizes, pool: int, now: float) -> None:
        for at in sizes.until(now):
            self._note(pool, sizes, at)

    def _note(self, pool: int, sizes: Sizes, at: float) -> None:
        within = min(max(at, self.began), self.ended)
        self._bins[pool].take(within, sizes.figures(), sizes.totals())

    def _heal(self, entry: Entry) -> None:
        bands = (b for b in self._faults if b.fault == entry.detail and b.ended is None)
        for band in bands:
            band.ended = entry.at

    def timeline(self, pools: Mapping[int, int | None]) -> Timeline:
        """Return the time line of a test with these pools."""
        for pool, sizes in self._sizes.items():
            self._pass_time(sizes, pool, self.ended)
        courses = [
            Course(pool, pools[pool], bins.points(self.ended), bins.is_exact)
            for pool, bins in self._bins.items()
        ]
        marks = self._errors.marks()
        events = int(self.ended) if self.by_events else None
        return Timeline(self.began, self.ended, list(pools), courses, marks, self._faults, events)


def timeline_of(
    log: Log,
    pools: Mapping[int, int | None],
    reported: Collection[int] = (),
    *,
    began: float | None = None,
) -> Timeline:
    """Return the time line of a test, whose pools have the limits of `pools`; `reported` are those
    that others than the lab use too. It begins with the first entry, unless a time is given. If no
    time has passed, it is in the order of events.
    """
    length, ended = log.end or (log.length(), log.now())
    if began is None:
        began = next((entry.at for entry in log.first(length)), ended)
    shown = list(pools)[:MOST_POOLS]
    if ended > began:
        reader = Reader(began, ended, shown, reported)
        for entry in log.first(length):
            reader.take(entry)
        return reader.timeline(pools)
    reader = Reader(0.0, float(length), shown, reported, by_events=True)
    for place, entry in enumerate(log.first(length)):
        reader.take(entry._replace(at=float(place)))
    return reader.timeline(pools)
