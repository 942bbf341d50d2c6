"""The lab for pools that asyncio tasks use: it makes the parts of a test, and delegates to them.

A generated asyncio test and its lab run in a new event loop. Calls that wait for the server run in
a thread, so that the loop continues.
"""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Unpack

from poolspec.faults.calls import CallFaults
from poolspec.faults.scripted_server import ScriptedServer
from poolspec.faults.terms import FaultTerms
from poolspec.lab import remaining_timeout
from poolspec.lab.aio.actors import AsyncActor, AsyncActors, async_actor
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.aio.ending import AsyncEnding
from poolspec.lab.aio.faults import AsyncFaults
from poolspec.lab.aio.held import AsyncHeld
from poolspec.lab.aio.interruption import AsyncInterrupter, AsyncReenterer, Attempt
from poolspec.lab.aio.load import AsyncLoad
from poolspec.lab.aio.lost_loops import AsyncLostLoops
from poolspec.lab.aio.opening import AsyncOpener, scripted_of
from poolspec.lab.aio.pool import AsyncContext, AsyncPool
from poolspec.lab.aio.pools import AsyncPools
from poolspec.lab.aio.progress import AsyncProgress, expect_health
from poolspec.lab.aio.rest import AsyncRest
from poolspec.lab.aio.web import AsyncWeb
from poolspec.lab.common import CommonLab
from poolspec.lab.comparisons import Expected
from poolspec.lab.event_loop.rest import watch_loop
from poolspec.lab.load.result import LoadResult
from poolspec.lab.load.terms import LoadTerms
from poolspec.lab.repetition import expect, expect_async, kept
from poolspec.lab.steps import find_step
from poolspec.lab.web.requests import RequestTerms
from poolspec.lifecycle.teardown import Teardown
from poolspec.servers import Server
from poolspec.vocabulary import (
    Connections,
    ErrorKind,
    Fault,
    Flaw,
    Given,
    Interruption,
    LoopEnd,
    Target,
    TimeKind,
)
from poolspec.witness.busy import BusyClock

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncLab(CommonLab[AsyncPool, AsyncClock]):
    """What a generated asyncio test works with. Made, used and disposed of in one event loop."""

    def __init__(
        self,
        server: Server | None,
        adapter: AsyncPoolAdapter,
        time: TimeKind,
        connections: Connections = Connections.DRIVER,
    ) -> None:
        busy, calls = BusyClock(adapter.clock(time)), CallFaults(adapter.driver.failure)
        scripted = scripted_of(adapter, busy, calls, connections)
        there = server if scripted is None else ScriptedServer(scripted)
        assert there is not None, "only scripted connections do without a server"
        context = AsyncContext(there, adapter, adapter.driver, busy, time, calls)
        if not hasattr(context.clock, "at_rest"):
            watch_loop(context.witness)
        self._actors = AsyncActors(context.clock, context.log)
        super().__init__(context, self._actors)
        self._progress = AsyncProgress(context, self._actors)
        self.check_memory = self._progress.check_memory
        self._faults = AsyncFaults(context)
        opener = AsyncOpener(context, adapter, connections, scripted)
        self._pools = AsyncPools(context, adapter, opener)
        self.make_pool = self._pools.add
        self._web = AsyncWeb(context, self._pools)
        self._load = AsyncLoad(context, self._actors, adapter.driver, self._web)
        rest = AsyncRest(context, self._actors, self.invariants)
        self._interrupter = AsyncInterrupter(context, self._pools, rest)
        self.reenter = AsyncReenterer(context, self._pools, rest).everywhere
        self._lost_loops = AsyncLostLoops(context, adapter, self._pools)
        self.ending = AsyncEnding(context, adapter, self._actors, self._pools, self._web, rest)

    # --- pools -----------------------------------------------------------------------------------

    async def pool(
        self, *, housekeeping: float | None = None, listener: str | None = None, **options: Any
    ) -> AsyncPool:
        """Make the pool under test; see `Lab.pool`."""
        return await self._pools.make(housekeeping, listener, options)

    async def open(
        self,
        target: Target = Target.RIGHT,
        *,
        given: Given = Given.CONFIG,
        flaw: Flaw | None = None,
        **options: Any,
    ) -> AsyncPool:
        """Make one more pool, which connects by a configuration that leads to `target`."""
        return await self._pools.open(target, given, flaw, options)

    async def connect(self) -> AsyncHeld:
        """Open a connection that belongs to no pool."""
        return await self._pools.connect()

    async def execute(self, sql: str) -> None:
        """Run a statement on a connection that belongs to no pool, and commit it."""
        await asyncio.to_thread(self.context.execute, sql)

    async def use(self, name: str) -> None:
        """Do a step that was registered with `poolspec.lab.steps.step`."""
        self._actors.is_all = False  # the step may start any actor
        done = find_step(name)(self)
        if inspect.isawaitable(done):
            await done

    # --- actors, time and what the test waits for ------------------------------------------------

    def start(self, *actors: AsyncActor | Callable[[], Awaitable[None]]) -> None:
        """Start actors; none runs before all are started. A function is one actor."""
        described = (one if isinstance(one, AsyncActor) else async_actor(one) for one in actors)
        self._actors.start(described)

    async def join(self, *names: str, one_fails: ErrorKind | None = None) -> None:
        """Wait until actors have ended. Raises the first error that one of them ended with.

        If `one_fails`, exactly one of them must have ended with an error, of that kind.
        """
        await self._actors.join(names, self._one_fails(one_fails))

    def cancel(self, name: str) -> None:
        """Cancel an actor's tasks."""
        self._actors.cancel(name)

    async def wait_until_waiting(
        self,
        name: str | None = None,
        *,
        count: int = 0,
        of: AsyncPool | None = None,
        within: float | None = None,
    ) -> None:
        """Wait until an actor, or at least `count` of them, are in the pool's queue."""
        await self._progress.until_waiting(name, count, of, within)

    async def wait_until_holding(
        self,
        name: str | None = None,
        *,
        count: int = 0,
        of: AsyncPool | None = None,
        within: float | None = None,
    ) -> None:
        """Wait until an actor, or at least `count` of them, hold a connection."""
        await self._progress.until_holding(name, count, of, within)

    async def wait_until_blocked(
        self,
        name: str | None = None,
        *,
        count: int = 0,
        within: float | None = None,
    ) -> None:
        """Wait until the statements of an actor, or of `count` of them, wait for a lock."""
        await self._progress.until_blocked(name, count, within)

    async def wait_until_done(
        self,
        name: str | None = None,
        *,
        count: int = 0,
        within: float | None = None,
    ) -> None:
        """Wait until an actor, or at least `count` of them, have ended."""
        await self._progress.until_done(name, count, within)

    async def advance(self, seconds: float) -> None:
        """Let that much time pass."""
        await self._progress.advance(seconds)

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """Repeat the expectations of the block, at its end, until all of them hold.

        Raises the AssertionError of the last try after that many seconds of the test's clock.
        """
        with kept() as checks:
            yield

        async def check_all() -> None:
            for check in checks:
                waiting = check()
                if waiting is not None:
                    await waiting

        await self._progress.within(seconds, check_all)

    async def expect_stats(self, *, of: AsyncPool | None = None, **expected: Expected) -> None:
        """Check a pool's figures, by `StatName`: its own, if it counts, and the lab's."""
        expect(self._expectations.reported_stats, expected, of)
        await expect_async(asyncio.to_thread, self._expectations.seen_stats, expected, of)

    async def expect_server(self, *, of: AsyncPool | None = None, **expected: Expected) -> None:
        """Check the server's count of connections of the pools, or one, and the most at once."""
        await expect_async(asyncio.to_thread, self._expectations.server, expected, of)

    async def expect_health(self, status: str, *, of: AsyncPool | None = None) -> None:
        """Check a pool's report of its health; the figures in it must be the pool's."""
        await expect_async(expect_health, self.context, self.invariants, status, of)

    async def expect_remaining_timeout(self, expected: Expected) -> None:
        """Check how long a task that waits for the database will still wait, in real seconds."""
        await expect_async(remaining_timeout.expect_of_tasks, expected)

    async def lose_loop(self, end: LoopEnd, *, on_loan: int = 0, waiting: int = 0) -> None:
        """Start a pool in another event loop with the options of the test's, and close it here.

        Nothing of that pool may be left, and its acquires under way must fail as closed.
        """
        await self._lost_loops.lose(end, on_loan, waiting)

    # --- load and web applications ---------------------------------------------------------------

    async def load(self, name: str = "load", **terms: Unpack[LoadTerms]) -> LoadResult:
        """Let clients do operations on a pool, or send requests, until all are done."""
        return await self._load.run(name, **terms)

    def start_load(self, name: str = "load", **terms: Unpack[LoadTerms]) -> LoadResult:
        """Let clients do operations on a pool until `stop_load`."""
        return self._load.start(name, **terms)

    async def stop_load(self, load: LoadResult) -> None:
        """Stop a load; wait until every client has finished its operation."""
        await self._load.stop(load)

    async def web_app(self, name: str, **options: Any) -> AsyncPool:
        """Serve a web application; `options` override those of its pool, which is returned."""
        return await self._web.serve(name, options)

    async def request(self, request: str, **terms: Unpack[RequestTerms]) -> None:
        """Send a request to the web application, and check its answer. Any actor may."""
        await self._web.request(request, **terms)

    # --- faults and interruptions ----------------------------------------------------------------

    async def fault(self, fault: Fault, **terms: Unpack[FaultTerms]) -> None:
        """Set a fault, as its terms say; see `FaultTerms`."""
        await self._faults.set(fault, terms)

    async def heal(self, fault: Fault) -> None:
        """End a fault."""
        await self._faults.heal(fault)

    async def interrupt_everywhere(
        self,
        attempt: Attempt,
        *,
        by: Interruption = Interruption.INTERRUPT,
        at_least: int = 1,
    ) -> None:
        """Repeat an attempt, interrupted at another point; see `Lab.interrupt_everywhere`."""
        await self._interrupter.everywhere(attempt, by, at_least)

    # --- the test's end --------------------------------------------------------------------------

    async def verify(self) -> None:
        """Release everything, check the invariants, and check that closing leaves nothing.

        Raises AssertionError that lists every broken invariant.
        """
        await self.ending.verify()

    async def dispose(self, teardown: Teardown) -> None:
        """Undo everything in the event loop, however the test ended.

        `teardown` collects the errors. Afterwards the loop can be closed, and then
        `context.clean_up` called.
        """
        await self.ending.dispose(teardown)
