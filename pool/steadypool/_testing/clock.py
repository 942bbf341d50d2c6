"""A virtual clock for threads; `steadypool.testing` explains its use."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from steadypool._common import forks


class ClockStuckError(Exception):
    """All participants wait, and no wait has a deadline."""


class ClockAbortedError(Exception):
    """The test was stopped; see `VirtualClock.abort`."""


class _VirtualWaiter:
    """One wait on a virtual clock. The clock's lock guards its fields."""

    def __init__(self, clock: "VirtualClock") -> None:
        self._clock = clock
        self._gate = threading.Lock()
        self._gate.acquire()
        self.woken = False
        self.deadline: float | None = None
        self.error: Exception | None = None
        self.rests = False
        """Whether its thread, which calls `at_rest`, still counts as a runnable participant."""
        self.thread = ""

    def wait(self, deadline: float | None) -> bool:
        """Block until woken (True) or until the clock shows the deadline (False)."""
        try:
            if not self._clock._block(self, deadline):
                return self.woken
            self._gate.acquire()
        except BaseException:
            self._clock._unblock(self)
            raise
        if self.error is not None:
            raise self.error
        return self.woken

    def wake(self) -> None:
        """End the wait; if it has not begun, it returns at once."""
        self._clock._wake(self)

    def resume(self) -> None:
        """Let the waiting thread continue; called with the clock's lock held."""
        self._gate.release()


class VirtualClock:
    """A clock that jumps when every participant waits. Thread-safe.

    Starts at `start` seconds. `steadypool.testing` explains its use.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._time = start
        self._runnable = 1
        self._blocked: dict[_VirtualWaiter, None] = {}
        self._aborted: str | None = None
        self._changes = 0  # of who can run, other than by waiting
        self.at_rest: Callable[[], object] | None = None
        """Called each time that all participants wait: before time jumps, or a stuck test fails.

        The thread that began the last wait calls it, without the clock's lock. If it wakes a
        waiter, time does not jump. It must not wait on the clock.
        """
        forks.watch(self)

    def now(self) -> float:
        """Return the time in seconds."""
        return self._time

    def waiter(self) -> _VirtualWaiter:
        """Make a waiter for one wait."""
        return _VirtualWaiter(self)

    def sleep(self, seconds: float) -> None:
        """Wait for this many seconds; called from a test's own thread, this lets time pass."""
        self.waiter().wait(self._time + seconds)

    def enter(self, count: int = 1) -> None:
        """Add runnable participants; call this before starting their threads."""
        with self._lock:
            self._runnable += count
            self._changes += 1

    def leave(self, count: int = 1) -> None:
        """Remove runnable participants; time may jump."""
        with self._lock:
            self._runnable -= count
            rests = self._begins_rest()
        if rests:
            self._rest(None)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let time pass while this thread blocks on something other than the clock."""
        self.leave()
        try:
            yield
        finally:
            self.enter()

    def waiting(self) -> int:
        """Return the number of threads waiting on this clock."""
        with self._lock:
            return len(self._blocked)

    def abort(self, reason: str) -> None:
        """Stop the test: all current and future waits raise ClockAbortedError(reason)."""
        with self._lock:
            self._aborted = reason
            self._fail_all(lambda: ClockAbortedError(reason))

    def _after_fork(self) -> None:
        """In a forked child: the forking thread is the only participant."""
        self._lock = threading.Lock()
        self._runnable = 1
        self._blocked = {}

    # --- for the waiters -------------------------------------------------------------------------

    def _block(self, waiter: _VirtualWaiter, deadline: float | None) -> bool:
        """Begin a wait; False if there is no need to wait."""
        with self._lock:
            if self._aborted is not None:
                raise ClockAbortedError(self._aborted)
            if waiter.woken or (deadline is not None and deadline <= self._time):
                return False
            waiter.deadline = deadline
            waiter.thread = threading.current_thread().name
            self._blocked[waiter] = None
            self._runnable -= 1
            waiter.rests = self._begins_rest()
        if waiter.rests:
            self._rest(waiter)
        return True

    def _unblock(self, waiter: _VirtualWaiter) -> None:
        """End a wait that a signal handler interrupted."""
        with self._lock:
            if waiter in self._blocked:
                del self._blocked[waiter]
                self._runnable += 1
                self._changes += 1
            if waiter.rests:
                waiter.rests = False
                self._runnable -= 1

    def _wake(self, waiter: _VirtualWaiter) -> None:
        with self._lock:
            if waiter in self._blocked:
                waiter.woken = True
                self._resume(waiter)
            elif waiter.deadline is None:
                waiter.woken = True  # the wait has not begun

    def _resume(self, waiter: _VirtualWaiter) -> None:
        del self._blocked[waiter]
        self._runnable += 1
        self._changes += 1
        waiter.resume()

    def _begins_rest(self) -> bool:
        """Let time pass if all wait; True if the thread must call `_rest` for that.

        Then it counts as runnable until the end of `_rest`, so no other thread begins a rest.
        """
        if self.at_rest is None or self._runnable > 0 or not self._blocked:
            self._pass_time()
            return False
        self._runnable += 1
        return True

    def _rest(self, waiter: _VirtualWaiter | None) -> None:
        """Call `at_rest`, and again if others ran meanwhile and all wait again; let time pass."""
        while True:
            changes = self._changes
            if self.at_rest is not None:
                self.at_rest()
            with self._lock:
                if self._runnable == 1 and self._changes != changes:
                    continue
                if waiter is not None:
                    waiter.rests = False
                self._runnable -= 1
                self._pass_time()
                return

    def _pass_time(self) -> None:
        if self._runnable > 0 or not self._blocked:
            return
        deadlines = [waiter.deadline for waiter in self._blocked if waiter.deadline is not None]
        if not deadlines:
            names = ", ".join(waiter.thread for waiter in self._blocked)
            self._fail_all(
                lambda: ClockStuckError(
                    f"all participants wait without a deadline (a lost wake-up?): {names}"
                )
            )
            return
        self._time = min(deadlines)
        for waiter in [w for w in self._blocked if w.deadline == self._time]:
            self._resume(waiter)

    def _fail_all(self, error: Callable[[], Exception]) -> None:
        for waiter in list(self._blocked):
            waiter.error = error()
            self._resume(waiter)
