"""Errors in spec files, worded so that the author can fix them without reading any code.

A `Problem` is one error at one place; `SpecErrors` has all errors of all files of one run. Both are
shown like this:

    specs/limits.yaml:12:9: tests.pool_size_limit.steps[1]: unknown key 'aquire'
        12 |       - aquire: [a, b]
           |         ^^^^^^
      did you mean 'acquire'? expected one of: acquire, advance, …

Control characters of a file never reach the terminal.
"""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_WINDOW = 100
"""The most characters that are shown of a line."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One error in a spec file.

    `line` and `column` count from 1; a `line` of 0 means the file as a whole. `source` is the text
    of the line, `width` the number of characters to underline.
    """

    path: str
    line: int
    column: int
    key_path: str
    message: str
    hint: str = ""
    source: str = ""
    width: int = 1

    @property
    def place(self) -> str:
        """`path:line:column`, as editors and terminals understand it."""
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path

    def __str__(self) -> str:
        head = ": ".join(filter(None, (self.place, self.key_path, self.message)))
        lines = [_printable(head)]
        if self.line and self.source.strip():
            lines += _excerpt(self)
        if self.hint:
            lines.append(f"  {_printable(self.hint)}")
        return "\n".join(lines)


class SpecErrors(Exception):  # noqa: N818 - it holds all errors of a run
    """All errors in the files of one run, in the order of path and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=_order))
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n\n".join(str(problem) for problem in self.problems)

    def amount(self) -> str:
        """Return the number of errors and of files."""
        errors, files = len(self.problems), len({problem.path for problem in self.problems})
        return f"{errors} error{'s' * (errors > 1)} in {files} file{'s' * (files > 1)}"

    def __reduce__(self) -> tuple[type["SpecErrors"], tuple[tuple[Problem, ...]]]:
        return SpecErrors, (self.problems,)


def expected(choices: Iterable[str], given: str = "") -> str:
    """Return a hint: the word that was probably meant, then all valid words."""
    words = tuple(choices)
    listed = f"expected one of: {', '.join(words)}" if words else ""
    near = nearest(given, words)
    return f"did you mean {near!r}? {listed}" if near else listed


def nearest(given: str, choices: Sequence[str]) -> str:
    """Return the valid word most like the given one, in any case of letters; empty if none is."""
    folded = {choice.lower(): choice for choice in reversed(choices)}
    found = difflib.get_close_matches(given[:60].lower(), folded, n=1, cutoff=0.6)
    return str(folded[found[0]]) if found else ""  # a member of an enum is shown by its word


def article(noun: str) -> str:
    """Return a noun with its indefinite article."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def shown(text: object) -> str:
    """Return a value as errors quote it: on one line, at most 60 characters long."""
    quoted = repr(text)
    return quoted if len(quoted) <= 60 else f"{quoted[:57]}…{quoted[0]}"


def _order(problem: Problem) -> tuple[str, int, int, str]:
    return problem.path, problem.line, problem.column, problem.message


def _excerpt(problem: Problem) -> list[str]:
    """Return the line with carets below the error; a long line is cut to a window."""
    at = problem.column - 1
    start = 0 if at < _WINDOW * 3 // 4 else at - _WINDOW // 4
    text = _printable(problem.source[start : start + _WINDOW]).rstrip()
    width = max(1, min(problem.width, len(text) - (at - start)))
    number = str(problem.line)
    return [
        f"    {number} | {text}",
        f"    {' ' * len(number)} | {' ' * (at - start)}{'^' * width}",
    ]


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " if c == "\t" else "�" for c in text)
