"""Numbers, names and comparisons in plain words, as Markdown."""

from collections.abc import Iterable

from poolspec.prose.markdown import code
from poolspec.spec.values import Check, Checks, Formula, Ref, Scalar, Value
from poolspec.vocabulary import CheckOp

_OPERATORS = {
    CheckOp.EQUAL: "=",
    CheckOp.NOT_EQUAL: "≠",
    CheckOp.LESS: "<",
    CheckOp.AT_MOST: "≤",
    CheckOp.MORE: ">",
    CheckOp.AT_LEAST: "≥",
}
_SHARES = ("recycle_jitter",)
"""Options that are a share of something."""


def options(given: Iterable[tuple[str, Value | str]]) -> str:
    """Return a pool's options, as they follow its name."""
    shown = ", ".join(f"{code(name)} {option(name, item)}" for name, item in given)
    return f" with {shown}" if shown else ""


def option(name: str, given: Value | str) -> str:
    """Return the value of an option. A float is a duration, except in shares; counts are whole."""
    if isinstance(given, str):
        return code(given)
    timed = isinstance(given, float) and name not in _SHARES
    return seconds(given) if timed else value(given)


def checks(wanted: Checks, unit: str = "") -> str:
    """Return comparisons, each with the name of its figure."""
    return ", ".join(f"{code(name)} {check(item, unit)}" for name, item in wanted)


def check(wanted: Check, unit: str = "") -> str:
    """Return a comparison, with the unit of its figure."""
    amount = f"{value(wanted.value)}{unit}"
    if wanted.op is CheckOp.BETWEEN:
        return f"from {amount} to {value(wanted.upper or 0)}{unit}"
    if wanted.op is CheckOp.APPROX:
        return f"= {amount} ± {_tolerance(wanted, unit)}"
    return f"{_OPERATORS[wanted.op]} {amount}"


def _tolerance(wanted: Check, unit: str) -> str:
    if wanted.rel is not None:
        return f"{number(wanted.rel * 100)} %"
    return f"{number(wanted.abs or 0)}{unit}"


def labels(given: Iterable[str]) -> str:
    """Return labels as code, separated by commas."""
    return ", ".join(code(label) for label in given)


def seconds(given: Value) -> str:
    """Return a duration."""
    return f"{value(given)} s"


def value(given: Value) -> str:
    """Return a number, the name of a matrix parameter, or a formula."""
    if isinstance(given, Formula):
        return code(given.written(str, number))
    return code(given.name) if isinstance(given, Ref) else number(given)


def number(given: float) -> str:
    """Return a number without digits that say nothing."""
    if isinstance(given, bool):
        return "yes" if given else "no"
    return f"{given:.12g}"


def scalars(given: Iterable[Scalar]) -> str:
    """Return values of SQL, separated by commas."""
    return ", ".join(scalar(item) for item in given)


def scalar(given: Scalar | Ref) -> str:
    """Return a value of SQL, or the name of a matrix parameter."""
    return code(given.name) if isinstance(given, Ref) else code(repr(given))


def source(pool: str | None) -> str:
    """Return the pool that a connection comes from, if it is not the test's own."""
    return "" if pool is None else f" from {code(pool)}"


def pool(label: str | None) -> str:
    """Return a pool: the test's own, or one by its label."""
    return "the pool" if label is None else code(label)
