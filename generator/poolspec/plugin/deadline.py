"""Give up on a test that hangs, and show where every thread was.

The alarm interrupts the main thread wherever it blocks; the other actors are freed through the
test's clock. Works in the main thread of a POSIX process, which is where pytest and its workers
run tests. Who is in a debugger has all the time there is.
"""

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from poolspec.runtime.frames import current_frames

TEST_CALL = "pytest_pyfunc_call"
"""The function of pytest that calls a test."""
DEBUGGERS = ("bdb", "pydevd")
"""Where the functions are defined by which debuggers trace: that of Python, those of editors."""


@contextmanager
def deadline(seconds: float, give_up: Callable[[str, str], None]) -> Iterator[None]:
    """Call `give_up`, with why and the stacks of all threads, unless the block ends in time."""

    def ring(_signal: int, _frame: FrameType | None) -> None:
        if is_debugged():
            signal.setitimer(signal.ITIMER_REAL, seconds)
            return
        give_up(f"not done after {seconds:g} s of real time", stacks())

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def is_debugged() -> bool:
    """Say whether a debugger watches this thread; what measures coverage is none."""
    module = getattr(sys.gettrace(), "__module__", None) or ""
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12
    watched = monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID)
    return bool(watched) or module.startswith(DEBUGGERS)


def stacks() -> str:
    """Return the stack of every Python thread, under its name."""
    frames = current_frames()
    shown = [(thread.name, frames[thread.ident or 0]) for thread in threading.enumerate()]
    return "\n".join(f"thread {name}:\n{_stack(frame)}" for name, frame in shown)


def _stack(frame: FrameType) -> str:
    # What lies outside the test and inside the alarm is of no interest.
    calls = [call for call in traceback.extract_stack(frame) if call.filename != __file__]
    outside = [n for n, call in enumerate(calls) if call.name == TEST_CALL]
    return "".join(traceback.format_list(calls[outside[-1] + 1 :] if outside else calls))
