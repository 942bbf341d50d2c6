"""Checks of option values. Each error names the option, the allowed range and the given value."""

import math
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from steadypool.errors import PoolConfigError

Choice = TypeVar("Choice", bound=StrEnum)


def check_limit(size: int, max_overflow: int) -> int:
    """Check both and return the maximum number of connections; raises PoolConfigError."""
    whole("size", size, 0)
    whole("max_overflow", max_overflow, -1)
    if size == max_overflow == 0:
        raise PoolConfigError("size and max_overflow are both 0: the pool could open no connection")
    return sys.maxsize if max_overflow == -1 else size + max_overflow


def check_interval(value: float) -> float:
    """Return the seconds between two rounds of maintenance; raises PoolConfigError."""
    interval = seconds("interval", value)
    if not interval:
        raise PoolConfigError("interval must be above 0 seconds")
    return interval


def whole(option: str, value: object, least: int, most: int | None = None) -> int:
    """Check a whole number; raises PoolConfigError."""
    ceiling = sys.maxsize if most is None else most
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= ceiling:
        return value
    above = "" if most is None else f" and at most {most}"
    raise PoolConfigError(
        f"{option} must be a whole number, at least {least}{above}; given: {value!r}"
    )


def at_most(option: str, value: int | None, least: int) -> int:
    """Check an upper limit; None means none. Raises PoolConfigError."""
    return sys.maxsize if value is None else whole(option, value, least)


def seconds(option: str, value: object, none: str = "no limit") -> float:
    """Check a duration; None means infinite, or what `none` says. Raises PoolConfigError."""
    if value is None:
        return math.inf
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise PoolConfigError(
        f"{option} must be a number of seconds, at least 0, or None for {none}; given: {value!r}"
    )


def share(option: str, value: object) -> float:
    """Check a number from 0 to 1; raises PoolConfigError."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise PoolConfigError(f"{option} must be a number from 0 to 1; given: {value!r}")


def choice(option: str, value: object, kinds: type[Choice]) -> Choice:
    """Check a member of an enum or its text; raises PoolConfigError."""
    try:
        return kinds(str(value))  # the text is enough: options may come from a file
    except ValueError:
        raise PoolConfigError(
            f"{option} must be one of {_words(kinds)}; given: {value!r}"
        ) from None


def _words(kinds: Iterable[StrEnum]) -> str:
    return ", ".join(kind.value for kind in kinds)
