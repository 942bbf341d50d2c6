"""The lab for pools that are used by asyncio tasks: the same words, awaited.

A generated asyncio test runs in an event loop of its own, and so does everything the lab does for
it. What waits for the server to notice something waits in a thread, so that the loop can go on.
The words are shared out among modules as those of `poolspec.runtime.lab` are.
"""

import asyncio
from contextlib import suppress

from poolspec.runtime.aio.borrowing import AsyncHeld
from poolspec.runtime.aio.cast import AsyncCast
from poolspec.runtime.aio.crowd import AsyncCrowd
from poolspec.runtime.aio.interrupts import AsyncInterrupts
from poolspec.runtime.checks import broken
from poolspec.vocabulary import CALL_FAULTS, Fault

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncLab(AsyncCast, AsyncCrowd, AsyncInterrupts):
    """What a generated asyncio test works with. Made, used and disposed of in one event loop."""

    async def fault(
        self,
        fault: Fault,
        *,
        on: AsyncHeld | None = None,
        seconds: float = 0.0,
        times: int | None = None,
    ) -> None:
        """Break something; see `Lab.fault`."""
        self._log.add("fault", detail=fault)
        if fault in CALL_FAULTS:
            self._calls.set(fault, seconds=seconds, times=times)
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

    async def dispose(self) -> None:
        """Undo everything, however the test ended."""
        self._targets.hang_up()
        self._traffic.stop_all()
        await self._crew.abandon()
        for stranger in self._strangers:  # first, for somebody may wait for a lock of theirs
            self._adapter.end(stranger.raw)
        try:
            await self._stop_service()
        finally:
            for pool in self._pools:
                await pool.dismiss()
                with suppress(Exception):  # verify has told; what it leaves is closed below
                    await self._adapter.close(pool.raw)
            for sockets in self._counted:
                for connection in sockets.open().values():
                    self._adapter.end(connection)
            self._clean_up()

    def abort(self, reason: str) -> None:
        """Make every actor that waits, now or later, raise an exception that says why."""
        self._clock.abort(reason)
