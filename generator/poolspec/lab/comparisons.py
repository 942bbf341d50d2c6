"""Comparisons between expected and seen numbers.

A generated test has a bare value for equality (`acquired=2`), and one of these helpers for another
comparison (`total_connections=at_most(5)`). Each prints as a spec writes it.
"""

from collections.abc import Callable
from dataclasses import dataclass

__tracebackhide__ = True  # a failure is shown where the test failed

Number = int | float


@dataclass(frozen=True, slots=True)
class Comparison:
    """A named predicate over a number."""

    text: str
    holds: Callable[[Number], bool]

    def __str__(self) -> str:
        """Return it as a spec writes it."""
        return self.text


Expected = Number | Comparison


def at_most(limit: Number) -> Comparison:
    """Accept `limit` and any number below."""
    return Comparison(f"<= {limit}", lambda seen: seen <= limit)


def at_least(limit: Number) -> Comparison:
    """Accept `limit` and any number above."""
    return Comparison(f">= {limit}", lambda seen: seen >= limit)


def less_than(limit: Number) -> Comparison:
    """Accept any number below `limit`."""
    return Comparison(f"< {limit}", lambda seen: seen < limit)


def more_than(limit: Number) -> Comparison:
    """Accept any number above `limit`."""
    return Comparison(f"> {limit}", lambda seen: seen > limit)


def between(low: Number, high: Number) -> Comparison:
    """Accept any number from `low` to `high`, both included."""
    return Comparison(f"{low}..{high}", lambda seen: low <= seen <= high)


def not_equal(value: Number) -> Comparison:
    """Accept any number but `value`."""
    return Comparison(f"!= {value}", lambda seen: seen != value)


def approx(value: Number, *, rel: float | None = None, abs: float | None = None) -> Comparison:  # noqa: A002 - the field's word
    """Accept `value` ± a share of it (`rel`: 0.05 for ± 5%) or ± an amount (`abs`)."""
    if abs is not None:
        return Comparison(f"{value} ± {abs}", lambda seen: -abs <= seen - value <= abs)
    share = rel or 0.0
    margin = share * (value if value >= 0 else -value)
    return Comparison(f"{value} ± {share:.4g}", lambda seen: -margin <= seen - value <= margin)


def mismatch(name: str, expected: Expected, seen: Number) -> str | None:
    """Return how `seen` misses `expected`; None if it does not."""
    comparison = expected if isinstance(expected, Comparison) else _equal(expected)
    return None if comparison.holds(seen) else f"{name}: expected {comparison}, was {seen}"


def _equal(value: Number) -> Comparison:
    return Comparison(str(value), lambda seen: seen == value)
