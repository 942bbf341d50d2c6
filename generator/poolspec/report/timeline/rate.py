"""The panel of a pool's throughput: acquires served per second, in equal intervals of time."""

import math
from collections.abc import Sequence

from poolspec.report.timeline.reading import Course
from poolspec.vocabulary.timeline import Total

TOGETHER = 4
"""How many points of thinned figures make an interval."""
INTERVALS = 50
"""The intervals of exact points, which are not equally far apart."""
SLIP = 1e-9
"""By how much a quotient may be too low."""
FEWEST = 50
"""The acquires from which throughput means something."""


def has_rate(course: Course, seconds: float) -> bool:
    """Return whether a pool has served enough acquires, in any time, to show its throughput."""
    return seconds > 0 and course.counted(Total.ACQUIRED, 0, len(course.at)) >= FEWEST


def rates(course: Course, seconds: float) -> tuple[Sequence[float], Sequence[float]]:
    """Return where the intervals begin and the last one ends, and the throughput in each."""
    number = len(course.at)
    if course.is_exact:
        counts = [0] * INTERVALS
        for n, at in enumerate(course.at):
            place = min(int(at / seconds * INTERVALS + SLIP), INTERVALS - 1)
            counts[place] += course.counted(Total.ACQUIRED, n, n + 1)
        edges = [n * seconds / INTERVALS for n in range(INTERVALS + 1)]
    else:
        firsts = range(0, number, TOGETHER)
        counts = [
            course.counted(Total.ACQUIRED, first, min(first + TOGETHER, number)) for first in firsts
        ]
        edges = [*(course.at[first] for first in firsts), seconds]
    spans = (max(edges[n + 1] - edges[n], math.ulp(seconds)) for n in range(len(counts)))
    return edges, [count / span for count, span in zip(counts, spans, strict=True)]
