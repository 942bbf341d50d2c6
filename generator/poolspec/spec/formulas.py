"""Arithmetic with the parameters of a matrix: `$size + $overflow`, `2 * $timeout`.

A formula has whole numbers, durations and parameters, with `+`, `-` and `*` between them, and the
usual precedence. There are no parentheses. A duration can be added to a duration and multiplied
by a number. Which of its parameters are durations is known with the matrix.
"""

import re
from collections.abc import Mapping
from typing import cast

from poolspec.spec.scalars import DURATION_PATTERN, duration
from poolspec.spec.values import Formula, Ref, Value

PARAMETER = re.compile(r"\$[a-z][a-z0-9_]*")
_OPERAND = rf"({PARAMETER.pattern}|{DURATION_PATTERN}|[0-9]+)"
_OPERATOR = re.compile(r" *([-+*]) *")
FORMULA_PATTERN = rf"(?=[-+* 0-9a-z_.]*\$){_OPERAND}( *[-+*] *{_OPERAND})*"
"""Of a parameter or a formula."""
_FORMULA = re.compile(rf"{_OPERAND}(?: *[-+*] *{_OPERAND})+")


def formula(text: str) -> Formula | None:
    """Return the formula of a text; None if it is none, or has no parameter."""
    if "$" not in text or not _FORMULA.fullmatch(text):
        return None
    first, *rest = _OPERATOR.split(text)
    operands = tuple(map(_operand, (first, *rest[1::2])))
    return Formula(operands, tuple(rest[::2]))


def _operand(text: str) -> Ref | int | float:
    if PARAMETER.fullmatch(text):
        return Ref(text[1:])
    seconds = duration(text)
    if seconds is not None:
        return seconds
    if not text.isdecimal() or len(text) > 9:
        raise ValueError(f"{text} is neither a whole number nor a duration")
    return int(text)


def parameters(value: object) -> tuple[str, ...]:
    """Return the names of the parameters in a value."""
    if isinstance(value, Ref):
        return (value.name,)
    operands = value.operands if isinstance(value, Formula) else ()
    return tuple(one.name for one in operands if isinstance(one, Ref))


def known(value: Value | None, row: Mapping[str, Value]) -> Value | None:
    """Return a value with the parameters of one row; None if one of them is not known."""
    if isinstance(value, Ref):
        return row.get(value.name)
    if not isinstance(value, Formula):
        return value
    found = [known(operand, row) for operand in value.operands]
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in found):
        return None
    return _computed(cast(list[float], found), value.operators)


def _computed(operands: list[float], operators: tuple[str, ...]) -> float:
    terms, signs = [operands[0]], [1]
    for operator, operand in zip(operators, operands[1:], strict=True):
        if operator == "*":
            terms[-1] *= operand
        else:
            terms.append(operand)
            signs.append(1 if operator == "+" else -1)
    total = sum(sign * term for sign, term in zip(signs, terms, strict=True))
    return round(total, 9) if isinstance(total, float) else total


def fault_of_units(made: Formula, row: Mapping[str, str], *, timed: bool) -> str:
    """Return why the parameters of a row, as they are written, do not fit; empty if they do.

    The result must be a duration if `timed`, and a number otherwise.
    """
    kinds = [_is_duration(operand, row) for operand in made.operands]
    terms = [kinds[0]]
    for operator, kind in zip(made.operators, kinds[1:], strict=True):
        if operator != "*":
            terms.append(kind)
        elif kind and terms[-1]:
            return "a duration times a duration is not a duration"
        else:
            terms[-1] = kind or terms[-1]
    if len(set(terms)) > 1:
        return "a duration and a number cannot be added"
    if terms[0] is not timed:
        return "it is a duration" if terms[0] else "it is not a duration: give one of them a unit"
    return ""


def _is_duration(operand: Ref | int | float, row: Mapping[str, str]) -> bool:
    if isinstance(operand, Ref):
        return duration(row[operand.name]) is not None
    return isinstance(operand, float)
