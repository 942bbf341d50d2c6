"""The end of an asyncio test: its invariants are checked, and everything is undone."""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any

from poolspec.invariants.defects import Defect, Finding, broken
from poolspec.invariants.observer import SETTLE
from poolspec.lab.aio.actors import AsyncActors
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.aio.pool import AsyncContext, AsyncPool
from poolspec.lab.aio.pools import AsyncPools
from poolspec.lab.aio.web import AsyncWeb
from poolspec.lab.invariant_checks import InvariantChecks
from poolspec.lifecycle.teardown import Teardown

__tracebackhide__ = True  # a failure is shown where the test failed

STOP_LIMIT = 15.0
"""Real seconds for a web application to stop; the application itself gives up before that."""


class AsyncEnding:
    """Ends one test."""

    def __init__(
        self,
        context: AsyncContext,
        adapter: AsyncPoolAdapter,
        actors: AsyncActors,
        pools: AsyncPools,
        web: AsyncWeb,
        checks: InvariantChecks[AsyncPool, AsyncClock],
    ) -> None:
        self._context = context
        self._adapter = adapter
        self._actors = actors
        self._pools = pools
        self._web = web
        self._checks = checks

    async def verify(self) -> None:
        """Release everything, check the invariants, and check that closing leaves nothing.

        Raises BrokenInvariantsError that lists all findings.
        """
        context, checks = self._context, self._checks
        context.targets.hang_up()
        await self._actors.join_all()
        context.calls.clear_all()
        for pool in context.pools:
            await pool.dismiss()
            await pool.release_all()
        found = list(checks.in_log())
        for pool in context.pools:
            found += await asyncio.to_thread(checks.at_rest, pool, pool.stats())
        await self._web.stop()
        for pool in context.pools:
            await pool.close()
        names = ", ".join(sorted(task.get_name() for task in await _tasks_left()))
        found += [Finding(Defect.LEAK, f"tasks are left: {names}")] if names else []
        broken(found + await asyncio.to_thread(checks.left) + checks.passwords())

    async def dispose(self, teardown: Teardown) -> None:
        """Undo everything in the event loop, however the test ended.

        `teardown` collects the errors. Afterwards the loop can be closed, and then
        `context.clean_up` called.
        """
        teardown.do("the ports", self._context.targets.hang_up, limit=None)
        teardown.do("the faults", self._context.calls.clear_all, limit=None)
        self._context.loads.stop_all()
        await self._actors.abandon()
        for stranger in self._pools.strangers:  # first: an actor may wait for a lock of theirs
            self._end(stranger.raw, teardown)
        await teardown.do_in_task("the web application", self._web.stop(), limit=STOP_LIMIT)
        for pool in self._context.pools:
            await teardown.do_in_task("the pool's housekeeper", pool.dismiss())
            await self._close(pool, teardown)
        for sockets in self._context.sockets:
            for connection in sockets.open().values():
                self._end(connection, teardown)

    async def _close(self, pool: AsyncPool, teardown: Teardown) -> None:
        pools = self._context.pools
        if not pools.answers(pool):
            return
        if not await teardown.do_in_task("the pool's close", self._shut(pool)):
            pools.leave_behind(pool)

    async def _shut(self, pool: AsyncPool) -> None:
        for step in (pool.release_all, partial(self._adapter.close, pool.raw)):
            with suppress(Exception):  # verify has reported it; the lab closes what is left
                await step()

    def _end(self, connection: Any, teardown: Teardown) -> None:
        teardown.do("a connection", partial(self._adapter.driver.end, connection), limit=None)


async def _tasks_left() -> set[asyncio.Task[Any]]:
    """Return the tasks that do not end within a short time."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    return (await asyncio.wait(left, timeout=SETTLE))[1] if left else left
