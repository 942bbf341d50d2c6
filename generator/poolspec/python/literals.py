"""Values of a spec as Python source.

A string of a spec reaches Python only through one of two functions: `literal`, which is `repr`, and
`docstring`, which keeps prose readable. For every string, the text of `literal` evaluates to that
string, and the text of `docstring` to the same words.
"""

import math
import textwrap
from collections.abc import Iterable

from poolspec.python.names import RenderError, variable
from poolspec.spec.json_values import JsonList, JsonObject, JsonValue
from poolspec.spec.values import Check, Formula, Ref, Scalar, Value
from poolspec.vocabulary import CheckOp

_WIDTH = 100
_CHUNK = 60
"""Longer strings are written in pieces, so that no line of the module passes the limit."""

FUNCTIONS = {
    CheckOp.NOT_EQUAL: "not_equal",
    CheckOp.LESS: "less_than",
    CheckOp.AT_MOST: "at_most",
    CheckOp.MORE: "more_than",
    CheckOp.AT_LEAST: "at_least",
    CheckOp.BETWEEN: "between",
    CheckOp.APPROX: "approx",
}
"""The lab's comparison for each operator; EQUAL is the bare value."""


def literal(value: Scalar) -> str:
    """Return the literal of a string, number, truth value or None."""
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise RenderError(f"{value!r} has no literal")
    return repr(value)


def _string(text: str) -> str:
    if len(text) <= _CHUNK:
        return repr(text)
    pieces = []
    while len(text) > _CHUNK:
        cut = text.rfind(" ", 1, _CHUNK) + 1 or _CHUNK
        pieces.append(repr(text[:cut]))
        text = text[cut:]
    pieces.append(repr(text))
    return f"({' '.join(pieces)})"


def alone(text: str) -> str:
    """Return the literal of the only argument of a call, whose parentheses do for its pieces."""
    written = literal(text)
    return written[1:-1] if written.startswith("(") else written


def value(given: Value | Scalar) -> str:
    """Return a literal, the name of a matrix parameter, or a formula."""
    if isinstance(given, Formula):
        return given.written(variable, literal)
    return variable(given.name) if isinstance(given, Ref) else literal(given)


def row(values: tuple[Value | Scalar, ...]) -> str:
    """Return a tuple display."""
    inner = ", ".join(value(item) for item in values)
    return f"({inner},)" if len(values) == 1 else f"({inner})"


def check(wanted: Check) -> str:
    """Return the comparison as an expression of the lab's."""
    if wanted.op is CheckOp.EQUAL:
        return value(wanted.value)
    arguments = [value(wanted.value)]
    if wanted.upper is not None:
        arguments.append(value(wanted.upper))
    if wanted.rel is not None:
        arguments.append(f"rel={literal(wanted.rel)}")
    if wanted.abs is not None:
        arguments.append(f"abs={literal(wanted.abs)}")
    return f"{FUNCTIONS[wanted.op]}({', '.join(arguments)})"


def sentence(text: str) -> str:
    """Return the words of `text`, with a full stop if no punctuation ends it."""
    words = " ".join(text.split())
    return words if not words or words[-1] in ".!?…" else f"{words}."


def docstring(paragraphs: list[str], indent: int) -> str:
    """Return a docstring literal of paragraphs of prose, wrapped for its indentation.

    The lines carry no indentation themselves. White space is normalised: the literal evaluates to
    the same words in the same order.
    """
    room = _WIDTH - indent - len('"""')
    wrapped = [_wrap(_escape(text), room) for text in paragraphs]
    body = "\n\n".join("\n".join(lines) for lines in wrapped)
    closed = "\n" if "\n" in body or len(body) > room - len('"""') else ""
    return f'"""{body}{closed}"""'


def _wrap(words: str, room: int) -> list[str]:
    if len(words) <= room:
        return [words]
    return textwrap.wrap(words, room, break_long_words=False, break_on_hyphens=False)


def _escape(text: str) -> str:
    """Write prose so that it can stand between triple double quotes.

    Every backslash is doubled, so none escapes the next character. A quote beside another, or
    first or last, is escaped, so none closes the literal. Characters that `repr` would escape are
    escaped.
    """
    words = " ".join(text.split())
    if words.isprintable() and '"' not in words and "\\" not in words:
        return words
    around = f'"{words}"'
    return "".join(
        _escape_one(char, beside_quote='"' in (around[at], around[at + 2]))
        for at, char in enumerate(words)
    )


def _escape_one(char: str, *, beside_quote: bool) -> str:
    if char == '"':
        return '\\"' if beside_quote else char
    if char == "\\" or not char.isprintable():
        return repr(char)[1:-1]
    return char


def nested(given: JsonValue) -> str:
    """Return the literal of a JSON value."""
    if isinstance(given, JsonObject):
        return f"{{{', '.join(f'{literal(name)}: {nested(one)}' for name, one in given.pairs)}}}"
    if isinstance(given, JsonList):
        return f"[{', '.join(map(nested, given.items))}]"
    return literal(given)


def by_text(pairs: Iterable[tuple[str, Value | Scalar]]) -> str:
    """Return a dictionary by text."""
    return f"{{{', '.join(f'{literal(name)}: {value(item)}' for name, item in pairs)}}}"
