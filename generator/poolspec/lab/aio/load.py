"""The crowd as tasks: load, until it is done or until it is stopped."""

import asyncio
from collections.abc import Mapping

from poolspec.lab.aio.clients import (
    AsyncClients,
    AsyncHabits,
    AsyncVisitors,
    run_in_tasks,
    start_in_tasks,
)
from poolspec.lab.aio.web import AsyncVisits
from poolspec.lab.load.tasks import REST, LoadResult
from poolspec.vocabulary import Operation, Via

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncCrowd(AsyncVisits):
    """Generated load."""

    async def load(
        self,
        *,
        clients: int,
        operations: int | Mapping[Operation, int] | None = None,
        each: int | None = None,
        mix: Mapping[Operation, int] | None = None,
        hold: tuple[float, float] | None = None,
        timeout: float | None = None,
        via: Via = Via.ACQUIRE,
        requests: Mapping[str, int] | None = None,
    ) -> LoadResult:
        """Let `clients` tasks do operations on the test's pool; see `Lab.load`."""
        if requests:
            return await self._visit(clients, requests)
        load = self._traffic.lay_out(clients, operations, each, mix, hold)
        habits = AsyncHabits(via, timeout, self._clock, self._adapter.kind_of)
        crowd = AsyncClients(self._only_pool(), self._adapter, habits, load.result)
        await run_in_tasks(self._crew, load.name, crowd, load.heaps)
        return self._traffic.sum_up(load)

    def start_load(
        self,
        *,
        clients: int,
        mix: Mapping[Operation, int] | None = None,
        hold: tuple[float, float] | None = None,
        timeout: float | None = None,
        via: Via = Via.ACQUIRE,
    ) -> LoadResult:
        """Let `clients` tasks do operations until `stop_load`; see `Lab.start_load`."""
        running = self._traffic.begin(clients, mix, hold)
        habits = AsyncHabits(via, timeout, self._clock, self._adapter.kind_of, REST)
        crowd = AsyncClients(self._only_pool(), self._adapter, habits, running.result)
        start_in_tasks(self._crew, running.name, crowd, running.streams)
        return running.result

    async def stop_load(self, load: LoadResult) -> None:
        """End a load that goes on; wait until every client has finished its operation."""
        running = self._traffic.stop(load)
        await self._crew.join(f"{running.name}-{n + 1}" for n in range(len(running.streams)))
        await asyncio.to_thread(self._traffic.sum_up, running)

    async def _visit(self, clients: int, requests: Mapping[str, int]) -> LoadResult:
        load = self._traffic.lay_out_requests(clients, requests)
        visitors = AsyncVisitors(self._ask, self._clock.now, load.result)
        await run_in_tasks(self._crew, load.name, visitors, load.heaps)
        return self._traffic.sum_up(load)
