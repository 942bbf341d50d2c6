"""How a test opens connections: the pool's own driver, a plain driver, or scripted connections."""

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import Any

from poolspec.drivers.contract import AsyncScriptedConnections
from poolspec.drivers.plan import Plan
from poolspec.faults.calls import CallFaults
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.aio.pool import AsyncContext
from poolspec.lab.aio.waiting import wait_until
from poolspec.vocabulary import Call, Connections

__tracebackhide__ = True  # a failure is shown where the test failed


def scripted_of(
    adapter: AsyncPoolAdapter, clock: AsyncClock, calls: CallFaults, connections: Connections
) -> AsyncScriptedConnections | None:
    """Return the scripted connections of a test; None if it has others."""
    if connections not in (Connections.SCRIPTED, Connections.MINIMAL):
        return None
    minimal = connections is Connections.MINIMAL
    return adapter.driver.scripted(clock, calls.plan, minimal)


class AsyncOpener:
    """Opens the connections of one test, with the faults that the test has set."""

    def __init__(
        self,
        context: AsyncContext,
        adapter: AsyncPoolAdapter,
        connections: Connections,
        scripted: AsyncScriptedConnections | None,
    ) -> None:
        self._context = context
        self._scripted = scripted
        self._adapter = adapter
        self._connections = connections

    async def open(self) -> Any:
        """Open one connection; ignores the faults that are set, unless it is scripted."""
        return await self._open_one()

    @cached_property
    def _open_one(self) -> Callable[[], Awaitable[Any]]:
        tenant = self._context.tenant_of_pools
        if self._scripted is not None:
            return self._scripted.open
        if self._connections is Connections.PLAIN:
            return self._adapter.driver.plain(tenant)
        return self._adapter.driver.opener(tenant)

    async def connect(self) -> Any:
        """Open one connection for a pool."""
        if self._scripted is None:  # scripted connections follow the plan themselves
            await self._suffer(self._context.calls.plan(Call.CONNECT))
        return await self.open()

    async def _suffer(self, plan: Plan) -> None:
        clock = self._context.clock
        if plan.delay:
            await clock.sleep(plan.delay)
        if plan.hang is not None:
            hang = plan.hang
            await wait_until(self._context.log, clock, lambda: hang.over)
        if plan.error is not None:
            raise plan.error
