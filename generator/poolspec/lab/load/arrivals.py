"""The arrivals of an open load: when each operation is due, however slow the pool is.

Arrivals are those of a process with the rate 1, evenly spaced or a Poisson process, on a stretched
time axis. During a ramp the rate rises from 0 in a straight line, so the number of arrivals up to a
time grows with its square; the time of an arrival is the inverse of that.
"""

import math
from collections.abc import Iterator
from itertools import accumulate, count, repeat
from random import Random

from poolspec.vocabulary import Arrivals


def arrivals(
    rate: float, ramp: float = 0.0, how: Arrivals = Arrivals.EVEN, seed: int = 1
) -> Iterator[float]:
    """Yield the times of arrivals in seconds from the start of the load, without end."""
    return (_time_of(unit, rate, ramp) for unit in _units(how, seed))


def _units(how: Arrivals, seed: int) -> Iterator[float]:
    """Yield the times of arrivals at a rate of one per second."""
    if how is Arrivals.EVEN:
        return map(float, count())
    chance = Random(seed)  # the same arrivals each time, in every version of Python
    return accumulate(-math.log(1.0 - chance.random()) for _ in repeat(None))


def _time_of(unit: float, rate: float, ramp: float) -> float:
    in_ramp = rate * ramp / 2
    if unit < in_ramp:
        return math.sqrt(2 * unit * ramp / rate)
    return ramp + (unit - in_ramp) / rate
