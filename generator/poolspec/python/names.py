"""Names of a spec, checked again before they become Python.

`load` has already passed every name through an allow-list. The renderer does not rely on that: a
word that becomes an identifier, or stands in a comment, is checked here once more, and a word that
does not pass is an error of poolspec, not something to be quoted or cleaned.
"""

import builtins
import keyword
import re
from pathlib import PurePosixPath

FIXED_NAMES = frozenset({"AsyncLab", "Lab"})
"""Names of the lab that do not depend on the steps of a test."""

_FUNCTIONS = frozenset(
    {
        *("actor", "async_actor", "approx", "at_least", "at_most", "between"),
        *("less_than", "more_than", "not_equal"),
    }
)
_RESERVED = (
    _FUNCTIONS
    | frozenset(keyword.kwlist)
    | frozenset(keyword.softkwlist)
    | frozenset(dir(builtins))
    | {"point", "lab", "pool", "pytest", "self"}
)
HELPER = re.compile(r"(attempted|forked|interrupted|one_round|reentered)(_[0-9]+)?", re.ASCII)
"""Functions inside a test: of a child process, and of a round of steps."""
_WORD = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)
_CLASS = re.compile(r"[A-Z][A-Za-z0-9]{0,99}", re.ASCII)
_PATH = re.compile(r"[A-Za-z0-9._/+@=,~() -]+", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class RenderError(Exception):
    """The model holds something that must not reach Python: a defect of poolspec, not of a spec."""


def _passed(pattern: re.Pattern[str], text: str, what: str) -> str:
    if not pattern.fullmatch(text):
        raise RenderError(f"{text!a} is not allowed as {what}")
    return text


def word(text: str) -> str:
    """Return `text` if it may be an argument's name, or part of an identifier."""
    return _passed(_WORD, text, "a name")


def class_name(text: str) -> str:
    """Return `text` if it may follow `Test` in a class name."""
    return _passed(_CLASS, text, "a class name")


def digest(text: str) -> str:
    """Return `text` if it is a SHA-256 in hexadecimal."""
    return _passed(_DIGEST, text, "a SHA-256")


def source_path(path: PurePosixPath) -> str:
    """Return the path of a spec if it may stand in a comment; its stem must be a name."""
    word(path.stem)
    return _passed(_PATH, str(path), "a spec's path")


def variable(text: str) -> str:
    """Return `text` if it may be a variable or a function: no word of Python's or the module's."""
    if text in _RESERVED or HELPER.fullmatch(text):
        raise RenderError(f"{text!r} is taken, and not allowed as a variable")
    return word(text)
