"""Numbers with a meaning, and comparisons with them.

A `Quantity` describes a number: its meaning (a count, a duration, a ratio, a rate), how it is
written and how large it may be. One and the same quantity judges a number in the text and every
value that a matrix parameter takes in its place.
"""

import math
import re
from dataclasses import dataclass
from typing import cast

from poolspec.errors import shown
from poolspec.spec.formulas import PARAMETER, formula, parameters
from poolspec.spec.scalars import (
    DURATION_PATTERN,
    FLOAT_PATTERN,
    INTEGER_PATTERN,
    duration,
    percent,
    word_value,
)
from poolspec.spec.values import Check, Formula, Ref, Value
from poolspec.vocabulary import CheckOp

_COMPARED = re.compile(r"(<=|>=|!=|<|>) *([^<>=!].*)")
_OPS = {op.value: op for op in CheckOp}
_APPROX = re.compile(r"(.+?) *(?:±|\+-) *(.+)")
_CHECK_FORMS = '3, "<= 20", "> 5", "!= 3", 2..5 or "10 ± 5%"'
_TIME_FORMS = '3s, "<= 20s", "> 5ms", "!= 3s", 2s..5s or "1m ± 5%"'
_FORMULA_FORM = "write $names, whole numbers and durations, with +, - or * between them"
_UNITS = "write a number and its unit (us, ms, s, m, h, d), as in 500ms or 1h 30m"


@dataclass(frozen=True, slots=True)
class Quantity:
    """The meaning of a number, and its bounds (inclusive)."""

    noun: str
    """As errors call it: 'a whole number'."""
    example: str
    whole: bool = False
    timed: bool = False
    """Durations: the text carries a unit, the value is seconds."""
    ratio: bool = False
    """Shares of one: the text may carry a percent sign."""
    low: float = 0
    high: float = 1e9

    def value(self, text: str) -> Value:
        """Return the value of a word. Raises ValueError with the reason if it has none."""
        if text.startswith("$") and PARAMETER.fullmatch(text):
            return Ref(text[1:])
        if made := formula(text):
            return made
        if "$" in text:
            raise ValueError(f"{shown(text)} is not a formula: {_FORMULA_FORM}")
        number = self._number(text)
        if fault := self.fault(number):
            raise ValueError(fault)
        return float(number) if self.timed else number

    def fault(self, number: Value) -> str:
        """Return why a number does not fit; empty if it does."""
        if isinstance(number, Ref | Formula | bool) or (self.whole and not isinstance(number, int)):
            return f"{_said(number)} is not {self.noun}"
        if not self.low <= number <= self.high:
            return f"{_said(number)} is out of bounds: {self.bounds}"
        return ""

    def hint(self, fault: str, *, compared: bool) -> str:
        """Return how to write a number, for a text that is none."""
        if not fault.endswith(f"is not {self.noun}"):
            return ""
        if compared:
            return f"write {_TIME_FORMS if self.timed else _CHECK_FORMS}"
        return _UNITS if self.timed else ""

    @property
    def pattern(self) -> str:
        """A pattern of its numbers as text, for the schema."""
        if self.timed:
            return f"0|{DURATION_PATTERN}"
        number = INTEGER_PATTERN if self.whole else FLOAT_PATTERN
        return f"{number}( ?%)?" if self.ratio else number

    @property
    def bounds(self) -> str:
        """The bounds in words."""
        unit = "s" if self.timed else ""
        return f"from {self.low:,.9g}{unit} to {self.high:,.9g}{unit}"

    def _number(self, text: str) -> int | float:
        number = word_value(text)
        if self.timed:
            if number == 0 and not isinstance(number, bool):
                return 0.0
            if isinstance(number, int | float) and not isinstance(number, bool):
                raise ValueError(f"{text} has no unit: give a unit, as in {self.example}")
            number = duration(text)
        elif self.ratio and text.endswith("%"):
            number = percent(text)
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError(f"{shown(text)} is not {self.noun}")
        return number


def check(quantity: Quantity, text: str) -> Check:
    """Return the comparison of a text. Raises ValueError with the reason if it is none."""
    made = _compared(quantity, text)
    if not any(map(parameters, operands(made))) and (
        fault := impossible(quantity, made) or _idle(quantity, made)
    ):
        raise ValueError(f"{shown(text)} {fault}")
    return made


def impossible(quantity: Quantity, made: Check) -> str:
    """Return why a comparison can never hold for any measured value; empty if it can.

    Nothing that is measured is below 0, and no ratio above 1.
    """
    low, high = extent(made)
    if low > high:
        return "can never hold: the range is empty"
    if made.op is CheckOp.LESS and high <= 0:
        return "can never hold: nothing is below 0; write 0 for none"
    if made.op is CheckOp.MORE and low >= _top(quantity):
        return "can never hold: no ratio is above 1"
    return ""


