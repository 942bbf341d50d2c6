"""The lab for pools that are used by asyncio tasks: the same words, awaited.

A generated asyncio test runs in an event loop of its own, and so does everything the lab does for
it. What waits for the server to notice something waits in a thread, so that the loop can go on.
The words are shared out among modules as those of `poolspec.lab.threads.lab` are.
"""

import asyncio
from contextlib import suppress
from functools import partial
from typing import Any

from poolspec.invariants.complaints import broken
from poolspec.lab.aio.acting import AsyncCast
from poolspec.lab.aio.interruption import AsyncInterrupts
from poolspec.lab.aio.load import AsyncCrowd
from poolspec.lab.aio.pool import AsyncHeld, AsyncPool
from poolspec.lifecycle.teardown import Undoing
from poolspec.vocabulary import CALL_FAULTS, Fault

__tracebackhide__ = True  # a failure is shown where the test failed

SERVICE_PATIENCE = 15.0
"""Real seconds for a web application to stop, which gives up by itself before that."""


class AsyncLab(AsyncCast, AsyncCrowd, AsyncInterrupts):
    """What a generated asyncio test works with. Made, used and disposed of in one event loop."""

    async def fault(
        self,
        fault: Fault,
        *,
        on: AsyncHeld | None = None,
        seconds: float = 0.0,
        times: int | None = None,
        after: int = 0,
    ) -> None:
        """Break something; see `Lab.fault`."""
        self._log.add("fault", detail=fault)
        if fault in CALL_FAULTS:
            self._calls.set(fault, seconds=seconds, times=times, after=after)
        else:
            await asyncio.to_thread(self._strike, fault, on)

    async def heal(self, fault: Fault) -> None:
        """End a fault."""
        if fault in CALL_FAULTS:
            self._calls.clear(fault)
        else:
            await asyncio.to_thread(self._server_faults.clear, fault)
        self._log.add("healed", detail=fault)

    async def verify(self) -> None:
        """Give everything back, check the standing invariants, and that closing leaves nothing.

        Raises AssertionError naming every invariant that is broken.
        """
        self._targets.hang_up()
        await self._crew.join_all()
        self._calls.clear_all()
        for pool in self._pools:
            await pool.dismiss()
            await pool.release_all()
        said = list(self._broken_in_log())
        for pool in self._pools:
            said += await asyncio.to_thread(self._broken_at_rest, pool, pool.stats())
        await self._stop_service()
        for pool in self._pools:
            await pool.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        names = ", ".join(sorted(task.get_name() for task in tasks))
        said += [f"tasks are left: {names}"] if names else []
        broken(said + await asyncio.to_thread(self._left) + self._told())

    async def dispose(self, undoing: Undoing) -> None:
        """Undo what was done in the event loop, however the test ended and whatever its pool does.

        `undoing` is told what goes wrong. The loop can be closed afterwards, and `clean_up` called.
        """
        undoing.do("the ports", self._targets.hang_up, patience=None)
        undoing.do("the faults", self._calls.clear_all, patience=None)
        self._traffic.stop_all()
        await self._crew.abandon()
        for stranger in self._strangers:  # first, for somebody may wait for a lock of theirs
            self._end(stranger.raw, undoing)
        await undoing.see("the web application", self._stop_service(), patience=SERVICE_PATIENCE)
        for pool in self._pools:
            await undoing.see("the pool's housekeeper", pool.dismiss())
            await self._close(pool, undoing)
        for sockets in self._counted:
            for connection in sockets.open().values():
                self._end(connection, undoing)

    async def _close(self, pool: AsyncPool, undoing: Undoing) -> None:
        if self._answers(pool) and not await undoing.see("the pool's close", self._shut(pool)):
            self._leave_behind(pool)

    async def _shut(self, pool: AsyncPool) -> None:
        with suppress(Exception):  # verify has told; what it leaves is closed by the lab
            await self._adapter.close(pool.raw)

    def _end(self, connection: Any, undoing: Undoing) -> None:
        undoing.do("a connection", partial(self._adapter.end, connection), patience=None)
