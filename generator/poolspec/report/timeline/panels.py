"""The panels of a pool: its connections as stacked areas, its waiting acquires, its throughput.

All have the time as their horizontal axis. The figures of a point hold until the next point, so
areas and lines go up and down in steps.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from poolspec.report.timeline import style
from poolspec.report.timeline.rate import has_rate, rates
from poolspec.report.timeline.reading import Course, Timeline
from poolspec.report.timeline.scale import Scale, ticks
from poolspec.report.timeline.svg import element, number, words
from poolspec.vocabulary.timeline import SIZES, Series

KEY = 15.0
"""The height of a line of the key."""


def has_waiting(course: Course) -> bool:
    """Return whether any acquire waited, so that the pool has a second panel."""
    return course.highest(Series.WAITING) > 0


def height(course: Course, timeline: Timeline) -> float:
    """Return the height of a pool's panels."""
    waiting = style.WAITING_HEIGHT + style.GAP if has_waiting(course) else 0.0
    rate = style.RATE_HEIGHT + style.GAP if has_rate(course, timeline.seconds) else 0.0
    return style.SIZES_HEIGHT + waiting + rate


def panels(course: Course, timeline: Timeline, time: Scale, top: float) -> Iterator[str]:
    """Yield the panels of a pool, from the coordinate `top` on."""
    yield from _sizes(course, timeline, time, top)
    top += style.SIZES_HEIGHT + style.GAP
    if has_waiting(course):
        yield from _waiting(course, timeline, time, top)
        top += style.WAITING_HEIGHT + style.GAP
    if has_rate(course, timeline.seconds):
        yield from _rate(course, timeline, time, top)


def _sizes(course: Course, timeline: Timeline, time: Scale, top: float) -> Iterator[str]:
    bottom, xs = top + style.SIZES_HEIGHT, _places(course, timeline, time)
    size = max(map(course.size, range(len(course.at))))
    most = max(size, *course.most[Series.IN_USE], 1)
    limit = course.limit if course.limit and course.limit <= 3 * most else None
    scale = Scale(math.ceil(max(most, limit or 0)), bottom, -style.SIZES_HEIGHT)
    yield from _grid(scale, top, 5)
    below = [0.0] * len(course.at)
    for name in SIZES:
        above = [sum(pair) for pair in zip(below, course.mean[name], strict=True)]
        yield _area(xs, scale, below, above, name)
        below = above
    if course.is_exact:
        yield _spikes(xs, scale, course, Series.IN_USE, "peak")
    else:
        yield _line(xs, scale, course.most[Series.IN_USE], "peak")
    if limit is not None:
        y = scale.place(limit)
        yield element("line", x1=style.LEFT, x2=style.END, y1=y, y2=y, kind="limit")
    yield from _key(course, top, drawn=limit is not None)


def _waiting(course: Course, timeline: Timeline, time: Scale, top: float) -> Iterator[str]:
    bottom, xs = top + style.WAITING_HEIGHT, _places(course, timeline, time)
    highest = course.highest(Series.WAITING)
    scale = Scale(highest, bottom, -style.WAITING_HEIGHT)
    yield from _grid(scale, top, 4)
    waiting = course.mean[Series.WAITING]
    yield _area(xs, scale, [0.0] * len(waiting), waiting, "waited")
    yield _line(xs, scale, waiting if course.is_exact else course.most[Series.WAITING], "waiting")
    if course.is_exact:
        yield _spikes(xs, scale, course, Series.WAITING, "waiting")
    y = top + 10
    x = style.NAMES_AT
    yield element("line", x1=x, x2=x + 12, y1=y - 4, y2=y - 4, kind="waiting")
    said = "" if course.is_exact else "; area: mean"
    yield words(f"waiting, at most {highest}{said}", x + 18, y)


