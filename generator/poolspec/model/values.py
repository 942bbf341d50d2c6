"""What stands for a number in a spec: values, checks, and named ones of either."""

from dataclasses import dataclass

from poolspec.vocabulary import CheckOp

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Ref:
    """A parameter of the test's matrix, written `$name`."""

    name: str


Value = int | float | bool | Ref
"""A number (durations are float seconds), a truth value, or a matrix parameter."""


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison: `2`, `"<= 20"`, `"0.95..1"`, `"1s ± 5%"`."""

    op: CheckOp
    value: Value
    upper: Value | None = None
    """The upper bound of BETWEEN (inclusive on both sides)."""
    rel: float | None = None
    """The relative tolerance of APPROX: 0.05 for ± 5%."""
    abs: float | None = None
    """The absolute tolerance of APPROX, in the value's unit."""


PoolOptions = tuple[tuple[str, Value | str], ...]
"""Options of a pool, by name; of the pool under test in a fixed order, wherever they came from."""

Checks = tuple[tuple[str, Check], ...]
"""Named comparisons, in the order in which the spec gives them."""
