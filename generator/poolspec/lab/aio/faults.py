"""The faults that a test sets and heals."""

import asyncio

from poolspec.lab.aio.held import AsyncHeld
from poolspec.lab.aio.pool import AsyncContext
from poolspec.vocabulary import CALL_FAULTS, Fault

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncFaults:
    """Breaks calls, connections or the server of one test."""

    def __init__(self, context: AsyncContext) -> None:
        self._context = context

    async def set(
        self,
        fault: Fault,
        on: AsyncHeld | None,
        seconds: float,
        times: int | None,
        after: int,
        limit: int,
    ) -> None:
        """Set a fault: `on` a connection, for `seconds`, or for a number of `times`.

        The first `after` calls succeed. A full server accepts `limit` connections.
        """
        self._context.log.add("fault", detail=fault)
        if fault in CALL_FAULTS:
            self._context.calls.set(fault, seconds=seconds, times=times, after=after)
        elif fault is Fault.CONNECTION_SILENCED:
            assert on is not None
            self._context.silence((), on.number)
        elif fault is Fault.IDLE_SILENCED:
            self._context.silence(self._context.pools.numbers())
        else:
            await asyncio.to_thread(self._strike, fault, on, limit)

    async def heal(self, fault: Fault) -> None:
        """End a fault."""
        if fault in CALL_FAULTS:
            self._context.calls.clear(fault)
        else:
            await asyncio.to_thread(self._context.server_faults.clear, fault)
        self._context.log.add("healed", detail=fault)

    def _strike(self, fault: Fault, on: AsyncHeld | None, limit: int) -> None:
        """Break the server, or its end of connections. Blocks for a moment."""
        faults = self._context.server_faults
        if fault is Fault.CONNECTION_KILLED:
            assert on is not None
            faults.kill([on.number])
        elif fault is Fault.QUERY_KILLED:
            assert on is not None
            faults.kill_statement(on.number)
        elif fault is Fault.IDLE_KILLED:
            faults.kill_idle(self._context.pools.numbers())
        elif fault is Fault.SERVER_FULL:
            faults.fill(limit)
        else:
            faults.set(fault)
