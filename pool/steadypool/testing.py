"""For tests of code that uses a pool: time that jumps, and connections that follow a script.

    clock = VirtualClock()
    connect = ScriptedConnector()
    pool = ConnectionPool(size=1, max_overflow=0, connect=connect, clock=clock)
    pool.acquire()
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=30)     # at once, and exactly 30 s later on this clock

**How time passes.** A `VirtualClock` counts *runnable participants*; the thread that makes the
clock is the first. A thread that waits on the clock is not runnable. When nobody is runnable, time
jumps to the earliest deadline anybody waits for, and all waits with that deadline end, in the order
in which they began. Waking a waiter makes its thread runnable before the waker goes on, so time
cannot jump past a hand-over. Whatever a participant does without the clock (computing, talking to
a real server) takes no time.

**Threads.** Who starts a thread calls `enter()` before `thread.start()`; the thread calls `leave()`
at its end. Who blocks on something else than the clock, such as `thread.join()`, does so in
`with clock.away():`.

If nobody is runnable and nobody has a deadline, nothing can ever happen again: every wait raises
ClockStuckError. In a pool's test this means that a wake-up was lost.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from steadypool.clock import SystemClock
from steadypool.protocols import Clock


class ClockStuckError(Exception):
    """Everybody waits, and nobody has a deadline."""


class ClockAbortedError(Exception):
    """The test was given up; see `VirtualClock.abort`."""


class _VirtualWaiter:
    """One wait on a virtual clock. Its fields are guarded by the clock's lock."""

    def __init__(self, clock: "VirtualClock") -> None:
        self._clock = clock
        self._gate = threading.Lock()
        self._gate.acquire()
        self.woken = False
        self.deadline: float | None = None
        self.error: Exception | None = None
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
        """End the wait, or the one to come."""
        self._clock._wake(self)

    def resume(self) -> None:
        """Let the waiting thread go on; called with the clock's lock held."""
        self._gate.release()


