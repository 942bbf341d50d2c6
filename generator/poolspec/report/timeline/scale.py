"""Scales: places on the picture for times and numbers, and the ticks of their axes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

UNITS = ((1.0, 0.001, "ms"), (300.0, 1.0, "s"), (7200.0, 60.0, "min"), (math.inf, 3600.0, "h"))
"""Spans below the first number of seconds are shown in the unit, which has so many seconds."""
FACTORS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of time."""

    seconds: float
    name: str

    def say(self, seconds: float) -> str:
        """Return a time in the unit, without the unit's name."""
        return f"{round(seconds / self.seconds, 3):,g}"


def unit_for(span: float) -> Unit:
    """Return the unit in which the times of a span are easy to read."""
    seconds, name = next((one, name) for below, one, name in UNITS if 0 < span < below or not span)
    return Unit(1.0, "s") if not span else Unit(seconds, name)


@dataclass(frozen=True, slots=True)
class Scale:
    """Places for the values from 0 to `top`: from the coordinate `zero` on, over `length`."""

    top: float
    zero: float
    length: float
    """Negative if the coordinate falls while the value grows."""

    def place(self, value: float) -> float:
        """Return the coordinate of a value; one beyond the end is put there."""
        share = value / self.top if self.top else 0.0
        return self.zero + self.length * min(max(share, 0.0), 1.0)


def ticks(top: float, most: int, *, whole: bool = False, unit: float = 1.0) -> Sequence[float]:
    """Return at most `most` round values from 0 to `top`, in steps of 1, 2 or 5 of a power of ten.

    `whole` values are integers; `unit` is the size of one step's unit.
    """
    if top <= 0:
        return [0.0]
    rough = top / unit / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in FACTORS if power * factor >= rough * (1 - 1e-9))
    step = max(1.0, step) if whole else step
    number = math.floor(top / unit / step * (1 + 1e-9))
    return [n * step * unit for n in range(number + 1)]
