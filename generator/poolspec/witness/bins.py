"""Thins out the figures of a pool over time to a number of points, and keeps every peak.

A point stands for the time from its own to the next one. While there are few changes, there is a
point for each time at which something changed. Otherwise the points are equal intervals: each has
the mean over its time and the highest value in it. A value that held for no time, because it
changed again at the same time, is in no mean but may be the highest.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from poolspec.vocabulary.timeline import Series
from poolspec.witness.sizes import NOTHING, Figures

WIDTH = len(Series)


@dataclass(slots=True)
class Point:
    """The figures from a time to that of the next point, in the order of `Series`."""

    at: float
    mean: Sequence[float]
    most: Sequence[int]
    totals: Figures
    """What was counted to the end of the point, in the order of `Total`."""


class Bins:
    """The figures of one pool between two times, in bounded memory. Takes them in order of time."""

    def __init__(self, began: float, ended: float, number: int) -> None:
        self._began = began
        self._number = number
        self._width = (ended - began) / number
        self._sums = [[0.0] * WIDTH for _ in range(number)]
        self._most = [[0] * WIDTH for _ in range(number)]
        self._counted = [NOTHING] * number
        self._exact: list[Point] | None = [Point(began, NOTHING, NOTHING, NOTHING)]
        """The point of each time at which something changed; None if there are too many."""
        self._at, self._now, self._totals = began, NOTHING, NOTHING

    def take(self, at: float, figures: Figures, totals: Figures = NOTHING) -> None:
        """Note the figures from a time on, and what was counted until then."""
        if figures == self._now and totals == self._totals:
            return
        self._hold(at)
        self._now, self._totals = figures, totals
        self._raise(self._most[self._bin(at)])
        self._keep(at, figures)

    @property
    def is_exact(self) -> bool:
        """Whether there is a point for each time at which something changed."""
        return self._exact is not None

    def points(self, ended: float) -> list[Point]:
        """Return the points, the last one to that time. Nothing can be noted afterwards."""
        self._hold(ended)
        self._count_up_to(self._bin(ended), self._number)
        if self._exact is not None:
            return self._exact
        if not self._width:
            return [Point(self._began, self._now, self._most[0], self._totals)]
        return [self._point(n) for n in range(self._number)]

    def _point(self, n: int) -> Point:
        mean = [total / self._width for total in self._sums[n]]
        return Point(self._began + n * self._width, mean, self._most[n], self._counted[n])

    def _hold(self, at: float) -> None:
        """Add the figures to the bins of the time for which they held."""
        if at <= self._at:
            return
        first, last = self._bin(self._at), self._bin(at)
        if first == last:
            self._add(first, at - self._at)
        else:
            self._count_up_to(first, last)
            self._add(first, self._began + (first + 1) * self._width - self._at)
            for n in range(first + 1, last):
                self._add(n, self._width)
                self._raise(self._most[n])
            rest = at - self._began - last * self._width
            if rest > 0:
                self._add(last, rest)
                self._raise(self._most[last])
        self._at = at

    def _count_up_to(self, first: int, after: int) -> None:
        """Note what was counted at the end of some bins."""
        self._counted[first:after] = [self._totals] * (after - first)

    def _add(self, n: int, seconds: float) -> None:
        if seconds > 0:
            sums = self._sums[n]
            for which, value in enumerate(self._now):
                if value:
                    sums[which] += value * seconds

    def _bin(self, at: float) -> int:
        place = int((at - self._began) / self._width) if self._width else 0
        return min(max(place, 0), self._number - 1)

    def _raise(self, most: list[int]) -> None:
        for which, value in enumerate(self._now):
            most[which] = max(most[which], value)

    def _keep(self, at: float, figures: Figures) -> None:
        if self._exact is None:
            return
        last = self._exact[-1]
        if last.at == at:
            last.mean, last.totals = figures, self._totals
            last.most = [max(pair) for pair in zip(last.most, figures, strict=True)]
        elif len(self._exact) < self._number:
            self._exact.append(Point(at, figures, figures, self._totals))
        else:
            self._exact = None
