"""For tests of asyncio code that uses a pool: time that jumps, connections that follow a script.

    clock = AsyncVirtualClock()
    connect = AsyncScriptedConnector(clock=clock)
    pool = await AsyncConnectionPool.open(size=1, max_overflow=0, connect=connect, clock=clock)
    await pool.acquire()
    with pytest.raises(PoolTimeoutError):
        await pool.acquire(timeout=30)     # at once, and exactly 30 s later on this clock

**How time passes.** An `AsyncVirtualClock` counts *runnable participants*; the task that makes the
clock is the first. Who waits on the clock is not runnable. When nobody is runnable, time jumps to
the earliest deadline anybody waits for, and all waits with that deadline end, in the order in which
they began. Who is woken or cancelled is runnable from that moment, before his task has had its
turn, so time cannot jump past a hand-over or a cancellation. Whatever a participant awaits besides
the clock, such as a socket, counts as running and takes no time.

**Tasks.** `clock.spawn(work)` starts a task that takes part. Who starts tasks by other means calls
`enter()` before, and `leave()` at the task's end. Who waits for tasks does so in
`with clock.away():`; the end of a spawned task counts only after a few turns of the event loop, so
that whoever awaits it, also through `gather` or a task group, is back before time can jump.

If nobody is runnable and nobody has a deadline, every wait raises ClockStuckError: a wake-up was
lost. All of this belongs to one event loop.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from steadypool.aio_clock import SystemAsyncClock
from steadypool.protocols import AsyncClock
from steadypool.scripted import Call
from steadypool.testing import ClockAbortedError, ClockStuckError, ScriptedConnection

T = TypeVar("T")

_TURNS = 4
"""Of the loop, until the end of a task has reached whoever awaits it, by whatever means."""


class _VirtualAsyncWaiter:
    """One wait on a virtual clock."""

    def __init__(self, clock: "AsyncVirtualClock") -> None:
        self._clock = clock
        self.woken = False
        self.deadline: float | None = None
        self.gate: asyncio.Future[None] | None = None
        self.task = ""

    async def wait(self, deadline: float | None) -> bool:
        """Suspend until woken (True) or until the clock shows the deadline (False)."""
        if not self._clock._block(self, deadline):
            return self.woken
        assert self.gate is not None
        try:
            if self.gate.done():  # this wait let time jump: those who began theirs before go first
                await asyncio.sleep(0)
            await self.gate
        finally:
            self._clock._unblock(self)
        return self.woken

    def wake(self) -> None:
        """End the wait, or the one to come."""
        self.woken = True
        self._clock._resume(self)


class AsyncVirtualClock:
    """A clock that jumps when everybody waits; see the module's head. For one event loop.

    Starts at `start` seconds.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._time = start
        self._runnable = 1
        self._blocked: dict[_VirtualAsyncWaiter, asyncio.Future[None]] = {}
        self._aborted: str | None = None

    def now(self) -> float:
        """Return the time in seconds."""
        return self._time

    def waiter(self) -> _VirtualAsyncWaiter:
        """Make a waiter for one wait."""
        return _VirtualAsyncWaiter(self)

    async def sleep(self, seconds: float) -> None:
        """Wait until so many seconds have passed; from a test's own task: let time pass."""
        await self.waiter().wait(self._time + seconds)

    def spawn(self, work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
        """Start a task that takes part until it ends."""
        task = asyncio.create_task(work, name=name)
        self.enter()
        task.add_done_callback(lambda _: self._leave_after(_TURNS))
        return task

    def enter(self, count: int = 1) -> None:
        """Add runnable participants, before the tasks that they stand for are started."""
        self._runnable += count

    def leave(self, count: int = 1) -> None:
        """Take runnable participants away; time may jump."""
        self._runnable -= count
        self._pass_time()

    @contextmanager
    def away(self) -> Iterator[None]:
        """While this task awaits something else than the clock, let time pass without it."""
        self.leave()
        try:
            yield
        finally:
            self.enter()

    def waiting(self) -> int:
        """Return how many tasks wait on this clock now."""
        return sum(not gate.done() for gate in self._blocked.values())

    def abort(self, reason: str) -> None:
        """Give up: every wait, present and to come, raises ClockAbortedError(reason)."""
        self._aborted = reason
        self._fail_all(lambda: ClockAbortedError(reason))

    # --- for the waiters -------------------------------------------------------------------------

    def _block(self, waiter: _VirtualAsyncWaiter, deadline: float | None) -> bool:
        """Begin a wait; False if it is over before it began."""
        if self._aborted is not None:
            raise ClockAbortedError(self._aborted)
        if waiter.woken or (deadline is not None and deadline <= self._time):
            return False
        task = asyncio.current_task()
        waiter.task = "" if task is None else task.get_name()
        waiter.deadline = deadline
        waiter.gate = asyncio.get_running_loop().create_future()
        self._blocked[waiter] = waiter.gate
        self._runnable -= 1
        self._pass_time()
        return True

    def _unblock(self, waiter: _VirtualAsyncWaiter) -> None:
        """End a wait that was cancelled: nobody resumed it."""
        if self._blocked.pop(waiter, None) is not None:
            self._runnable += 1

    def _resume(self, waiter: _VirtualAsyncWaiter, error: Exception | None = None) -> None:
        gate = self._blocked.get(waiter)
        if gate is None or gate.done():  # a cancelled wait ends by itself
            return
        self._unblock(waiter)
        if error is None:
            gate.set_result(None)
        else:
            gate.set_exception(error)

    def _leave_after(self, turns: int) -> None:
        if turns == 0:
            self.leave()
        else:
            asyncio.get_running_loop().call_soon(self._leave_after, turns - 1)

    def _pass_time(self) -> None:
        if self._runnable > 0 or not self._blocked or self._is_somebody_cancelled():
            return
        deadlines = [waiter.deadline for waiter in self._blocked if waiter.deadline is not None]
        if not deadlines:
            names = ", ".join(waiter.task for waiter in self._blocked)
            self._fail_all(
                lambda: ClockStuckError(
                    f"everybody waits and nobody has a deadline (a lost wake-up?): {names}"
                )
            )
            return
        self._time = min(deadlines)
        for waiter in [w for w in self._blocked if w.deadline == self._time]:
            self._resume(waiter)

    def _is_somebody_cancelled(self) -> bool:
        # His future is done at once, his task runs a moment later.
        return any(gate.done() for gate in self._blocked.values())

    def _fail_all(self, error: Callable[[], Exception]) -> None:
        for waiter in list(self._blocked):
            self._resume(waiter, error())


class AsyncGate:
    """A place where a scripted connect stops until the test opens it; used once."""

    def __init__(self, clock: AsyncClock | None = None) -> None:
        self._waiter = (clock or SystemAsyncClock()).waiter()
        self.arrived = asyncio.Event()
        """Set as soon as a connect stands at the gate."""

    def open(self) -> None:
        """Let the connect go on."""
        self._waiter.wake()

    async def pass_through(self) -> None:
        """Stand at the gate until it is open."""
        self.arrived.set()
        await self._waiter.wait(None)


AsyncAct = float | BaseException | AsyncGate | None | tuple["AsyncAct", ...]
"""What a call does: take so many seconds, raise, stop at a gate, succeed at once; or several."""


class AsyncScriptedConnection(ScriptedConnection):
    """As `ScriptedConnection`, with methods to await.

    What a call does before it succeeds, `on_rollback` for one, is an `AsyncAct`.
    """

    def __init__(self, number: int, clock: AsyncClock) -> None:
        super().__init__(number)
        self._async_clock = clock

    async def execute(self) -> None:  # type: ignore[override]  # the same, awaited
        """Run a statement, which begins a transaction; raises OSError if the server is gone."""
        await self._await(Call.EXECUTE)
        self.reach_server()
        self.in_transaction = True

    async def rollback(self) -> None:  # type: ignore[override]  # the same, awaited
        """End the transaction, or fail as told."""
        self.rollbacks += 1
        await self._await(Call.ROLLBACK)
        self.reach_server()
        self.in_transaction = False

    async def commit(self) -> None:  # type: ignore[override]  # the same, awaited
        """Commit the transaction, or fail as told."""
        self.commits += 1
        await self._await(Call.COMMIT)
        self.reach_server()
        self.in_transaction = False

    async def reset_session(self) -> None:  # type: ignore[override]  # the same, awaited
        """Forget all session state, and roll back."""
        self.resets += 1
        await self._await(Call.RESET)
        self.reach_server()
        self.in_transaction = False

    async def close(self) -> None:  # type: ignore[override]  # the same, awaited
        """Close; as often as you like. If it fails, it has closed; if cancelled, it has not."""
        try:
            await self._await(Call.CLOSE)
        except Exception:
            self.shut()
            raise
        self.shut()

    def abort(self) -> None:
        """Close at once, without a word; as often as you like."""
        self.shut()

    async def _await(self, call: Call) -> None:
        await perform(self.next_act(call), self._async_clock)


class AsyncScriptedConnector:
    """A `connect=` callable that follows a script, one act for each call; then it succeeds.

    `opened` holds every connection made, in order.
    """

    def __init__(self, *script: AsyncAct, clock: AsyncClock | None = None) -> None:
        self._script = list(script)
        self._clock: AsyncClock = clock or SystemAsyncClock()
        self.attempts = 0
        self.opened: list[AsyncScriptedConnection] = []

    def then(self, *script: AsyncAct) -> None:
        """Add acts to the script."""
        self._script.extend(script)

    @property
    def open_now(self) -> int:
        """How many of its connections are open."""
        return sum(not connection.closed for connection in self.opened)

    async def __call__(self) -> AsyncScriptedConnection:
        """Play the next act, and open a connection."""
        self.attempts += 1
        await perform(self._script.pop(0) if self._script else None, self._clock)
        connection = self.make(len(self.opened) + 1)
        self.opened.append(connection)
        return connection

    def make(self, number: int) -> AsyncScriptedConnection:
        """Make a connection; a subclass may make another kind."""
        return AsyncScriptedConnection(number, self._clock)


async def perform(act: AsyncAct, clock: AsyncClock) -> None:
    """Do what an act says, in the time of a clock."""
    if isinstance(act, BaseException):
        raise act
    if isinstance(act, AsyncGate):
        await act.pass_through()
    elif isinstance(act, tuple):
        for part in act:
            await perform(part, clock)
    elif act is not None:
        await clock.sleep(act)
