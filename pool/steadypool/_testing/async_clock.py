"""A virtual clock for tasks; `steadypool.testing_aio` explains its use."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from steadypool._testing.clock import ClockAbortedError, ClockStuckError

T = TypeVar("T")

_TURNS = 4
"""Turns of the event loop until the end of a task has resumed every task that awaits it."""


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
        try:
            if not self._clock._block(self, deadline):
                return self.woken
            assert self.gate is not None
            if self.gate.done():  # this wait let time jump: earlier waits end first
                await asyncio.sleep(0)
            await self.gate
        finally:
            self._clock._unblock(self)
        return self.woken

    def wake(self) -> None:
        """End the wait; if it has not begun, it returns at once."""
        self.woken = True
        self._clock._resume(self)


class AsyncVirtualClock:
    """A clock that jumps when every participant waits; for one event loop.

    Starts at `start` seconds. `steadypool.testing_aio` explains its use.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._time = start
        self._runnable = 1
        self._blocked: dict[_VirtualAsyncWaiter, asyncio.Future[None]] = {}
        self._aborted: str | None = None
        self.at_rest: Callable[[], object] | None = None
        """Called each time that all participants wait: before time jumps, or a stuck test fails.

        The event loop's thread calls it. If it wakes or cancels a waiter, time does not jump.
        """

    def now(self) -> float:
        """Return the time in seconds."""
        return self._time

    def waiter(self) -> _VirtualAsyncWaiter:
        """Make a waiter for one wait."""
        return _VirtualAsyncWaiter(self)

    async def sleep(self, seconds: float) -> None:
        """Wait for this many seconds; called from a test's own task, this lets time pass."""
        await self.waiter().wait(self._time + seconds)

    def spawn(self, work: Coroutine[Any, Any, T], name: str | None = None) -> asyncio.Task[T]:
        """Start a task that is a participant until it ends."""
        self.enter()
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(lambda _: self._leave_after(_TURNS))
        return task

    def enter(self, count: int = 1) -> None:
        """Add runnable participants; call this before starting their tasks."""
        self._runnable += count

    def leave(self, count: int = 1) -> None:
        """Remove runnable participants; time may jump."""
        self._runnable -= count
        self._pass_time()

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let time pass while this task awaits something other than the clock."""
        self.leave()
        try:
            yield
        finally:
            self.enter()

    def waiting(self) -> int:
        """Return the number of tasks waiting on this clock."""
        return sum(not gate.done() for gate in self._blocked.values())

    def abort(self, reason: str) -> None:
        """Stop the test: all current and future waits raise ClockAbortedError(reason)."""
        self._aborted = reason
        self._fail_all(lambda: ClockAbortedError(reason))

    # --- for the waiters -------------------------------------------------------------------------

    def _block(self, waiter: _VirtualAsyncWaiter, deadline: float | None) -> bool:
        """Begin a wait; False if there is no need to wait."""
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
        """End a wait that was not resumed, but cancelled, or failed at rest."""
        if self._blocked.pop(waiter, None) is not None:
            self._runnable += 1

    def _resume(self, waiter: _VirtualAsyncWaiter, error: Exception | None = None) -> None:
        gate = self._blocked.get(waiter)
        if gate is None or gate.done():  # a cancelled wait has already ended
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
        if not self._all_wait():
            return
        if self.at_rest is not None:
            self._runnable += 1  # nothing that `at_rest` does makes time pass
            try:
                self.at_rest()
            finally:
                self._runnable -= 1
            if not self._all_wait():
                return
        deadlines = [waiter.deadline for waiter in self._blocked if waiter.deadline is not None]
        if not deadlines:
            names = ", ".join(waiter.task for waiter in self._blocked)
            self._fail_all(
                lambda: ClockStuckError(
                    f"all participants wait without a deadline (a lost wake-up?): {names}"
                )
            )
            return
        self._time = min(deadlines)
        for waiter in [w for w in self._blocked if w.deadline == self._time]:
            self._resume(waiter)

    def _all_wait(self) -> bool:
        # The future of a cancelled wait is done at once, but its task has not run yet.
        some_wait = self._runnable <= 0 and bool(self._blocked)
        return some_wait and not any(gate.done() for gate in self._blocked.values())

    def _fail_all(self, error: Callable[[], Exception]) -> None:
        for waiter in list(self._blocked):
            self._resume(waiter, error())
