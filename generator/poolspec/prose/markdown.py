"""Text of a spec as Markdown: shown as it is, never obeyed.

Prose keeps its words on one line. Text that Markdown, HTML or a site generator's templates would
take for markup is escaped. Characters without a shape are shown as escape sequences.
"""

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"[\\`*\[\]|~]|_(?![^\W_])|(?<![^\W_])_")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "{": "&#123;", "}": "&#125;"})
_BLOCK_START = re.compile(r"(#{1,6}|[-+=:]|\d+[.)])(?=\s|$|[-=:])")


def prose(text: str) -> str:
    """Return text for a paragraph, a list item or a table cell."""
    escaped = _SPECIAL.sub(lambda found: f"\\{found[0]}", _one_line(text))
    safe = escaped.translate(_ENTITIES)
    return _BLOCK_START.sub(_escape_start, safe, count=1) if _BLOCK_START.match(safe) else safe


def _escape_start(found: re.Match[str]) -> str:
    return f"{found[0][:-1]}\\{found[0][-1]}"


def code(text: str) -> str:
    """Return text as a code span, for a paragraph or a list item; not for a table cell."""
    shown = _one_line(text)
    if shown and "`" not in shown:
        return f"`{shown}`"
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if not shown or "`" in (shown[0], shown[-1]) else ""
    return f"{fence}{padding}{shown or ' '}{padding}{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of cells that are Markdown already."""
    rules = ["---"] * len(head)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rules, *rows))


def _one_line(text: str) -> str:
    words = " ".join(text.split())
    if words.isprintable():
        return words
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in words)