def allows_none(made: Check) -> bool:
    """Whether a comparison holds if there is nothing to count; of a parameter, it may."""
    if any(map(parameters, operands(made))):
        return True
    low, high = extent(made)
    if made.op is CheckOp.NOT_EQUAL:
        return low != 0
    return made.op is not CheckOp.MORE and low <= 0 <= high


def _idle(quantity: Quantity, made: Check) -> str:
    """Return why a comparison holds for every measured value; empty if it can fail."""
    low, high = extent(made)
    if made.op in (CheckOp.LESS, CheckOp.MORE) or low > 0 or high < _top(quantity):
        return ""
    return "always holds, for any measured value; leave it out, or expect more"


def _top(quantity: Quantity) -> float:
    return 1.0 if quantity.ratio else math.inf


def extent(made: Check) -> tuple[float, float]:
    """From where to where a comparison of numbers holds."""
    value = float(cast(float, made.value))
    if made.op in (CheckOp.LESS, CheckOp.AT_MOST):
        return 0.0, value
    if made.op in (CheckOp.MORE, CheckOp.AT_LEAST):
        return value, math.inf
    if made.upper is not None:
        return value, float(cast(float, made.upper))
    slack = made.abs if made.abs is not None else value * (made.rel or 0.0)
    return value - slack, value + slack


def _compared(quantity: Quantity, text: str) -> Check:
    if not text:
        raise ValueError(f"nothing to compare with; write {_CHECK_FORMS}")
    if found := _COMPARED.fullmatch(text):
        return Check(_OPS[found[1]], quantity.value(found[2]))
    if found := _APPROX.fullmatch(text):
        return _approx(quantity, found[1], found[2])
    if "+/-" in text:
        raise ValueError("'+/-' is not an operator; write '±' or '+-'")
    if ".." in text:
        low, _, high = text.partition("..")
        return _between(quantity, low.strip(), high.strip())
    return Check(CheckOp.EQUAL, quantity.value(text))


def operands(made: Check) -> tuple[Value, ...]:
    """The values that a comparison compares with."""
    return (made.value,) if made.upper is None else (made.value, made.upper)


def _between(quantity: Quantity, low: str, high: str) -> Check:
    lower, upper = quantity.value(low), quantity.value(high)
    if isinstance(lower, int | float) and isinstance(upper, int | float) and lower > upper:
        raise ValueError(f"nothing is between {low} and {high}; write {high}..{low}")
    return Check(CheckOp.BETWEEN, lower, upper=upper)


def _approx(quantity: Quantity, middle: str, tolerance: str) -> Check:
    value = quantity.value(middle)
    if tolerance.endswith("%") and not quantity.ratio:
        rel = percent(tolerance)
        if rel is None or not 0 < rel <= 1:
            raise ValueError(f"{shown(tolerance)} is not a tolerance; write 5% or an amount")
        return Check(CheckOp.APPROX, value, rel=rel)
    amount = quantity.value(tolerance)
    if isinstance(amount, Ref | Formula) or amount <= 0:
        raise ValueError(f"{shown(tolerance)} is not a tolerance; write 5% or an amount")
    return Check(CheckOp.APPROX, value, abs=float(amount))


def _said(number: Value) -> str:
    if isinstance(number, Formula):
        return str(number)
    return f"${number.name}" if isinstance(number, Ref) else str(number).lower()


COUNT = Quantity("a whole number", "2", whole=True)
"""A number of things that were counted."""
NUMBER_OF = Quantity("a whole number", "20", whole=True, low=1, high=1_000_000)
"""A number of things to be made."""
ACTORS = Quantity("a whole number", "20", whole=True, low=1, high=20_000)
"""A number of threads or tasks to be started."""
MOST_THREADS = 2_000
"""As many may be threads; a larger number is for tasks."""
SIZE = Quantity("a whole number", "5", whole=True, high=10_000)
OVERFLOW = Quantity("a whole number", "10", whole=True, low=-1, high=10_000)
DURATION = Quantity("a duration", "1s", timed=True, high=3.2e8)
LIMIT = Quantity("a duration", "5s", timed=True, low=0.001, high=3.15e7)
DEADLINE = Quantity("a duration", "20s", timed=True, low=0.001, high=3600)
INTERVAL = Quantity("a duration", "50ms", timed=True, low=0.001, high=3600)
STATUS_CODE = Quantity("a status", "200", whole=True, low=100, high=599)
RATIO = Quantity("a ratio", "0.95", ratio=True, high=1)
RATE = Quantity("a number", "1000")
PER_SECOND = Quantity("a number", "200", low=0.001, high=1_000_000)
"""A number of operations per second that are due."""
