"""The real clock for asyncio; `steadypool.protocols` defines the interface of a clock.

It shows the time of the running event loop. A waiter creates its future when the wait begins. A
wake-up before that makes the wait return at once.
"""

import asyncio


class SystemAsyncWaiter:
    """A waiter for one task and one wait."""

    __slots__ = ("_future", "_woken")

    def __init__(self) -> None:
        self._future: asyncio.Future[None] | None = None
        self._woken = False

    async def wait(self, deadline: float | None) -> bool:
        """Suspend until woken (True), or until the loop's time reaches the deadline (False)."""
        if self._woken:
            return True
        loop = asyncio.get_running_loop()
        self._future = loop.create_future()
        timer = None if deadline is None else loop.call_at(deadline, self._resolve)
        try:
            await self._future
        finally:
            if timer is not None:
                timer.cancel()
        return self._woken

    def wake(self) -> None:
        """End the wait; if it has not begun, it returns at once."""
        self._woken = True
        self._resolve()

    def _resolve(self) -> None:
        if self._future is not None and not self._future.done():
            self._future.set_result(None)


class SystemAsyncClock:
    """The time of the running event loop."""

    def now(self) -> float:
        """Return the loop's time in seconds."""
        return asyncio.get_running_loop().time()

    def waiter(self) -> SystemAsyncWaiter:
        """Make a waiter for one wait."""
        return SystemAsyncWaiter()

    async def sleep(self, seconds: float) -> None:
        """Suspend for this many seconds."""
        await asyncio.sleep(seconds)

    def enter(self) -> None:
        """Do nothing: real time passes without counting participants."""

    def leave(self) -> None:
        """Do nothing: real time passes without counting participants."""
