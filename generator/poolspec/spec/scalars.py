"""The meaning of a plain word of YAML: null, a truth value, a number, a duration, or a text.

The rules are those of YAML 1.2's core schema, without its odd corners: `true`, `false`, `null` and
`~` in these spellings only; decimal integers and floats; all else is text. `on`, `yes` and `no`
are words. A value in quotes is always text.
"""

import math
import re
from itertools import pairwise

from poolspec.spec.tree import Scalar as ScalarNode
from poolspec.spec.values import Scalar

_WORDS: dict[str, Scalar] = {"null": None, "~": None, "": None, "true": True, "false": False}
YAML_WORDS = frozenset(("true", "false", "null"))
"""Words that look like names, and are values."""
_NUMBER_STARTS = frozenset("+-.0123456789")
INTEGER_PATTERN = r"[-+]?(0|[1-9][0-9]*)"
_INT = re.compile(INTEGER_PATTERN)
FLOAT_PATTERN = r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|0|[1-9][0-9]*)([eE][-+]?[0-9]+)?"
"""Of a number without leading zeros; `_FLOAT` is wider."""
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
PERCENT_PATTERN = r"([0-9]+(?:\.[0-9]+)?) ?%"
_PERCENT = re.compile(PERCENT_PATTERN)
_DURATION_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?(us|ms|s|min|m|h|d)")
DURATION_PATTERN = rf"{_DURATION_PART.pattern}(?: {_DURATION_PART.pattern})*"
"""Of a whole duration. The order of units, from large to small, is checked separately."""
_DURATION = re.compile(DURATION_PATTERN)

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_MAX_DIGITS = 20
"""As many as MySQL's largest integer has."""


def resolve(node: ScalarNode) -> Scalar:
    """The value of a scalar. Raises ValueError, with a reason, for a number beyond all bounds."""
    return word_value(node.text) if node.plain else node.text


def word_value(text: str) -> Scalar:
    """The value of a word without quotes. Raises ValueError for a number beyond all bounds."""
    if text[:1] in _NUMBER_STARTS and text:
        return _number(text)
    return _WORDS.get(text, text)


def duration(text: str) -> float | None:
    """Seconds of a duration such as `250ms` or `1h 30m`; None if the text is none."""
    if not _DURATION.fullmatch(text) or len(text) > 40:
        return None
    parts = _DURATION_PART.findall(text)
    units = [_SECONDS[unit] for _, unit in parts]
    if any(longer <= shorter for longer, shorter in pairwise(units)):
        return None
    return round(sum(float(number) * _SECONDS[unit] for number, unit in parts), 9)


def percent(text: str) -> float | None:
    """The ratio of a percentage such as `95%`; None if the text is none."""
    if not (found := _PERCENT.fullmatch(text)) or len(text) > 20:
        return None
    return round(float(found[1]) / 100, 12)


def _number(text: str) -> Scalar:
    if _INT.fullmatch(text):
        if len(text) > _MAX_DIGITS:
            raise ValueError(f"a number of more than {_MAX_DIGITS} digits")
        return int(text)
    if not _FLOAT.fullmatch(text) or re.fullmatch(r"[-+]?0[0-9]+", text):
        return text
    if len(text) > 2 * _MAX_DIGITS or not math.isfinite(value := float(text)):
        raise ValueError("a number that no computer can hold exactly")
    return value
