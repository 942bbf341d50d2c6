"""Looks after any number of asyncio pools, in tasks; for programs that want it.

    async with AsyncHousekeeper(interval=10) as keeper:
        keeper.watch(pool)
        ...

The rules are those of `Housekeeper`, on one event loop; but each pool is looked after in a task of
its own, so that one whose server hangs holds up neither the others nor the end.
"""

import asyncio
import math
import weakref
from types import TracebackType

from steadypool._asyncio.admin import AsyncControl
from steadypool._common.options import check_interval
from steadypool.errors import HousekeeperStoppedError, WrongLoopError


class AsyncHousekeeper:
    """Awaits `maintain` of every pool that it watches, each `interval` seconds of real time.

    A round leaves out a pool whose last pass is still under way. What a pass raises is logged, also
    a cancellation that comes from a hook. Made in the event loop whose pools it looks after;
    anywhere else it raises WrongLoopError. Pools are held weakly, and forgotten once closed. When
    the loop ends, by `asyncio.run` or otherwise, the tasks are cancelled with all others, which
    loses nothing.
    """

    def __init__(self, interval: float = 10.0) -> None:
        self._pause = check_interval(interval)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise WrongLoopError(
                "make an AsyncHousekeeper in the event loop of its pools"
            ) from None
        self._loop = loop
        self._pools: weakref.WeakSet[AsyncControl] = weakref.WeakSet()
        self._under_way: dict[asyncio.Task[None], weakref.ref[AsyncControl]] = {}
        self._stopped = asyncio.Event()
        self._task = loop.create_task(self._run(), name="steadypool housekeeper")

    def watch(self, pool: AsyncControl) -> None:
        """Look after this pool too, from the next round on.

        Raises WrongLoopError for a pool that was not started, or belongs to another event loop,
        and HousekeeperStoppedError after `stop`; TypeError for a pool that is not for asyncio.
        """
        if not isinstance(pool, AsyncControl):
            raise TypeError("an AsyncHousekeeper looks after AsyncConnectionPools; use Housekeeper")
        pool._check_loop()
        if asyncio.get_running_loop() is not self._loop:
            raise WrongLoopError("the housekeeper belongs to another event loop than the pool")
        if self._stopped.is_set() or self._task.done():
            raise HousekeeperStoppedError("this AsyncHousekeeper has ended; make another")
        self._pools.add(pool)

    async def stop(self) -> None:
        """End the tasks, and wait for their end; passes under way are broken off, and lose nothing.

        If the wait is cancelled, the tasks end all the same. Stopping twice does no harm.
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
        async with asyncio.TaskGroup() as group:
            while not await self._stopped_within_interval():
                self._begin_round(group)
            for task in self._under_way:
                task.cancel()

    async def _stopped_within_interval(self) -> bool:
        try:
            async with asyncio.timeout(None if self._pause == math.inf else self._pause):
                return await self._stopped.wait()
        except TimeoutError:
            return False

    def _begin_round(self, group: asyncio.TaskGroup) -> None:
        # In a frame of its own: between two rounds nothing here keeps a pool alive.
        busy = {pool() for pool in self._under_way.values()}
        for pool in list(self._pools):
            if pool.closed:
                self._pools.discard(pool)
            elif pool not in busy:
                watched = weakref.ref(pool)
                task = group.create_task(_look_after(watched))
                self._under_way[task] = watched
                task.add_done_callback(self._under_way.pop)


async def _look_after(watched: weakref.ref[AsyncControl]) -> None:
    pool = watched()
    if pool is None:
        return
    try:
        await pool.maintain()
    except BaseException as error:
        if _is_the_end(error):
            raise
        pool._log.upkeep_failed(error)  # a hook's: it would end the task without a word


def _is_the_end(error: BaseException) -> bool:
    """Whether this task was told to end, by a cancellation or with its event loop."""
    task = asyncio.current_task()
    if task is None or isinstance(error, GeneratorExit):
        return True
    return isinstance(error, asyncio.CancelledError) and task.cancelling() > 0
