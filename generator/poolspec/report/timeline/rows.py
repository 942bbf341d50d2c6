"""The rows of faults above the panels, and of errors below them: one for each kind, with its name.

Names stand at the right of their rows, so any number of faults and errors leaves them legible.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from poolspec.report.timeline import style
from poolspec.report.timeline.reading import Band, Mark, Timeline
from poolspec.report.timeline.scale import Scale
from poolspec.report.timeline.svg import element, number, words

T = TypeVar("T")
NARROWEST = 2.0
"""The width of a fault that lasts for a short time."""


def fault_rows(timeline: Timeline) -> list[tuple[str, Sequence[Band]]]:
    """Return the rows of faults, each with its name."""
    named = {fault.replace("_", " "): bands for fault, bands in timeline.faults_by_name().items()}
    return _at_most(named, "faults")


def error_rows(timeline: Timeline) -> list[tuple[str, Sequence[Mark]]]:
    """Return the rows of errors, each with its name and its number."""
    several = len(timeline.courses) + timeline.left_out > 1
    named = {}
    for (pool, error), marks in timeline.errors_by_kind().items():
        where = f"pool {pool}, " if several and pool else ""
        named[f"{where}{error}"] = marks
    rows = _at_most(named, "kinds")
    return [(f"{sum(mark.count for mark in marks)} × {name}", marks) for name, marks in rows]


def _at_most(named: Mapping[str, Sequence[T]], noun: str) -> list[tuple[str, Sequence[T]]]:
    """Return the first rows, and one for all the others if there are too many."""
    rows = list(named.items())
    if len(rows) <= style.MOST_ROWS:
        return rows
    shown, rest = rows[: style.MOST_ROWS - 1], rows[style.MOST_ROWS - 1 :]
    return [*shown, (f"other ({len(rest)} {noun})", [one for _, of in rest for one in of])]


def ends(band: Band, lasting: bool, seconds: float) -> float:
    """Return when a fault ends: with the test if it was not healed, at once if it cannot be."""
    if band.ended is not None:
        return band.ended
    return seconds if lasting else band.began


def draw_faults(
    rows: Sequence[tuple[str, Sequence[Band]]], ended: Mapping[Band, float], time: Scale, top: float
) -> Iterator[str]:
    """Yield the rows of faults, from the coordinate `top` on."""
    for n, (name, bands) in enumerate(rows):
        y = top + n * style.ROW
        for band in bands:
            x = time.place(band.began)
            if ended[band] > band.began:
                width = max(NARROWEST, time.place(ended[band]) - x)
                yield element("rect", x=x, y=y + 4, width=width, height=8.0, kind="fault")
            else:
                yield _diamond(x, y + 8)
        yield words(style.shortened(name, style.LONGEST_NAME), style.NAMES_AT, y + 12)


def shade(
    bands: Sequence[Band], ended: Mapping[Band, float], time: Scale, top: float, bottom: float
) -> Iterator[str]:
    """Yield bands over the panels while any fault lasts, and a line for one that takes no time."""
    for began, until in _united((band.began, ended[band]) for band in bands):
        x = time.place(began)
        if until > began:
            width = max(NARROWEST, time.place(until) - x)
            size = {"width": width, "height": bottom - top}
            yield element("rect", x=x, y=top, **size, kind="fault band")
        else:
            yield element("line", x1=x, x2=x, y1=top, y2=bottom, kind="cut")


def _united(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return spans of time that do not overlap, and moments outside of them."""
    found: list[tuple[float, float]] = []
    for began, until in sorted(spans):
        if found and began <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], until))
        else:
            found.append((began, until))
    return found


def draw_errors(
    rows: Sequence[tuple[str, Sequence[Mark]]], time: Scale, top: float
) -> Iterator[str]:
    """Yield the rows of errors, from the coordinate `top` on; a mark grows with its count."""
    for n, (name, marks) in enumerate(rows):
        y = top + n * style.ROW
        line = {"x1": style.LEFT, "x2": style.END, "y1": y + 8, "y2": y + 8}
        yield element("line", **line, kind="grid")
        for mark in marks:
            radius = min(2.0 + math.sqrt(mark.count - 1) * 0.8, 7.0)
            yield element("circle", cx=time.place(mark.at), cy=y + 8, r=radius, kind="error")
        yield words(style.shortened(name, style.LONGEST_NAME), style.NAMES_AT, y + 12)


def _diamond(x: float, y: float) -> str:
    corners = ((x, y - 5), (x + 4, y), (x, y + 5), (x - 4, y))
    points = " ".join(f"{number(across)},{number(down)}" for across, down in corners)
    return element("polygon", points=points, kind="fault")
