"""An alarm for work of the main thread that may never end, where the pool it is done on is broken.

A signal gets through to the main thread wherever it blocks. Work that is broken off may block again
on its way out, or catch what it is thrown; so the alarm goes on ringing until the work has ended,
and at last throws once more from within what caught it. For the main thread of a POSIX process,
which is where pytest and its workers run tests; alarms do not nest. Who is in a debugger has all
the time there is.
"""

import signal
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any, TypeVar

__tracebackhide__ = True  # a failure is shown where the test failed

T = TypeVar("T")

AGAIN = 1.0
"""Seconds between one ring and the next."""
DEBUGGERS = ("bdb", "pydevd")
"""Where the functions are defined by which debuggers trace: that of Python, those of editors."""
PATIENT_RINGS = 3
"""How often the alarm is content with being caught."""


class TooLongError(BaseException):
    """What was done did not end in time. Not an Exception, for those a pool may well catch."""


class Alarm:
    """Breaks off work that does not end within `seconds` of real time.

    `error` makes what it throws, given where the work stands; `first` is called at the first ring,
    and broken off by the second.
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
        """Do the work and return what it returns. Raises the error if it does not end in time."""
        before, tracer = signal.signal(signal.SIGALRM, self._ring), sys.gettrace()
        try:
            try:
                self.postpone()
                return work()
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        finally:  # a ring may have cut the first one short
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
            if self._traced:
                sys.settrace(tracer)
                self._forget_traced()

    def postpone(self) -> None:
        """Begin to count the seconds anew."""
        signal.setitimer(signal.ITIMER_REAL, self._seconds, AGAIN)

    def _ring(self, _signal: int, frame: FrameType | None) -> None:
        if is_debugged():
            self.postpone()
            return
        self._rings += 1
        signal.setitimer(signal.ITIMER_REAL, 0)  # a look at many threads may take longer than that
        try:
            error = self._error(frame)
        finally:
            signal.setitimer(signal.ITIMER_REAL, AGAIN, AGAIN)
        if self._rings == 1:
            self._first()
        if self._rings > PATIENT_RINGS:
            self._insist(frame, error)
        raise error

    def _insist(self, frame: FrameType | None, error: BaseException) -> None:
        """Have the line that follows throw, too, which is outside the `try` that caught so far."""

        def throw(_frame: FrameType, event: str, _arg: object) -> Any:
            if event == "line":
                raise error
            return throw

        while frame is not None and frame.f_code is not Alarm.watch.__code__:
            self._traced.append((frame, frame.f_trace))
            frame.f_trace = throw
            frame = frame.f_back
        sys.settrace(throw)

    def _forget_traced(self) -> None:
        while self._traced:
            frame, trace = self._traced.pop()
            frame.f_trace = trace


def is_debugged() -> bool:
    """Say whether a debugger watches this thread; what measures coverage is none."""
    module = getattr(sys.gettrace(), "__module__", None) or ""
    monitoring = getattr(sys, "monitoring", None)  # from Python 3.12
    watched = monitoring is not None and monitoring.get_tool(monitoring.DEBUGGER_ID)
    return bool(watched) or module.startswith(DEBUGGERS)


def at_most(seconds: float, work: Callable[[], T]) -> T:
    """Do the work and return what it returns. Raises TooLongError, which says where it stood."""
    return Alarm(seconds, partial(too_long, seconds)).watch(work)


def too_long(seconds: float, frame: FrameType | None) -> TooLongError:
    """Return the error of work that stands at `frame` when its time is over."""
    return TooLongError(f"not done after {seconds:g} s{_at(frame)}")


def _at(frame: FrameType | None) -> str:
    if frame is None:
        return ""
    return f", at {frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
