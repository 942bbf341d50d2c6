"""The end of an asyncio test: its invariants are checked, and everything is undone."""

import asyncio
import gc
from contextlib import suppress
from functools import partial
from typing import Any

from poolspec.invariants.defects import Defect, Finding, broken
from poolspec.invariants.log import MAIN
from poolspec.invariants.observer import SETTLE
from poolspec.lab.aio.actors import AsyncActors
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.aio.pool import AsyncContext, AsyncPool
from poolspec.lab.aio.pools import AsyncPools
from poolspec.lab.aio.rest import AsyncRest
from poolspec.lab.aio.waiting import wait_until
from poolspec.lab.aio.web import AsyncWeb
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
        rest: AsyncRest,
    ) -> None:
        self._context = context
        self._adapter = adapter
        self._actors = actors
        self._pools = pools
        self._web = web
        self._rest = rest

    async def verify(self) -> None:
        """Release everything, check the invariants, and check that closing leaves nothing.

        Raises BrokenInvariantsError that lists all findings.
        """
        context, checks = self._context, self._rest.checks
        context.targets.hang_up()
        await self._actors.join_all()
        found = await self._at_rest()
        await self._web.stop()
        for pool in context.pools:
            await pool.close()
        if any(sockets.open() for sockets in context.sockets):
            gc.collect()  # finalizers may close some; in this thread, which is the event loop's
        names = ", ".join(sorted(task.get_name() for task in await _tasks_left()))
        found += [Finding(Defect.LEAK, f"tasks are left: {names}")] if names else []
        found += await asyncio.to_thread(checks.left) + checks.passwords()
        broken(checks.shown(found))

    async def examine(self) -> list[Finding]:
        """Bring a failed test to rest as it was left, and return what is broken.

        First the main actor releases what it holds, because the others may wait for that. May hang
        or raise any exception if the pool does.
        """
        context = self._context
        context.targets.hang_up()
        context.loads.stop_all()
        context.heal()
        for pool in context.pools:
            await pool.release_all(MAIN)
        await wait_until(context.log, context.clock, lambda: not self._actors.unfinished())
        return self._rest.checks.shown(await self._at_rest())

    async def _at_rest(self) -> list[Finding]:
        """Release everything, and return what is broken."""
        context, checks = self._context, self._rest.checks
        context.heal()
        for pool in context.pools:
            await pool.dismiss()
            await pool.release_all()
        found = list(checks.in_log())
        for pool in context.pools:
            found += await asyncio.to_thread(checks.at_rest, pool)
        if not any(finding.defect is Defect.LEAK for finding in found):
            found += await self._rest.lost_slots()
        return found

    async def dispose(self, teardown: Teardown) -> None:
        """Undo everything in the event loop, however the test ended.

        `teardown` collects the errors. Afterwards the loop can be closed, and then
        `context.clean_up` called.
        """
        teardown.do("the ports", self._context.targets.hang_up, limit=None)
        teardown.do("the faults", self._context.heal, limit=None)
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
