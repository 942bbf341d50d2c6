"""Runs part of a test in a forked child, and reports in the parent.

The child is a copy of the test's process with one thread, the forking one. It ends with `os._exit`:
it neither tears the test run down nor writes its output a second time. It reports through a pipe,
as JSON. The parent kills a child that does not end in time; if the parent is gone, an alarm ends
the child.
"""

import json
import os
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from typing import NoReturn

__tracebackhide__ = True  # a failure is shown where the test failed

LIMIT = 10.0
"""Real seconds that a child may take."""
_SHOWN = 10
"""How many calls of a child's traceback are shown."""


def in_child(work: Callable[[], None]) -> None:
    """Do work in a forked child and wait until the child has ended.

    Raises AssertionError with the message of an error raised there, or if the child does not end
    properly.
    """
    reading, writing = os.pipe()
    child = _fork()
    if child == 0:
        _run_and_exit(work, writing)
    os.close(writing)
    try:
        report = _read(reading)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(reading)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    _raise_reported(report, status)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python warns about forks next to threads. Whether a pool survives one is the test.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _run_and_exit(work: Callable[[], None], writing: int) -> NoReturn:
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, LIMIT + 1)
        report = _report(work)
        os.write(writing, json.dumps(report).encode())
    finally:
        os._exit(0)


def _report(work: Callable[[], None]) -> dict[str, str]:
    try:
        work()
    except BaseException as error:
        text = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        return {"raised": text, "where": _where(error)}
    return {}


def _where(error: BaseException) -> str:
    return "".join(traceback.format_tb(error.__traceback__)[-_SHOWN:])


def _read(reading: int) -> bytes:
    report, deadline = b"", time.monotonic() + LIMIT
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise AssertionError(f"the forked child was not done after {LIMIT:g} s of real time")
        chunk = os.read(reading, 65536)
        if not chunk:
            return report
        report += chunk


def _raise_reported(text: bytes, status: int) -> None:
    if not text:
        raise AssertionError(f"the forked child ended without a report, with status {status}")
    report: dict[str, str] = json.loads(text)
    if report:
        error = AssertionError(f"in the forked child: {report['raised']}")
        error.add_note(report["where"])
        raise error