def _rate(course: Course, timeline: Timeline, time: Scale, top: float) -> Iterator[str]:
    edges, found = rates(course, timeline.seconds)
    scale = Scale(max(found), top + style.RATE_HEIGHT, -style.RATE_HEIGHT)
    yield from _grid(scale, top, 4)
    xs = [*map(time.place, edges)]
    yield _area(xs, scale, [0.0] * len(found), found, "rated")
    yield _line(xs, scale, found, "rate")
    x, y = style.NAMES_AT, top + 10
    yield element("line", x1=x, x2=x + 12, y1=y - 4, y2=y - 4, kind="rate")
    yield words(f"acquires per s, at most {max(found):,.0f}", x + 18, y)


def _places(course: Course, timeline: Timeline, time: Scale) -> Sequence[float]:
    """Return where each point begins, and where the last one ends."""
    return [*map(time.place, course.at), time.place(timeline.span) if timeline.span else style.END]


def _grid(scale: Scale, top: float, most: int) -> Iterator[str]:
    for value in ticks(scale.top, most, whole=True):
        y = scale.place(value)
        yield element("line", x1=style.LEFT, x2=style.END, y1=y, y2=y, kind="grid")
        yield words(f"{value:,.0f}", style.LEFT - 6, y + 4, "soft", anchor="end")
    yield element("line", x1=style.LEFT, x2=style.LEFT, y1=top, y2=scale.zero, kind="axis")


def _area(
    xs: Sequence[float], scale: Scale, below: Sequence[float], above: Sequence[float], kind: str
) -> str:
    """Return the area between two lines of steps; nothing if it is empty."""
    if list(below) == list(above):
        return ""
    there = _steps(xs, map(scale.place, above))
    back = _steps(xs, map(scale.place, below))
    return element("path", d=f"M{_joined([*there, *reversed(back)])}Z", kind=kind)


def _line(xs: Sequence[float], scale: Scale, values: Sequence[float], kind: str) -> str:
    return element("path", d=f"M{_joined(_steps(xs, map(scale.place, values)))}", kind=kind)


def _spikes(xs: Sequence[float], scale: Scale, course: Course, name: Series, kind: str) -> str:
    """Return upright lines where a figure was higher for no time; nothing if it never was."""
    found = zip(xs, course.mean[name], course.most[name], strict=False)  # the last x is an end
    lines = [
        f"M{number(x)} {number(scale.place(mean))}V{number(scale.place(most))}"
        for x, mean, most in found
        if most > mean
    ]
    return element("path", d="".join(lines), kind=kind) if lines else ""


def _joined(corners: Iterable[tuple[float, float]]) -> str:
    return "L".join(f"{number(x)} {number(y)}" for x, y in corners)


def _steps(xs: Sequence[float], ys: Iterable[float]) -> list[tuple[float, float]]:
    """Return the corners of a line of steps; a point between others at one height is left out."""
    corners: list[tuple[float, float]] = []
    for (left, right), y in zip(pairwise(xs), ys, strict=True):
        if corners and corners[-1][1] == y:
            corners[-1] = (right, y)
        else:
            corners += [(left, y), (right, y)]
    return corners


def _key(course: Course, top: float, *, drawn: bool) -> Iterator[str]:
    """Yield the names of the areas and lines, with their highest values."""
    y, x = top + 10, style.NAMES_AT
    names = {Series.PENDING: "connecting", Series.IDLE: "idle", Series.IN_USE: "in use"}
    for name, said in names.items():
        yield element("rect", x=x, y=y - 9, width=12.0, height=10.0, kind=name)
        yield words(f"{said}, at most {course.highest(name)}", x + 18, y)
        y += KEY
    if not course.is_exact:
        yield element("line", x1=x, x2=x + 12, y1=y - 4, y2=y - 4, kind="peak")
        yield words("highest in use (areas: mean)", x + 18, y)
        y += KEY
    if course.limit is not None:
        if drawn:
            yield element("line", x1=x, x2=x + 12, y1=y - 4, y2=y - 4, kind="limit")
        said = f"limit {course.limit:,}" if drawn else f"limit {course.limit:,}, not drawn"
        yield words(said, x + 18, y)
