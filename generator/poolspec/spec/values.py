"""Values of a spec: numbers, comparisons, and the base of all steps.

* A **value** is a number, or a `Ref` to a parameter of the test's matrix.
* A **check** compares a measured value with one or two values.
* A **step** is one sentence of a test. Every step knows the line it was written on.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from poolspec.vocabulary import CheckOp

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Ref:
    """A parameter of the test's matrix, written `$name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Formula:
    """Arithmetic with parameters of the matrix: `$size + $overflow`; see `spec.formulas`."""

    operands: tuple[Ref | int | float, ...]
    """Of the literals, durations are float seconds and numbers are integers."""
    operators: tuple[str, ...]
    """One of `+`, `-`, `*` before each operand except the first."""

    def __str__(self) -> str:
        """Return it as a spec has it, with durations in seconds."""
        return self.written(lambda name: f"${name}", lambda number: f"{number:g}s")

    def written(self, parameter: Callable[[str], str], seconds: Callable[[float], str]) -> str:
        """Return it as text, with parameters and durations as the functions write them."""
        parts = [
            parameter(one.name)
            if isinstance(one, Ref)
            else seconds(one)
            if isinstance(one, float)
            else str(one)
            for one in self.operands
        ]
        rest = zip(self.operators, parts[1:], strict=True)
        return " ".join([parts[0], *(f"{operator} {part}" for operator, part in rest)])


Value = int | float | bool | Ref | Formula
"""A number (durations are float seconds), a truth value, a matrix parameter, or a formula."""


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


class OwnPool(Enum):
    """How a step uses the test's own pool."""

    NONE = auto()
    USED = auto()
    """Without a word of the test: the lab knows the pool."""
    NAMED = auto()
    """By the variable `pool`."""


def used(pool: str | None) -> OwnPool:
    """Return how a step on a pool uses the test's own: it names that, unless it names another."""
    return OwnPool.NAMED if pool is None else OwnPool.NONE


@dataclass(frozen=True, slots=True)
class Step:
    """One sentence of a test. Every kind of step derives from this class."""

    line: int

    def binds(self) -> tuple[str, ...]:
        """Return the labels that the step gives a meaning."""
        return ()

    def reads(self) -> tuple[str, ...]:
        """Return the labels that the step refers to."""
        return ()

    def inside(self) -> tuple["Step", ...]:
        """Return the steps of its block."""
        return ()

    def apart(self) -> tuple["Step", ...]:
        """Return the steps that stand in functions: of actors, children, interrupted blocks."""
        return ()

    def own_pool(self) -> OwnPool:
        """Return how the step uses the test's own pool."""
        return OwnPool.NONE


def numbered(steps: Iterable[Step], above: str = "") -> Iterator[tuple[str, Step]]:
    """Yield steps, and the steps inside them, with their numbers: `3`, then `3.1`."""
    for number, step in enumerate(steps, 1):
        yield f"{above}{number}", step
        yield from numbered((*step.inside(), *step.apart()), f"{above}{number}.")


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps and the steps inside them."""
    return (step for _, step in numbered(steps))
