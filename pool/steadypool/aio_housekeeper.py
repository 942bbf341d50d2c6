"""One task that looks after any number of asyncio pools; for programs that want it.

    async with AsyncHousekeeper(interval=10) as keeper:
        keeper.watch(pool)
        ...

The rules are those of `Housekeeper`, on one event loop.
"""

import asyncio
import math
import weakref
from types import TracebackType

from steadypool.aio_control import AsyncControl
from steadypool.errors import WrongLoopError
from steadypool.options import check_interval


class AsyncHousekeeper:
    """Awaits `maintain` of every pool that it watches, each `interval` seconds of real time.

    Made in the event loop whose pools it looks after; anywhere else it raises WrongLoopError. Pools
    are held weakly, and forgotten once closed. When the loop ends, by `asyncio.run` or otherwise,
    the task is cancelled with all others, which loses nothing.
    """

    def __init__(self, interval: float = 10.0) -> None:
        self._pause = check_interval(interval)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise WrongLoopError(
                "make an AsyncHousekeeper in the event loop of its pools"
            ) from None
        self._pools: weakref.WeakSet[AsyncControl] = weakref.WeakSet()
        self._stopped = asyncio.Event()
        self._task = loop.create_task(self._run(), name="steadypool housekeeper")

    def watch(self, pool: AsyncControl) -> None:
        """Look after this pool too, from the next round on.

        Raises WrongLoopError for a pool that was not started, or belongs to another event loop.
        """
        pool._check_loop()
        self._pools.add(pool)

    async def stop(self) -> None:
        """End the task, after the pass that it is in; waits for that.

        If the wait is cancelled, the task ends all the same. Stopping twice does no harm.
        """
        self._stopped.set()
        await asyncio.wait([self._task])

    async def __aenter__(self) -> "AsyncHousekeeper":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def _run(self) -> None:
        while not await self._stopped_within_interval():
            await self._make_round()

    async def _stopped_within_interval(self) -> bool:
        try:
            async with asyncio.timeout(None if self._pause == math.inf else self._pause):
                return await self._stopped.wait()
        except TimeoutError:
            return False

    async def _make_round(self) -> None:
        # In a frame of its own: between two rounds nothing here keeps a pool alive.
        for pool in list(self._pools):
            if pool.closed:
                self._pools.discard(pool)
            elif not self._stopped.is_set():
                await pool.maintain()
