"""What the lab needs of a clock, and the real one.

Actors wait only through their clock. On a virtual clock (a pool's adapter brings it) time stands
still while anybody can run and jumps to the next deadline when nobody can, so a timeout of half an
hour is exact and instant. For that the clock must know who takes part: whoever starts a thread
calls `enter` first, and the thread calls `leave` at its end. On the real clock all this means
nothing.
"""

import threading
import time
from typing import Protocol


class Waiter(Protocol):
    """One wait of one thread."""

    def wait(self, deadline: float | None) -> bool:
        """Block until woken (True) or until the clock reaches `deadline` (False)."""

    def wake(self) -> None:
        """End the wait, or keep it from blocking if it is still to come. Any thread may call it."""


class Clock(Protocol):
    """Time as the tests see it, in seconds; its zero means nothing."""

    def now(self) -> float:
        """Return the time."""

    def waiter(self) -> Waiter:
        """Make a waiter for the calling thread."""

    def sleep(self, seconds: float) -> None:
        """Let that time pass."""

    def enter(self, n: int = 1) -> None:
        """Announce `n` threads that are about to run."""

    def leave(self, n: int = 1) -> None:
        """Take back `n` announcements."""

    def abort(self, reason: str) -> None:
        """Give up: every wait, now and later, raises an exception that says why."""


class ClockAbortedError(Exception):
    """The test was given up while somebody waited."""


class RealWaiter:
    """A lock that is held until somebody wakes it."""

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
    """Time passes as it does in the world."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._gates: set[threading.Event] = set()

    def now(self) -> float:
        """Return seconds since some fixed moment."""
        return time.monotonic()

    def waiter(self) -> RealWaiter:
        """Make a waiter for the calling thread."""
        return RealWaiter(self)

    def sleep(self, seconds: float) -> None:
        """Let that time pass."""
        self.waiter().wait(self.now() + seconds)

    def enter(self, n: int = 1) -> None:
        """Do nothing: real time passes whoever takes part."""

    def leave(self, n: int = 1) -> None:
        """Do nothing: real time passes whoever takes part."""

    def abort(self, reason: str) -> None:
        """Make every wait raise ClockAbortedError, those under way included."""
        self._reason = reason
        for gate in list(self._gates):
            gate.set()

    def waiting(self, gate: threading.Event) -> "_Waiting":
        """Register a wait for as long as it lasts, so that `abort` can end it."""
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
        if self._clock._reason is not None and kind is None:  # what is raised already says more
            raise ClockAbortedError(self._clock._reason)
