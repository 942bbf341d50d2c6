"""Explains a failed test: the step of the spec, the events, and the state of pool and server."""

import asyncio
import concurrent.futures
import contextlib
import os
import traceback
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path, PurePosixPath
from textwrap import dedent
from types import TracebackType

import pytest

from poolspec.invariants.defects import Finding, findings_of, lines_of
from poolspec.lab.common import AnyLab
from poolspec.plugin.header_reader import read_header
from poolspec.plugin.staleness import is_stale
from poolspec.plugin.steps import step_at, step_lines

LAST = 200
"""The most events that are shown; the cause of a failure is rarely further back."""
LIBRARY = (
    contextlib.__file__,
    *(package.__path__[0] + os.sep for package in (asyncio, concurrent.futures)),
)
"""Files of Python that call context managers and tasks; a failure is not shown in them."""


def explain(
    root: Path,
    module: Path,
    test: str,
    error: BaseException,
    lab: AnyLab,
    findings: Sequence[Finding],
) -> list[tuple[str, str]]:
    """Return titled sections for the report of a failed test, which has its identifier.

    Findings that the error does not report have a section.
    """
    lines = [] if findings_of(error) else lines_of(findings)
    return [
        *([("broken invariants", "\n".join(lines))] if lines else []),
        ("spec", failed_step(root, module, test, error)),
        ("events", "\n".join(_last(lab.timeline()))),
        ("state", "\n".join(lab.state())),
    ]


def failed_step(root: Path, module: Path, test: str, error: BaseException) -> str:
    """Return the step that failed, as `path:line: text`: its line, and the lines indented below.

    If the spec was edited after the test was generated, its text is not shown, for it may not be
    the text that the test was generated from.
    """
    header = read_header(module)
    failing = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(module) and frame.lineno
    ]
    step = step_at(module.read_text(encoding="utf-8"), failing[-1]) if failing else ""
    if header is None:
        return step or test
    if is_stale(root, header):
        return f"{header.spec} has changed since this test was generated: run poolspec gen"
    line = step_lines(root, PurePosixPath(header.spec).parts[0]).get(test, {}).get(step)
    return f"{header.spec}:{line}: {_text(root / header.spec, line)}" if line else (step or test)


def leave_out_library(trace: TracebackType | None) -> None:
    """Remove the frames of context managers and of the event loop from a traceback.

    The traceback then ends at the line of the test, or inside the pool that raised.
    """
    while trace is not None:
        after = trace.tb_next
        if after is not None and after.tb_frame.f_code.co_filename.startswith(LIBRARY):
            trace.tb_next = after.tb_next
        else:
            trace = after


def is_of_the_end(module: Path, error: BaseException) -> bool:
    """Return whether an invariant check failed after the last line of the test."""
    frames = traceback.walk_tb(error.__traceback__)
    in_test = any(frame.f_code.co_filename == str(module) for frame, _ in frames)
    return isinstance(error, AssertionError) and not in_test


def without_traceback(place: str, error: BaseException) -> str:
    """Return the report of a failure that has no line in the test, with the test's own place."""
    said = f"{error}\n" if findings_of(error) else "".join(traceback.format_exception_only(error))
    return f"{said}\n{place}: found by the invariant checks after the last step"


def lead_with(findings: Sequence[Finding], error: BaseException, report: pytest.TestReport) -> None:
    """Let the message of a failure begin with the first finding, where summaries show it."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is None or not findings:
        return
    reported = bool(findings_of(error))
    crash.message = str(error) if reported else f"{findings[0]}; and {crash.message}"


def _last(events: list[str]) -> list[str]:
    left_out = len(events) - LAST
    return events if left_out <= 0 else [f"({left_out} earlier events)", *events[-LAST:]]


def _text(spec: Path, number: int) -> str:
    try:
        first, *rest = spec.read_text(encoding="utf-8").splitlines()[number - 1 :]
    except (OSError, ValueError):
        return "(the spec cannot be read)"
    inside = takewhile(lambda line: _indent(line) > _indent(first), rest)
    return dedent("\n".join([first, *inside]))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
