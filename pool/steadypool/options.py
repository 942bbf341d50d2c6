"""The figures a pool is made with, checked.

Every refusal names the option, the range allowed and what was given.
"""

import math
import sys

from steadypool.books import Rules
from steadypool.errors import PoolConfigError


def check_rules(
    *,
    name: str,
    size: int,
    max_overflow: int,
    recycle: float | None,
    check_after: float | None,
) -> Rules:
    """Make the core's rules of a pool's options; raises PoolConfigError."""
    whole("size", size, 0)
    whole("max_overflow", max_overflow, -1)
    if size == max_overflow == 0:
        raise PoolConfigError("size and max_overflow are both 0: the pool could never open any")
    return Rules(
        name=name,
        size=size,
        limit=sys.maxsize if max_overflow == -1 else size + max_overflow,
        recycle=seconds("recycle", recycle) or math.inf,
        check_after=seconds("check_after", check_after),
    )


def whole(option: str, value: object, least: int, most: int | None = None) -> int:
    """Check a whole number."""
    number = isinstance(value, int) and not isinstance(value, bool)
    if (
        isinstance(value, int)
        and number
        and least <= value <= (sys.maxsize if most is None else most)
    ):
        return value
    above = "" if most is None else f" and at most {most}"
    raise PoolConfigError(
        f"{option} must be a whole number, at least {least}{above}; given: {value!r}"
    )


def seconds(option: str, value: object) -> float:
    """Check a duration; None is for ever."""
    if value is None:
        return math.inf
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise PoolConfigError(
        f"{option} must be a number of seconds, at least 0, or None for no limit; given: {value!r}"
    )
