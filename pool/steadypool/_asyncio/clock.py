"""The real clock for asyncio; what a pool asks of any clock is in `steadypool.protocols`.

It shows the time of the running event loop. A waiter is one future, made when its wait begins: who
was woken before then does not wait at all.
"""

import asyncio


class SystemAsyncWaiter:
    """One task's place to wait at, used once."""

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
        timer = None if deadline is None else loop.call_at(deadline, self._let_go)
        try:
            await self._future
        finally:
            if timer is not None:
                timer.cancel()
        return self._woken

    def wake(self) -> None:
        """End the wait, or the one to come."""
        self._woken = True
        self._let_go()

    def _let_go(self) -> None:
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
        """Suspend for so many seconds."""
        await asyncio.sleep(seconds)

    def enter(self) -> None:
        """Do nothing: real time passes whoever takes part."""

    def leave(self) -> None:
        """Do nothing: real time passes whoever takes part."""
