"""Runs part of a test in a forked child, and reports in the parent.

The child is a copy of the test's process with one thread, the forking one. It ends with `os._exit`:
it neither tears the test run down nor writes its output a second time. It reports through a pipe,
as JSON. The parent kills a child that does not end in time. If the parent is gone, the kernel kills
the child (Linux); elsewhere an alarm ends it. A child that works in rounds notes its progress; the
parent kills it if a round does not end, and shows the stacks of the child's threads.
"""

import ctypes
import faulthandler
import functools
import gc
import json
import mmap
import os
import select
import signal
import time
import traceback
import warnings
from collections.abc import Callable
from itertools import takewhile
from tempfile import TemporaryFile
from typing import NoReturn

__tracebackhide__ = True  # a failure is shown where the test failed

IN_CHILD = "in the forked child: "
"""The beginning of the text of an error of a child."""
LIMIT = 10.0
"""Real seconds that a child may take."""
STUCK = 3.0
"""Real seconds within which a child that notes its progress must begin the next round."""
_LONGEST = 120.0
"""Real seconds after which a child with progress ends, even if its parent is gone."""
_PR_SET_PDEATHSIG = 1
_LOOK_EVERY = 0.2
_ROOM = 4096
_DUMP = signal.SIGUSR2
_SHOWN = 10
"""How many calls of a child's traceback are shown."""


class Progress:
    """The round that a child is in, which its parent can read at any time; for a `with` block."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _ROOM)  # shared with the child
        self._stacks = TemporaryFile("w+")  # noqa: SIM115  # closed by __exit__
        self._rounds = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *exc: object) -> None:
        self._stacks.close()
        self._memory.close()

    def note(self, text: str) -> None:
        """Begin a round."""
        self._rounds += 1
        said = f"{self._rounds} {text}".encode()[: _ROOM - 1]
        self._memory[: len(said) + 1] = said + b"\0"

    def read(self) -> str:
        """Return the number and the text of the round."""
        return self._memory[:].split(b"\0")[0].decode(errors="replace")

    def watch_stacks(self) -> None:
        """In the child: let the parent ask for the stacks, even of threads that are deadlocked."""
        faulthandler.register(_DUMP, self._stacks, all_threads=True)

    def stacks(self, child: int) -> str:
        """Return the stacks of a child's threads."""
        os.kill(child, _DUMP)
        time.sleep(_LOOK_EVERY)
        self._stacks.seek(0)
        return "".join(takewhile(lambda line: __file__ not in line, self._stacks))


def in_child(work: Callable[[], None], progress: Progress | None = None) -> None:
    """Do work in a forked child and wait until the child has ended.

    Raises AssertionError with the message of an error raised there, or if the child does not end
    properly. A child with `progress` may take longer, as long as its rounds end.
    """
    reading, writing = os.pipe()
    child = _fork()
    if child == 0:
        _run_and_exit(work, writing, progress)
    os.close(writing)
    try:
        report = _read(reading) if progress is None else _read_rounds(reading, child, progress)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        raise
    finally:
        os.close(reading)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    _raise_reported(report, status)


def _fork() -> int:
    parent, prctl = os.getpid(), _prctl()
    with warnings.catch_warnings():
        # Python warns about forks next to threads. Whether a pool survives one is the test.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it ended before the kernel was asked
            os._exit(1)
    return child


@functools.cache
def _prctl() -> Callable[..., object]:
    # Loaded before the fork: the child must do as little as possible.
    try:
        return ctypes.CDLL(None).prctl
    except (AttributeError, OSError):  # not Linux
        return lambda *_: None


def _run_and_exit(work: Callable[[], None], writing: int, progress: Progress | None) -> NoReturn:
    try:
        gc.freeze()  # a collection in the child looks at new objects only, and copies no page
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        if progress is None:
            signal.setitimer(signal.ITIMER_REAL, LIMIT + 1)
        else:
            signal.setitimer(signal.ITIMER_REAL, _LONGEST)
            progress.watch_stacks()
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


def _read_rounds(reading: int, child: int, progress: Progress) -> bytes:
    report, seen, deadline = b"", "", time.monotonic() + STUCK
    while True:
        if select.select([reading], [], [], _LOOK_EVERY)[0]:
            chunk = os.read(reading, 65536)
            if not chunk:
                return report
            report += chunk
        now = progress.read()
        if now != seen:
            seen, deadline = now, time.monotonic() + STUCK
        elif time.monotonic() > deadline:
            error = AssertionError(f"deadlock: not done after {STUCK:g} s of real time: {now}")
            error.add_note(progress.stacks(child))
            raise error


def _raise_reported(text: bytes, status: int) -> None:
    if not text:
        raise AssertionError(f"the forked child ended without a report, with status {status}")
    report: dict[str, str] = json.loads(text)
    if report:
        error = AssertionError(f"{IN_CHILD}{report['raised']}")
        error.add_note(report["where"])
        raise error
