"""The time line of a test as the results file has it, checked and frozen.

The schema has been checked already. It cannot say that columns have equal length, or that times
ascend and are within the test: `timeline_from` does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from poolspec.report.timeline.scale import Unit, unit_for
from poolspec.vocabulary.timeline import SIZES, Series, Total

Columns = Mapping[Series, Sequence[float]]


class TimelineError(Exception):
    """A time line contradicts itself; the message says how."""


@dataclass(frozen=True, slots=True)
class Course:
    """The figures of one pool. A point stands for the time from its own to the next one."""

    pool: int
    limit: int | None
    at: Sequence[float]
    mean: Columns
    most: Columns
    """The highest figures in an interval, or at the time of an exact point."""
    totals: Mapping[Total, Sequence[float]]
    """What was counted to the end of each point."""
    is_exact: bool
    """Whether each point is a time at which something changed, and not an interval."""

    def size(self, point: int) -> float:
        """Return the connections at a point, with the connects under way."""
        return sum(self.mean[name][point] for name in SIZES)

    def counted(self, name: Total, first: int, after: int) -> int:
        """Return what was counted during some points."""
        column = self.totals[name]
        return int(column[after - 1] - (column[first - 1] if first else 0))

    def highest(self, name: Series) -> int:
        """Return the highest value of a figure in the whole test."""
        return int(max(self.most[name]))


@dataclass(frozen=True, slots=True)
class Mark:
    """Errors of one kind in one pool, from the time of the first."""

    at: float
    pool: int
    error: str
    count: int


@dataclass(frozen=True, slots=True)
class Band:
    """A fault, and when it was in force; it has no end if the test did not heal it."""

    fault: str
    began: float
    ended: float | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The time line of one test."""

    seconds: float
    courses: Sequence[Course]
    left_out: int
    """Pools that have no course."""
    errors: Sequence[Mark]
    faults: Sequence[Band]
    events: int = 0
    """If no time has passed, the number of events: then all times are places among them."""

    @property
    def span(self) -> float:
        """The length of the horizontal axis: seconds, or events."""
        return float(self.events) or self.seconds

    @property
    def unit(self) -> Unit:
        """The unit of the horizontal axis."""
        return Unit(1.0, "event") if self.events else unit_for(self.seconds)

    def errors_by_kind(self) -> Mapping[tuple[int, str], Sequence[Mark]]:
        """Return the marks of each pool and kind, in the order of their first."""
        found: dict[tuple[int, str], list[Mark]] = {}
        for mark in self.errors:
            found.setdefault((mark.pool, mark.error), []).append(mark)
        return found

    def faults_by_name(self) -> Mapping[str, Sequence[Band]]:
        """Return the bands of each fault, in the order of their first."""
        found: dict[str, list[Band]] = {}
        for band in self.faults:
            found.setdefault(band.fault, []).append(band)
        return found


def timeline_from(entry: Mapping[str, Any]) -> Timeline:
    """Return the time line of an entry that fits the schema. Raises TimelineError."""
    seconds = float(entry["seconds"])
    events = entry.get("events", 0)
    courses = tuple(_course(pool, events or seconds) for pool in entry["pools"])
    errors = (Mark(one["at"], one["pool"], one["error"], one["count"]) for one in entry["errors"])
    bands = (Band(one["fault"], one["from"], one["to"]) for one in entry["faults"])
    made = Timeline(seconds, courses, entry.get("pools_left_out", 0), (*errors,), (*bands,), events)
    for wrong in _contradictions(made):
        raise TimelineError(wrong)
    return made


def _course(entry: Mapping[str, Any], span: float) -> Course:
    points = entry["points"]
    mean = {name: points[name] for name in Series}
    most = {name: entry["most"][name] for name in Series} if "most" in entry else mean
    totals = {name: entry["totals"][name] for name in Total}
    at = points["at"]
    where = f"pool {entry['pool']}"
    columns = (*mean.values(), *most.values(), *totals.values())
    if any(len(column) != len(at) for column in columns):
        raise TimelineError(f"{where}: its columns have different lengths")
    if at[-1] > span or any(later < earlier for earlier, later in pairwise(at)):
        raise TimelineError(f"{where}: its times do not ascend to the test's {span:g}")
    if any(later < earlier for of in totals.values() for earlier, later in pairwise(of)):
        raise TimelineError(f"{where}: its totals fall")
    return Course(entry["pool"], entry.get("limit"), at, mean, most, totals, not entry["thinned"])


def _contradictions(made: Timeline) -> Iterator[str]:
    for mark in made.errors:
        if mark.at > made.span:
            yield f"an error is at {mark.at:g}, after the test's {made.span:g}"
    for band in made.faults:
        ended = made.span if band.ended is None else band.ended
        if not band.began <= ended <= made.span:
            yield f"the fault {band.fault} is not within the test's {made.span:g}"
