"""The figures a pool is made with, checked.

Every refusal names the option, the range allowed and what was given.
"""

import math
import sys
from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from steadypool._core.settings import Order, Reset, Settings
from steadypool.errors import PoolConfigError

Choice = TypeVar("Choice", bound=StrEnum)


def check_settings(
    *,
    name: str,
    size: int,
    max_overflow: int,
    recycle: float | None,
    check_after: float | None,
    min_size: int | None,
    recycle_jitter: float,
    max_uses: int | None,
    max_idle_time: float | None,
    validate_after: float | None,
    reset: Reset,
    order: Order,
    max_connecting: int | None,
    max_waiting: int | None,
    connect_attempts: int,
    breaker_failures: int | None,
    breaker_cooldown: float,
    leak_after: float | None,
    hooked: bool,
) -> Settings:
    """Make the core's rules of a pool's options; raises PoolConfigError."""
    return Settings(
        name=name,
        size=size,
        limit=check_limit(size, max_overflow),
        min_size=size if min_size is None else whole("min_size", min_size, 0, size),
        recycle=seconds("recycle", recycle) or math.inf,
        recycle_jitter=_share("recycle_jitter", recycle_jitter),
        max_uses=_most("max_uses", max_uses, 1),
        max_idle_time=seconds("max_idle_time", max_idle_time),
        check_after=seconds("check_after", check_after),
        validate_after=seconds("validate_after", validate_after),
        reset=_choice("reset", reset, Reset),
        order=_choice("order", order, Order),
        max_connecting=_most("max_connecting", max_connecting, 1),
        max_waiting=_most("max_waiting", max_waiting, 0),
        connect_attempts=whole("connect_attempts", connect_attempts, 1),
        breaker_failures=_most("breaker_failures", breaker_failures, 1),
        breaker_cooldown=seconds("breaker_cooldown", breaker_cooldown),
        leak_after=seconds("leak_after", leak_after),
        hooked=hooked,
    )


def check_limit(size: int, max_overflow: int) -> int:
    """Check both, and return the most connections that may be open; raises PoolConfigError."""
    whole("size", size, 0)
    whole("max_overflow", max_overflow, -1)
    if size == max_overflow == 0:
        raise PoolConfigError("size and max_overflow are both 0: the pool could never open any")
    return sys.maxsize if max_overflow == -1 else size + max_overflow


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


def check_interval(value: float) -> float:
    """Return the seconds between two rounds of housekeeping; raises PoolConfigError."""
    interval = seconds("interval", value)
    if not interval:
        raise PoolConfigError("interval must be above 0 seconds")
    return interval


def seconds(option: str, value: object, none: str = "no limit") -> float:
    """Check a duration; None is for ever, unless the caller has put something in its place."""
    if value is None:
        return math.inf
    if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    raise PoolConfigError(
        f"{option} must be a number of seconds, at least 0, or None for {none}; given: {value!r}"
    )


def _most(option: str, value: int | None, least: int) -> int:
    return sys.maxsize if value is None else whole(option, value, least)


def _share(option: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise PoolConfigError(f"{option} must be a number from 0 to 1; given: {value!r}")


def _choice(option: str, value: object, kinds: type[Choice]) -> Choice:
    try:
        return kinds(str(value))  # its text will do: options may come from a file
    except ValueError:
        raise PoolConfigError(
            f"{option} must be one of {_words(kinds)}; given: {value!r}"
        ) from None


def _words(kinds: Iterable[StrEnum]) -> str:
    return ", ".join(kind.value for kind in kinds)
