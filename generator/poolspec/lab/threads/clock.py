"""The clock that the lab needs, and the real one.

Actors wait only through their clock. On a virtual clock, which the pool's adapter brings, time
stands still while an actor can run, and jumps to the next deadline when none can. So a timeout of
half an hour is exact and takes no time. The clock must know which threads take part: before a
thread starts, its starter calls `enter`; at its end, the thread calls `leave`. The real clock
ignores both.
"""

import threading
import time
from typing import Protocol

from poolspec.drivers import contract


class Clock(contract.Clock, Protocol):
    """The time of a test, in seconds from an arbitrary zero."""

    def enter(self, n: int = 1) -> None:
        """Announce `n` threads that are about to run."""

    def leave(self, n: int = 1) -> None:
        """Take back `n` announcements."""

    def abort(self, reason: str) -> None:
        """Make every wait, now and later, raise an exception with this reason."""


class ClockAbortedError(Exception):
    """The test was given up during a wait."""


class RealWaiter:
    """One wait of one thread, on an event."""

    def __init__(self, clock: "RealClock") -> None:
        self._clock = clock
        self._gate = threading.Event()

    def wait(self, deadline: float | None) -> bool:
        """Block until woken (True) or until the deadline has passed (False)."""
        with self._clock.waiting(self._gate):
            left = None if deadline is None else max(0.0, deadline - self._clock.now())
            return self._gate.wait(left)

    def wake(self) -> None:
        """End the wait."""
        self._gate.set()


class RealClock:
    """The machine's monotonic clock."""

    is_real = True
    """Time passes without the lab."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._gates: set[threading.Event] = set()

    def now(self) -> float:
        """Return the time in seconds."""
        return time.monotonic()

    def waiter(self) -> RealWaiter:
        """Make a waiter for the calling thread."""
        return RealWaiter(self)

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""
        self.waiter().wait(self.now() + seconds)

    def enter(self, n: int = 1) -> None:
        """Do nothing: real time passes anyway."""

    def leave(self, n: int = 1) -> None:
        """Do nothing: real time passes anyway."""

    def abort(self, reason: str) -> None:
        """Make every wait raise ClockAbortedError, including the current ones."""
        self._reason = reason
        for gate in list(self._gates):
            gate.set()

    def waiting(self, gate: threading.Event) -> "_Waiting":
        """Register a wait while it lasts, so that `abort` can end it."""
        return _Waiting(self, gate)


class _Waiting:
    def __init__(self, clock: RealClock, gate: threading.Event) -> None:
        self._clock, self._gate = clock, gate

    def __enter__(self) -> None:
        self._clock._gates.add(self._gate)
        if self._clock._reason is not None:
            self._gate.set()

    def __exit__(self, kind: object, *exc: object) -> None:
        self._clock._gates.discard(self._gate)
        if self._clock._reason is not None and kind is None:  # an error under way is more specific
            raise ClockAbortedError(self._clock._reason)
