"""An alarm that interrupts work of the main thread which may never end, as in a broken pool.

A signal reaches the main thread wherever it blocks. Interrupted work may block again on its way
out, or catch the exception. So the alarm keeps ringing until the work has ended, and finally makes
the code that caught the exception raise it again. It works in the main thread of a POSIX process,
where pytest and its workers run tests. Alarms do not nest. In a debugger there is no time limit.
"""

import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, TypeVar

__tracebackhide__ = True  # a failure is shown where the test failed

T = TypeVar("T")

AGAIN = 1.0
"""Seconds between two rings."""
DEBUGGERS = ("bdb", "pydevd")
"""Modules that define the trace functions of debuggers: Python's, and those of editors."""
CAUGHT_RINGS = 3
"""How many rings the work may catch before the alarm insists."""


class TooLongError(BaseException):
    """The work did not end in time. Not an Exception, because a pool may catch those."""


class Alarm:
    """Interrupts work that does not end within `seconds` of real time.

    `error` makes the exception to raise, given the frame where the work is. `first` is called at
    the first ring, and the second ring interrupts it.
    """

    def __init__(
        self,
        seconds: float,
        error: Callable[[FrameType | None], BaseException],
        first: Callable[[], None] = lambda: None,
    ) -> None:
        self._seconds = seconds
        self._error = error
        self._first = first
        self._rings = 0
        self._traced: list[tuple[FrameType, Any]] = []

    def watch(self, work: Callable[[], T]) -> T:
        """Do the work and return its result. Raises the error if it does not end in time."""
        before, tracer = signal.signal(signal.SIGALRM, self._ring), sys.gettrace()
        try:
            try:
                self.postpone()
                return work()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # a ring may have interrupted the first one
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            if self._traced:
                sys.settrace(tracer)
                self._restore_traced()

    def postpone(self) -> None:
        """Start the countdown again."""
        signal.setitimer(signal.ITIMER_REAL, self._seconds, AGAIN)

    def _ring(self, _signal: int, frame: FrameType | None) -> None:
        if is_debugged():
            self.postpone()
            return
        self._rings += 1
        signal.setitimer(signal.ITIMER_REAL, 0)  # describing many threads may outlast a ring
        try:
            error = self._error(frame)
        finally:
            signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        if self._rings == 1:
            self._first()
        if self._rings > CAUGHT_RINGS:
            self._insist(frame, error)
        raise error

    def _insist(self, frame: FrameType | None, error: BaseException) -> None:
        """Make the next line raise too: it is outside the `try` that has caught the rings."""

        def throw(_frame: FrameType, event: str, _arg: object) -> Any:
            if event == "line":
                raise error
            return throw

        while frame is not None and frame.f_code is not Alarm.watch.__code__:
            self._traced.append((frame, frame.f_trace))
            frame.f_trace = throw
            frame = frame.f_back
        sys.settrace(throw)

    def _restore_traced(self) -> None:
        while self._traced:
            frame, trace = self._traced.pop()
            frame.f_trace = trace


def ring() -> None:
    """Ring now, if the main thread is watched. Any thread may call it.

    The main thread cannot end its watch between the two steps: this thread has the GIL.
    """
    main = threading.main_thread().ident
    if main is not None and callable(signal.getsignal(signal.SIGALRM)):
        signal.pthread_kill(main, signal.SIGALRM)


def is_debugged() -> bool:
    """Return whether a debugger traces this thread; a coverage tracer does not count."""
    module = getattr(sys.gettrace(), "__module__", None) or ""
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12
    watched = monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID)
    return bool(watched) or module.startswith(DEBUGGERS)


def at_most(seconds: float, work: Callable[[], T]) -> T:
    """Do the work and return its result. Raises TooLongError, which names where the work was."""
    return Alarm(seconds, partial(too_long, seconds)).watch(work)


def too_long(seconds: float, frame: FrameType | None) -> TooLongError:
    """Return the error for work that is at `frame` when its time is over."""
    return TooLongError(f"not done after {seconds:g} s{_at(frame)}")


def _at(frame: FrameType | None) -> str:
    if frame is None:
        return ""
    return f", at {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
