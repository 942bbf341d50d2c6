"""The figures of a time line as tables, for readers who cannot see the picture.

A pool has at most `MOST_LINES` lines: neighbouring points are joined, with the mean over their time
and the highest value. Each line names the faults in force and the errors in its interval.
"""

import math
from collections.abc import Iterator, Sequence

from poolspec.prose.markdown import prose, table
from poolspec.report.timeline.reading import Course, Timeline
from poolspec.report.timeline.rows import ends
from poolspec.report.timeline.words import lasts
from poolspec.vocabulary.timeline import MOST_LINES, Series, Total

NAMES = {
    Series.IN_USE: "in use",
    Series.IDLE: "idle",
    Series.PENDING: "connecting",
    Series.WAITING: "waiting",
}


def tables(timeline: Timeline) -> Iterator[str]:
    """Yield a table for each pool, and sentences about how to read them."""
    unit = timeline.unit
    for course in timeline.courses:
        limit = "no limit" if course.limit is None else f"limit {course.limit}"
        yield f"Pool {course.pool}, {limit}:\n"
        head = [f"from ({unit.name})", *NAMES.values(), *Total, "faults", "errors"]
        yield table(head, _lines(timeline, course))
    if timeline.left_out:
        yield f"Pools without a table: {timeline.left_out}.\n"


def _lines(timeline: Timeline, course: Course) -> Iterator[list[str]]:
    unit, number = timeline.unit, len(course.at)
    together = math.ceil(number / MOST_LINES)
    for first in range(0, number, together):
        after = min(first + together, number)
        began = course.at[first]
        ended = course.at[after] if after < number else math.inf
        figures = [_figure(timeline, course, name, first, after) for name in Series]
        faults = ", ".join(_faults(timeline, began, ended)) or "–"
        errors = ", ".join(_errors(timeline, course, began, ended)) or "–"
        counts = [f"{course.counted(name, first, after):,}" for name in Total]
        yield [unit.say(began), *figures, *counts, faults, errors]


def _figure(timeline: Timeline, course: Course, name: Series, first: int, after: int) -> str:
    """Return the mean of a figure over some points, and its highest value if that differs."""
    values = course.mean[name][first:after]
    times = [*course.at[first : after + 1]]
    if after == len(course.at):
        times.append(timeline.span)
    mean, highest = _mean(values, times), max(course.most[name][first:after])
    said = f"{mean:.1f}".removesuffix(".0")
    return said if said == f"{highest:g}" else f"{said}, at most {highest:g}"


def _mean(values: Sequence[float], times: Sequence[float]) -> float:
    spans = [times[n + 1] - times[n] for n in range(len(values))]
    whole = sum(spans)
    if whole <= 0:
        return values[-1]
    return sum(value * span for value, span in zip(values, spans, strict=True)) / whole


def _faults(timeline: Timeline, began: float, ended: float) -> Iterator[str]:
    for fault, bands in timeline.faults_by_name().items():
        if any(
            band.began < ended and began <= ends(band, lasts(fault), timeline.span)
            for band in bands
        ):
            yield prose(fault.replace("_", " "))


def _errors(timeline: Timeline, course: Course, began: float, ended: float) -> Iterator[str]:
    for (pool, error), marks in timeline.errors_by_kind().items():
        number = sum(mark.count for mark in marks if began <= mark.at < ended)
        if pool == course.pool and number:
            yield f"{number} × {prose(error)}"