class VirtualClock:
    """A clock that jumps when everybody waits; see the module's head. Thread-safe.

    Starts at `start` seconds.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._time = start
        self._runnable = 1
        self._blocked: dict[_VirtualWaiter, None] = {}
        self._aborted: str | None = None

    def now(self) -> float:
        """Return the time in seconds."""
        return self._time

    def waiter(self) -> _VirtualWaiter:
        """Make a waiter for one wait."""
        return _VirtualWaiter(self)

    def sleep(self, seconds: float) -> None:
        """Wait until so many seconds have passed; from a test's own thread: let time pass."""
        self.waiter().wait(self._time + seconds)

    def enter(self, count: int = 1) -> None:
        """Add runnable participants, before the threads that they stand for are started."""
        with self._lock:
            self._runnable += count

    def leave(self, count: int = 1) -> None:
        """Take runnable participants away; time may jump."""
        with self._lock:
            self._runnable -= count
            self._pass_time()

    @contextmanager
    def away(self) -> Iterator[None]:
        """While this thread blocks on something else than the clock, let time pass without it."""
        self.leave()
        try:
            yield
        finally:
            self.enter()

    def waiting(self) -> int:
        """Return how many threads wait on this clock now."""
        with self._lock:
            return len(self._blocked)

    def abort(self, reason: str) -> None:
        """Give up: every wait, present and to come, raises ClockAbortedError(reason)."""
        with self._lock:
            self._aborted = reason
            self._fail_all(lambda: ClockAbortedError(reason))

    # --- for the waiters -------------------------------------------------------------------------

    def _block(self, waiter: _VirtualWaiter, deadline: float | None) -> bool:
        """Begin a wait; False if it is over before it began."""
        with self._lock:
            if self._aborted is not None:
                raise ClockAbortedError(self._aborted)
            if waiter.woken or (deadline is not None and deadline <= self._time):
                return False
            waiter.deadline = deadline
            waiter.thread = threading.current_thread().name
            self._blocked[waiter] = None
            self._runnable -= 1
            self._pass_time()
            return True

    def _unblock(self, waiter: _VirtualWaiter) -> None:
        """End a wait that a signal handler broke off."""
        with self._lock:
            if waiter in self._blocked:
                del self._blocked[waiter]
                self._runnable += 1

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
        waiter.resume()

    def _pass_time(self) -> None:
        if self._runnable > 0 or not self._blocked:
            return
        deadlines = [waiter.deadline for waiter in self._blocked if waiter.deadline is not None]
        if not deadlines:
            names = ", ".join(waiter.thread for waiter in self._blocked)
            self._fail_all(
                lambda: ClockStuckError(
                    f"everybody waits and nobody has a deadline (a lost wake-up?): {names}"
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


class Gate:
    """A place where a scripted connect stops until the test opens it. Thread-safe, used once."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._waiter = (clock or SystemClock()).waiter()
        self._opened = False
        self.arrived = threading.Event()
        """Set as soon as a connect stands at the gate; wait for it with a timeout."""

    def open(self) -> None:
        """Let the connect go on."""
        if not self._opened:
            self._opened = True
            self._waiter.wake()

    def pass_through(self) -> None:
        """Stand at the gate until it is open."""
        self.arrived.set()
        self._waiter.wait(None)


class ScriptedConnection:
    """A connection that leads nowhere, and writes down what is done to it.

    `fileno()` is a real descriptor, which `die()` makes readable as a server's good-bye does.
    """

    def __init__(self, number: int) -> None:
        self.closed = True  # until it has its descriptors
        self.number = number
        self.in_transaction = False
        """Set it to make the connection come back dirty."""
        self.rollbacks = 0
        self.rollback_error: BaseException | None = None
        """What the next rollback raises."""
        self.commits = self.pings = self.resets = 0
        self._read_end, self._write_end = os.pipe()
        self.closed = False

    def __repr__(self) -> str:
        return f"<ScriptedConnection {self.number}{' closed' if self.closed else ''}>"

    def fileno(self) -> int:
        """Return the descriptor that the server would speak on."""
        return -1 if self.closed else self._read_end

    def rollback(self) -> None:
        """End the transaction, or fail as told."""
        self.rollbacks += 1
        error, self.rollback_error = self.rollback_error, None
        if error is not None:
            raise error
        self.in_transaction = False

    def commit(self) -> None:
        """End the transaction."""
        self.commits += 1
        self.in_transaction = False

    def ping(self) -> None:
        """Make a round trip; raises OSError if the server is gone."""
        self.pings += 1
        if self.closed or self._write_end < 0:
            raise OSError("the server is gone")

    def reset_session(self) -> None:
        """Forget all session state, and roll back."""
        self.resets += 1
        self.in_transaction = False

    def die(self) -> None:
        """Lose the server, as a dropped connection does, without knowing it yet."""
        if self._write_end >= 0:
            os.close(self._write_end)
            self._write_end = -1

    def close(self) -> None:
        """Close; the second time it is an error, as with PyMySQL."""
        if self.closed:
            raise ValueError(f"{self!r} is closed already")
        self.closed = True
        self.die()
        os.close(self._read_end)

    def __del__(self) -> None:
        if not getattr(self, "closed", True):
            self.close()


Act = float | BaseException | Gate | None
"""What a connect does: take so many seconds, raise, stop at a gate, or succeed at once."""


class ScriptedConnector:
    """A `connect=` callable that follows a script, one act for each call; then it succeeds.

    Thread-safe. `opened` holds every connection made, in order.
    """

    def __init__(self, *script: Act, clock: Clock | None = None) -> None:
        self._lock = threading.Lock()
        self._script = list(script)
        self._clock = clock or SystemClock()
        self.attempts = 0
        self.opened: list[ScriptedConnection] = []

    def then(self, *script: Act) -> None:
        """Add acts to the script."""
        with self._lock:
            self._script.extend(script)

    @property
    def open_now(self) -> int:
        """How many of its connections are open."""
        with self._lock:
            return sum(not connection.closed for connection in self.opened)

    def __call__(self) -> ScriptedConnection:
        """Play the next act, and open a connection."""
        with self._lock:
            self.attempts += 1
            act = self._script.pop(0) if self._script else None
        if isinstance(act, BaseException):
            raise act
        if isinstance(act, Gate):
            act.pass_through()
        elif act is not None:
            self._clock.sleep(act)
        with self._lock:
            connection = ScriptedConnection(len(self.opened) + 1)
            self.opened.append(connection)
        return connection
