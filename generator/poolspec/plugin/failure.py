"""Explain a failed test: the line of the spec, what happened, and how things stood."""

import contextlib
import re
import traceback
from itertools import takewhile
from pathlib import Path
from textwrap import dedent
from types import TracebackType
from typing import Any

from poolspec.lab.context import Bench
from poolspec.plugin.header_reader import read_header
from poolspec.plugin.staleness import is_stale

LAST = 200
"""How many events are shown; what a failure is about is rarely further back."""
LINE = re.compile(r"# line (\d+)$")


def explain(
    root: Path, module: Path, test_line: int, error: BaseException, lab: Bench[Any]
) -> list[tuple[str, str]]:
    """Return titled sections for the report of a failed test."""
    return [
        ("spec", spec_line(root, module, test_line, error)),
        ("events", "\n".join(_last(lab.timeline()))),
        ("state", "\n".join(lab.state())),
    ]


def spec_line(root: Path, module: Path, test_line: int, error: BaseException) -> str:
    """Return the step that failed, as `path:line: text`: its line, and the lines indented below.

    If the spec was edited after the test was generated, its text is not shown, for it may not be
    the text that the test was generated from.
    """
    generated = module.read_text(encoding="utf-8").splitlines()
    failing = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(module) and frame.lineno
    ]
    number = _line_of_step(generated, failing[-1]) if failing else test_line
    header = read_header(module)
    if header is None:
        return f"line {number}"
    if is_stale(root, header):
        return f"{header.spec} has changed since this test was generated: run poolspec gen"
    return f"{header.spec}:{number}: {_text(root / header.spec, number)}"


def leave_out_contextlib(trace: TracebackType | None) -> None:
    """Take the frames of `contextlib` out of a traceback, so that it ends where the test failed."""
    while trace is not None:
        after = trace.tb_next
        if after is not None and after.tb_frame.f_code.co_filename == contextlib.__file__:
            trace.tb_next = after.tb_next
        else:
            trace = after


def _last(events: list[str]) -> list[str]:
    left_out = len(events) - LAST
    return events if left_out <= 0 else [f"({left_out} earlier events)", *events[-LAST:]]


def _line_of_step(generated: list[str], failing: int) -> int:
    # A statement that was broken over several lines carries its comment on the last.
    for text in generated[failing - 1 :]:
        found = LINE.search(text)
        if found:
            return int(found[1])
    return 0


def _text(spec: Path, number: int) -> str:
    try:
        first, *rest = spec.read_text(encoding="utf-8").splitlines()[number - 1 :]
    except (OSError, ValueError):
        return "(the spec is not at hand)"
    inside = takewhile(lambda line: _indent(line) > _indent(first), rest)
    return dedent("\n".join([first, *inside]))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
