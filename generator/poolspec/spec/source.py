"""Reading one file, and saying where in it something is wrong.

A file is refused before it is understood if it is too large, no regular file, not UTF-8, or if it
holds characters that a reader of the file would not see. Line breaks are LF, CR LF or CR, so that
our lines are the YAML parser's lines.
"""

import os
import re
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from poolspec.errors import Problem, article, shown

MAX_BYTES = 1_000_000
MAX_PROBLEMS = 100
"""A file with more faults than this is a different kind of file; the rest is not listed."""

_BOM = b"\xef\xbb\xbf"
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\uffff]"
)
_ODD_SPACE = re.compile(
    r"(?:^ *(?:- +)*(?:-|\w+:)?|[{,] *\w+:)([\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000])",
    re.MULTILINE,
)
"""A space that YAML takes for a letter, where its grammar needs a plain space."""
_NO_BREAK = "\u00a0\u202f"
_CONFLICT = re.compile(r"^(<{7}|\|{7}|={7}|>{7})(?: .*)?$", re.MULTILINE)
_TAB = re.compile(r"^ *\t[ \t]*\S", re.MULTILINE)


class Refused(Exception):  # noqa: N818 - control flow inside this package, never seen outside
    """The file cannot be read any further; its problem has been reported."""


@dataclass(slots=True)
class Source:
    """One file's text, and the problems found in it so far."""

    path: str
    """As errors show it."""
    data: bytes = b""
    text: str = ""
    problems: list[Problem] = field(default_factory=list)

    def report(
        self,
        line: int,
        column: int,
        message: str,
        *,
        hint: str = "",
        key_path: str = "",
        width: int = 1,
    ) -> None:
        """Note a problem. Lines and columns count from 1; line 0 is the whole file.

        Raises `Refused` when there are too many.
        """
        shown = self.line(line)
        problem = Problem(self.path, line, column, key_path, message, hint, shown, width)
        if problem in self.problems:
            return
        if len(self.problems) == MAX_PROBLEMS:
            message = f"more than {MAX_PROBLEMS} problems; the rest is not listed"
            self.problems.append(Problem(self.path, 0, 0, "", message))
            raise Refused(message)
        self.problems.append(problem)

    def refuse(self, line: int, column: int, message: str, hint: str = "") -> Refused:
        """Note a problem after which nothing more can be said about the file."""
        self.report(line, column, message, hint=hint)
        return Refused(message)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1; empty if there is none."""
        lines = self.text.splitlines() if number else []
        return lines[number - 1] if number <= len(lines) and number else ""


def read_source(path: Path, shown: str) -> Source:
    """Read a file. Problems are noted in the source; `text` is then empty."""
    source = Source(shown)
    try:
        accept_text(source, _read(path, source))
    except Refused:
        pass
    except OSError as error:
        source.report(0, 0, f"cannot be read: {os.strerror(error.errno or 0).lower()}")
    except ValueError:
        source.report(0, 0, "cannot be read: no valid path")
    return source


def accept_text(source: Source, data: bytes) -> None:
    """Decode the bytes of a file into its source, or raise `Refused`."""
    if len(data) > MAX_BYTES:
        raise _too_large(source, len(data))
    source.data = data
    body = data.removeprefix(_BOM)
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        before = body[: error.start]
        offset = error.start + len(data) - len(body)
        column = error.start - before.rfind(b"\n")
        message = f"not UTF-8: byte 0x{body[error.start]:02x} at offset {offset}"
        raise source.refuse(
            before.count(b"\n") + 1, column, message, "save the file as UTF-8"
        ) from None
    source.text = text
    _refuse_unseen(source, text)
    if not text.strip():
        raise source.refuse(0, 0, "the file is empty", "a spec starts with: spec: 1")


def _read(path: Path, source: Source) -> bytes:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise source.refuse(0, 0, "is a directory, not a file", "rename the directory")
    if not stat.S_ISREG(status.st_mode):
        raise source.refuse(0, 0, "is not a regular file")
    if status.st_size > MAX_BYTES:
        raise _too_large(source, status.st_size)
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _too_large(source: Source, size: int) -> Refused:
    message = f"the file is too large: {size:,} bytes, at most {MAX_BYTES:,} are read"
    return source.refuse(0, 0, message, "split it into several classes")


def _refuse_unseen(source: Source, text: str) -> None:
    if found := _CONFLICT.search(text):
        line, column = _position(text, found.start())
        message = f"a merge-conflict marker: {shown(found[1])}"
        raise source.refuse(line, column, message, "resolve the conflict, and remove the markers")
    if found := _UNSEEN.search(text):
        line, column = _position(text, found.start())
        name = f"U+{ord(found.group()):04X}"
        raise source.refuse(line, column, f"invisible or control character {name}", "remove it")
    if found := _ODD_SPACE.search(text):
        line, column = _position(text, found.start(1))
        name = unicodedata.name(found[1]).lower()
        name = "non-breaking space" if found[1] in _NO_BREAK else name
        message = f"{article(name)} (U+{ord(found[1]):04X}), which YAML takes for a letter"
        raise source.refuse(line, column, message, "write a plain space")
    if found := _TAB.search(text):
        line, column = _position(text, text.index("\t", found.start()))
        raise source.refuse(line, column, "a tab in the indentation", "indent with spaces")


def _position(text: str, index: int) -> tuple[int, int]:
    """Line and column, both from 1, of a character."""
    lines = f"{text[:index]}|".splitlines()
    return len(lines), len(lines[-1])
