"""Optional periodic maintenance for any number of asyncio pools, in tasks.

    async with AsyncHousekeeper(interval=10) as keeper:
        keeper.watch(pool)
        ...

The rules are those of `Housekeeper`, on one event loop. But each pool's maintenance runs in a
separate task, so a pool whose server hangs delays neither the other pools nor `stop`.
"""

import asyncio
import math
import weakref
from types import TracebackType

from steadypool._asyncio.admin import AsyncPoolAdmin
from steadypool._common.checks import check_interval
from steadypool.errors import HousekeeperStoppedError, WrongLoopError


class AsyncHousekeeper:
    """Awaits `maintain` of every watched pool, every `interval` seconds of real time.

    A round skips a pool whose previous pass is still running. An exception in a pass is logged,
    even a cancellation raised by a hook. Create the housekeeper in the event loop of its pools;
    anywhere else it raises WrongLoopError. It references pools weakly and drops closed ones. When
    the loop ends, by `asyncio.run` or otherwise, its tasks are cancelled with all others; no
    connection is lost.
    """

    def __init__(self, interval: float = 10.0) -> None:
        self._interval = check_interval(interval)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise WrongLoopError(
                "create an AsyncHousekeeper in the event loop of its pools"
            ) from None
        self._loop = loop
        self._pools: weakref.WeakSet[AsyncPoolAdmin] = weakref.WeakSet()
        self._under_way: dict[asyncio.Task[None], weakref.ref[AsyncPoolAdmin]] = {}
        self._stopped = asyncio.Event()
        self._task = loop.create_task(self._run(), name="steadypool housekeeper")

    def watch(self, pool: AsyncPoolAdmin) -> None:
        """Maintain this pool too, from the next round on.

        Raises WrongLoopError for a pool that was not started, or belongs to another event loop,
        HousekeeperStoppedError after `stop`, and TypeError for a pool that is not for asyncio.
        """
        if not isinstance(pool, AsyncPoolAdmin):
            raise TypeError("an AsyncHousekeeper maintains AsyncConnectionPools; use Housekeeper")
        pool._check_caller()
        if asyncio.get_running_loop() is not self._loop:
            raise WrongLoopError("housekeeper and pool belong to different event loops")
        if self._stopped.is_set() or self._task.done():
            raise HousekeeperStoppedError("this AsyncHousekeeper has stopped; create another")
        self._pools.add(pool)

    async def stop(self) -> None:
        """Stop the tasks and wait until they have ended.

        Running passes are cancelled; no connection is lost. The tasks also end if the wait is
        cancelled. Stopping twice has no effect.
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
            async with asyncio.timeout(None if self._interval == math.inf else self._interval):
                return await self._stopped.wait()
        except TimeoutError:
            return False

    def _begin_round(self, group: asyncio.TaskGroup) -> None:
        # In a separate frame: between two rounds no local variable keeps a pool alive.
        busy = {pool() for pool in self._under_way.values()}
        for pool in list(self._pools):
            if pool.closed:
                self._pools.discard(pool)
            elif pool not in busy:
                watched = weakref.ref(pool)
                task = group.create_task(_maintain(watched))
                self._under_way[task] = watched
                task.add_done_callback(self._under_way.pop)


async def _maintain(watched: weakref.ref[AsyncPoolAdmin]) -> None:
    pool = watched()
    if pool is None:
        return
    try:
        await pool.maintain()
    except BaseException as error:
        if _must_end(error):
            raise
        pool._log.maintenance_failed(error)  # from a hook; it would end the task silently


def _must_end(error: BaseException) -> bool:
    """Whether this task must end: it was cancelled, or its event loop is closing."""
    task = asyncio.current_task()
    if task is None or isinstance(error, GeneratorExit):
        return True
    return isinstance(error, asyncio.CancelledError) and task.cancelling() > 0
