"""Comparisons between what was expected and what was seen.

A generated test writes the bare value where equality is meant (`acquired=2`) and one of these
helpers where it is not (`total_connections=at_most(5)`). Each prints the way a spec would say it.
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
        """Say it as a spec would."""
        return self.text


Expected = Number | Comparison


def at_most(limit: Number) -> Comparison:
    """Accept `limit` and anything below."""
    return Comparison(f"<= {limit}", lambda seen: seen <= limit)


def at_least(limit: Number) -> Comparison:
    """Accept `limit` and anything above."""
    return Comparison(f">= {limit}", lambda seen: seen >= limit)


def less_than(limit: Number) -> Comparison:
    """Accept anything below `limit`."""
    return Comparison(f"< {limit}", lambda seen: seen < limit)


def more_than(limit: Number) -> Comparison:
    """Accept anything above `limit`."""
    return Comparison(f"> {limit}", lambda seen: seen > limit)


def between(low: Number, high: Number) -> Comparison:
    """Accept anything from `low` to `high`, both included."""
    return Comparison(f"{low}..{high}", lambda seen: low <= seen <= high)


def not_equal(value: Number) -> Comparison:
    """Accept anything but `value`."""
    return Comparison(f"!= {value}", lambda seen: seen != value)


def approx(value: Number, *, rel: float | None = None, abs: float | None = None) -> Comparison:  # noqa: A002 - the field's word
    """Accept `value` give or take a share of it (`rel`: 0.05 for ± 5%) or an amount (`abs`)."""
    if abs is not None:
        return Comparison(f"{value} ± {abs}", lambda seen: -abs <= seen - value <= abs)
    share = rel or 0.0
    margin = share * (value if value >= 0 else -value)
    return Comparison(f"{value} ± {share:.4g}", lambda seen: -margin <= seen - value <= margin)


def mismatch(name: str, expected: Expected, seen: Number) -> str | None:
    """Say how `seen` falls short of `expected`; None where it does not."""
    comparison = expected if isinstance(expected, Comparison) else _equal(expected)
    return None if comparison.holds(seen) else f"{name}: expected {comparison}, was {seen}"


def _equal(value: Number) -> Comparison:
    return Comparison(str(value), lambda seen: seen == value)
