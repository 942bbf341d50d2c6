"""Whether a pool became slower than a baseline.

The figures of a load count relative to those of the control that ran beside it, so that the speed
of the machine cancels out: operations per second, and operations per second of CPU. Of several
rounds the median counts. A loss is suspected if the median fell by 15 % or more *and* the rounds of
both runs hardly overlap: by the exact rank test of Mann and Whitney, less than 0.2 % of all ways
to share out the values between two equal runs separate them as well. The caller measures a
suspected loss again, and it is a loss only if the second measurement shows it too.

A limit of 15 % finds a real loss of 20 % in spite of the noise that is left in a median.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from math import comb
from statistics import median

from poolspec.report.baseline import Measured, Round, Rounds

LIMIT = 0.15
CHANCE = 0.002


class Figure(StrEnum):
    """A figure by which a load is judged."""

    THROUGHPUT = "operations per second"
    CPU = "operations per second of CPU"


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure of a load differs between two runs."""

    measured: Measured
    figure: Figure
    before: float
    now: float
    """Medians of the load's own figure."""
    loss: float
    """Of the figure relative to the control; below 0 is a gain."""
    chance: float
    """The share of equal runs that look at least as different."""

    @property
    def suspected(self) -> bool:
        """Whether this looks like a loss."""
        return self.loss >= LIMIT and self.chance < CHANCE

    @property
    def key(self) -> tuple[Measured, Figure]:
        """Return which figure it is."""
        return self.measured, self.figure

    def __str__(self) -> str:
        return (
            f"{self.measured}, {self.figure}: {self.before:,.0f} in the baseline, "
            f"{self.now:,.0f} now; relative to the control {-self.loss:+.0%}"
        )


def compared(before: Rounds, now: Rounds) -> list[Change]:
    """Return the changes of all figures that both runs have."""
    return [
        _change(measured, figure, before[measured], rounds)
        for measured, rounds in now.items()
        if measured in before
        for figure in Figure
    ]


def _change(
    measured: Measured, figure: Figure, before: Sequence[Round], now: Sequence[Round]
) -> Change:
    was, is_now = ([_relative(one, figure) for one in rounds] for rounds in (before, now))
    own_was, own_now = (median(_speed(one, figure) for one in rounds) for rounds in (before, now))
    loss = 1 - median(is_now) / median(was)
    return Change(measured, figure, own_was, own_now, loss, chance(was, is_now))


def _speed(one: Round, figure: Figure) -> float:
    return one.throughput if figure is Figure.THROUGHPUT else 1 / one.cpu


def _relative(one: Round, figure: Figure) -> float:
    if figure is Figure.THROUGHPUT:
        return one.throughput / one.control_throughput
    return one.control_cpu / one.cpu


def chance(before: Sequence[float], now: Sequence[float]) -> float:
    """Return how often equal runs have values that are lower now by as much, in ranks."""
    wins = sum(one >= other for one in now for other in before)
    ways = sum(_ways(len(now), len(before), number) for number in range(wins + 1))
    return ways / comb(len(now) + len(before), len(now))


@cache
def _ways(now: int, before: int, wins: int) -> int:
    """Return in how many orders of the values exactly `wins` pairs are won by the present run."""
    if wins < 0:
        return 0
    if now == 0 or before == 0:
        return int(wins == 0)
    return _ways(now - 1, before, wins - before) + _ways(now, before - 1, wins)
