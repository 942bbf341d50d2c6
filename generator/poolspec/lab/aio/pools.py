"""Pools that are used by tasks: made, and tied into the test; see `poolspec.lab.threads.pools`."""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from poolspec.faults.calls import Plan
from poolspec.invariants.connection import Sockets
from poolspec.lab.aio.actors import AsyncCrew, wait_until
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.contract import (
    AsyncConfiguring,
    AsyncPoolAdapter,
    AsyncStage,
    AsyncWiring,
    Open,
)
from poolspec.lab.aio.pool import AsyncHeld, AsyncPool
from poolspec.lab.expectations import Expectations
from poolspec.lab.invariant_checks import Verdict
from poolspec.lab.steps import find_step
from poolspec.servers import Server
from poolspec.vocabulary import Call, Connections, Flaw, Given, Target, TimeKind

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncPools(Expectations[AsyncPool], Verdict[AsyncPool]):
    """Makes what a test works with."""

    _adapter: AsyncPoolAdapter
    _clock: AsyncClock
    _stage: AsyncStage | None

    def __init__(
        self,
        server: Server | None,
        adapter: AsyncPoolAdapter,
        time: TimeKind,
        connections: Connections = Connections.DRIVER,
    ) -> None:
        super().__init__(server, adapter, time, connections)
        self._crew = AsyncCrew(self._clock, self._log)
        self._strangers: list[AsyncHeld] = []

    async def pool(
        self, *, housekeeping: float | None = None, listener: str | None = None, **options: Any
    ) -> AsyncPool:
        """Make the pool under test, and have it looked after; durations in seconds."""
        self._listening = listener
        self._made_with = options
        pool = self._wrapped(*await self._new_pool())
        if housekeeping is not None:
            await pool.keep(housekeeping)
        return pool

    async def open(
        self,
        target: Target = Target.RIGHT,
        *,
        given: Given = Given.CONFIG,
        flaw: Flaw | None = None,
        **options: Any,
    ) -> AsyncPool:
        """Make one more pool, which connects by a configuration that leads to `target`."""
        sockets = self._sockets()
        place = self._place(target, given, flaw, lambda one: self._count(sockets, one))
        wiring = replace(self._wiring(sockets), listen=self._listener())
        adapter: AsyncConfiguring = self._adapter  # type: ignore[assignment]  # see `needs`
        raw = await adapter.open(self._options(options), place, wiring)
        return self._wrapped(raw, sockets)

    async def connect(self) -> AsyncHeld:
        """Open a connection that no pool knows."""
        raw = await self._opener()()
        stranger = AsyncHeld(raw, self._adapter)
        self._observer.strangers.add(stranger.number)
        self._strangers.append(stranger)
        return stranger

    async def execute(self, sql: str) -> None:
        """Run a statement on a connection that no pool knows; it is committed at once."""
        await asyncio.to_thread(self._execute, sql)

    async def use(self, name: str) -> None:
        """Do a step that was registered with `poolspec.lab.steps.step`."""
        self._crew.is_all = False  # the step may start whom it likes
        done = find_step(name)(self)
        if inspect.isawaitable(done):
            await done

    async def _new_pool(self) -> tuple[Any, Sockets]:
        sockets, options = self._sockets(), self._options(self._made_with)
        return await self._adapter.create(options, self._wiring(sockets)), sockets

    def _connector(self, sockets: Sockets) -> Open:
        open_one = self._opener()

        async def connect() -> Any:
            if self._stage is None:  # which plays its script itself
                await self._suffer(self._calls.plan(Call.CONNECT))
            connection = await open_one()
            self._count(sockets, connection)
            return connection

        return connect

    def _count(self, sockets: Sockets, connection: Any) -> None:
        number = self._adapter.number_of(connection)
        if sockets.opened(number, connection):
            self._adapter.watch(connection, lambda: sockets.gone(connection))

    async def _suffer(self, plan: Plan) -> None:
        if plan.delay:
            await self._clock.sleep(plan.delay)
        if plan.hang is not None:
            await self._wait_until(partial(getattr, plan.hang, "over"))
        if plan.error is not None:
            raise plan.error

    def _wiring(self, sockets: Sockets) -> AsyncWiring:
        connect = self._connector(sockets)
        return AsyncWiring(connect, self._clock, self._time, self._heard, self._meter)

    def _wrapped(self, raw: Any, sockets: Sockets) -> AsyncPool:
        look = self._secrets.look_into
        return self._known(raw, lambda: AsyncPool(raw, self._adapter, self._log, sockets, look))

    async def _wait_until(self, holds: Callable[[], bool]) -> None:
        await wait_until(self._log, self._clock, holds)
