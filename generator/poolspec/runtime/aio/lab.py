"""The lab for pools that are used by asyncio tasks: the same words, awaited.

A generated asyncio test runs in an event loop of its own, and so does everything the lab does for
it. What waits for the server to notice something waits in a thread, so that the loop can go on.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from poolspec.runtime import patience
from poolspec.runtime.aio.actors import AsyncActor, AsyncCrew, wait_until
from poolspec.runtime.aio.borrowing import AsyncHeld, AsyncPool
from poolspec.runtime.aio.clients import (
    AsyncClients,
    AsyncHabits,
    AsyncVisitors,
    run_in_tasks,
    start_in_tasks,
)
from poolspec.runtime.aio.contract import (
    AsyncConfiguring,
    AsyncPoolAdapter,
    AsyncStage,
    AsyncWiring,
    Open,
    foreign,
)
from poolspec.runtime.aio.cuts import MOMENTS, AsyncCut, Driven
from poolspec.runtime.bench import Bench, broken, demand
from poolspec.runtime.calls import CallFaults, Plan
from poolspec.runtime.checks import Expected
from poolspec.runtime.connection import Sockets
from poolspec.runtime.cuts import MOST
from poolspec.runtime.faults import LOOK_EVERY
from poolspec.runtime.journal import NO_LOG
from poolspec.runtime.load import REST, LoadResult, heaps_of, plan
from poolspec.runtime.observe import SETTLE
from poolspec.runtime.rounds import CALM, OpenSockets, check_idle, check_points, lendable, telling
from poolspec.runtime.stage import StageServer
from poolspec.runtime.steps import find_step
from poolspec.runtime.timing import failing, taking
from poolspec.runtime.web_apps import find_web_app
from poolspec.servers import Server
from poolspec.vocabulary import (
    CALL_FAULTS,
    Call,
    Connections,
    ErrorKind,
    Fault,
    Flaw,
    Given,
    Interruption,
    Operation,
    Shell,
    Target,
    TimeKind,
    Via,
)

if TYPE_CHECKING:
    from poolspec.runtime.aio.serving import AsyncService
    from poolspec.runtime.answers import Answer

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncLab(Bench[AsyncPool]):
    """What a generated asyncio test works with. Made, used and disposed of in one event loop."""

    _service: "AsyncService | None" = None

    def __init__(
        self,
        server: Server | None,
        adapter: AsyncPoolAdapter,
        time: TimeKind,
        connections: Connections = Connections.DRIVER,
    ) -> None:
        self._adapter = adapter
        self._time = time
        self._clock = adapter.clock(time)
        logs = getattr(adapter, "logs", NO_LOG)
        self._connections = connections
        calls = CallFaults()
        self._stage: AsyncStage | None = None
        if connections in (Connections.SCRIPTED, Connections.MINIMAL):
            minimal = connections is Connections.MINIMAL
            self._stage = foreign(adapter).stage(self._clock, calls.plan, minimal)
            server = StageServer(self._stage)
        assert server is not None, "only scripted connections do without a server"
        super().__init__(server, adapter.capabilities, self._clock, logs, calls)
        self._crew = AsyncCrew(self._clock, self._log)
        self._strangers: list[AsyncHeld] = []

    # --- making things ---------------------------------------------------------------------------

    def measure(self) -> None:
        """Have the pool that is made next monitored; needs the capability `metrics`."""
        self._measure(self._adapter)

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

    async def web_app(self, name: str, **options: Any) -> AsyncPool:
        """Serve a web application on a pool under test; see `Lab.web_app`."""
        from poolspec.runtime.aio.serving import AsyncService  # a web server takes long to import

        async def open_pool(**own: Any) -> Any:
            return (await self.pool(**{**own, **options})).raw

        self._service = AsyncService(find_web_app(name, Shell.ASYNCIO)(open_pool))
        await self._service.start()
        return self._only_pool()

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
        """Do a step that was registered with `poolspec.runtime.steps.step`."""
        done = find_step(name)(self)
        if inspect.isawaitable(done):
            await done

    # --- actors and time -------------------------------------------------------------------------

    def start(self, *actors: AsyncActor) -> None:
        """Start actors; none runs before all are started."""
        self._crew.start(actors)

    async def join(self, *names: str) -> None:
        """Wait for actors to end; raise what one of them raised."""
        await self._crew.join(names)

    def cancel(self, name: str) -> None:
        """Cancel an actor's tasks."""
        self._crew.cancel(name)

    async def wait_until_waiting(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, are in the pool's queue."""
        await self._wait_until(lambda: self._are(set(self._waiting()), name, count))

    async def wait_until_holding(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, hold a connection."""
        await self._wait_until(lambda: self._are(self._holding(), name, count))

    async def wait_until_done(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, have ended."""
        await self._wait_until(lambda: self._are(self._crew.done(), name, count))

    async def advance(self, seconds: float) -> None:
        """Let that time pass."""
        await self._clock.sleep(seconds)

    def took(self, expected: Expected) -> AbstractContextManager[None]:
        """Check how long the block takes, in seconds of the test's clock."""
        return taking(self._clock.now, expected)

    def fails(
        self,
        kind: ErrorKind,
        *,
        took: Expected | None = None,
        saying: tuple[str, ...] = (),
        naming: tuple[str, ...] = (),
    ) -> AbstractContextManager[None]:
        """Check that the block fails in this way, what it says, and how long it takes to."""
        look = self._secrets.look_into
        kind_of = self._adapter.kind_of
        return failing(self._clock.now, kind_of, kind, took, (*saying, *naming), look)

    async def expect_server(
        self, *, connections: Expected | None = None, peak: Expected | None = None
    ) -> None:
        """Check the server's count of this test's pool connections, and the most open at once."""
        await asyncio.to_thread(self._check_server, connections, peak)

    async def expect_patience(self, expected: Expected) -> None:
        """Check how long a task that waits for the database will still wait, in real seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + SETTLE
        while True:
            said = patience.complaint(expected, patience.of_tasks(loop))
            if said is None or loop.time() > deadline:
                return demand(said)
            await asyncio.sleep(LOOK_EVERY)

    # --- interrupts ------------------------------------------------------------------------------

    async def interrupt_everywhere(
        self,
        attempt: Callable[[AsyncCut], Coroutine[Any, Any, None]],
        *,
        by: Interruption = Interruption.INTERRUPT,
        at_least: int = 1,
    ) -> None:
        """Make an attempt again and again, cut short at another point; see the threads' lab."""
        points, sockets = 0, OpenSockets()
        for number in range(1, MOST):
            for moment in MOMENTS[by]:
                cut = AsyncCut(number, moment, by)
                await self._attempt(attempt, cut, sockets)
                if not cut.where:
                    return check_points(points, at_least)
                points += 1
                self._log.add("cut_short", detail=cut.where)
        raise AssertionError(f"not through after {MOST} points")

    async def _attempt(
        self,
        attempt: Callable[[AsyncCut], Coroutine[Any, Any, None]],
        cut: AsyncCut,
        sockets: OpenSockets,
    ) -> None:
        pool = self._only_pool()
        self._hooks.forget()
        with telling(cut):
            await pool.close()
            sockets.check()
            pool.renew(*await self._new_pool())
            await Driven(attempt(cut), cut)
            await self._come_to_rest(pool)

    # --- load ------------------------------------------------------------------------------------

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
        kinds = operations if isinstance(operations, Mapping) else mix or {Operation.READ: 1}
        total = operations if isinstance(operations, int) else None
        tasks = plan(kinds, total if each is None else each * clients, hold, first=self._rows)
        self._prepare_table(kinds, len(tasks))
        result = LoadResult()
        habits = AsyncHabits(via, timeout, self._clock, self._adapter.kind_of)
        crowd = AsyncClients(self._only_pool(), self._adapter, habits, result)
        started = self._clock.now()
        heaps = heaps_of(tasks, clients, shared=each is None)
        await run_in_tasks(self._crew, f"load{self._rows}", crowd, heaps)
        result.elapsed = self._clock.now() - started
        result.lost_writes = self._lost(result.written)
        return result

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
        running = self._start_running(clients, mix or {Operation.READ: 1}, hold)
        habits = AsyncHabits(via, timeout, self._clock, self._adapter.kind_of, REST)
        crowd = AsyncClients(self._only_pool(), self._adapter, habits, running.result)
        start_in_tasks(self._crew, running.name, crowd, running.streams)
        return running.result

    async def stop_load(self, load: LoadResult) -> None:
        """End a load that goes on; wait until every client has finished its operation."""
        running = self._stop_running(load)
        await self._crew.join(f"{running.name}-{n + 1}" for n in range(len(running.streams)))
        await asyncio.to_thread(self._sum_up, running)

    async def _visit(self, clients: int, requests: Mapping[str, int]) -> LoadResult:
        tasks = plan(requests, None, None)
        result = LoadResult()
        visitors = AsyncVisitors(self._ask, self._clock.now, result)
        name, started = self._next_load(len(tasks)), self._clock.now()
        await run_in_tasks(self._crew, name, visitors, heaps_of(tasks, clients, shared=True))
        result.elapsed = self._clock.now() - started
        return result

    async def request(
        self,
        request: str,
        *,
        status: Expected,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> None:
        """Send a request to the web application, and check its answer; see `Lab.request`."""
        answer = await self._ask(request)
        answer.check(status, headers or {}, json or {})

    # --- faults ----------------------------------------------------------------------------------

    async def fault(
        self,
        fault: Fault,
        *,
        on: AsyncHeld | None = None,
        seconds: float = 0.0,
        times: int | None = None,
    ) -> None:
        """Break something; see `Lab.fault`."""
        if fault is Fault.CONNECTION_KILLED:
            assert on is not None
            await asyncio.to_thread(self._server_faults.kill, [on.number])
        elif fault is Fault.IDLE_KILLED:
            await asyncio.to_thread(self._server_faults.kill, self._idle_at_server())
        elif fault in CALL_FAULTS:
            self._calls.set(fault, seconds=seconds, times=times)
        else:
            await asyncio.to_thread(self._break_server, fault)

    async def heal(self, fault: Fault) -> None:
        """End a fault."""
        if fault in CALL_FAULTS:
            self._calls.clear(fault)
            self._log.add("healed")
        else:
            await asyncio.to_thread(self._mend_server, fault)

    async def expect_health(self, status: str) -> None:
        """Check the pool's own verdict on itself."""
        seen = await self._only_pool().health()
        demand(None if seen == status else f"health: expected {status}, was {seen}")

    async def expect_within(self, seconds: float, check: Callable[[], Awaitable[None]]) -> None:
        """Wait until expectations hold, but not longer than so many seconds of the test's clock."""
        deadline = self._clock.now() + seconds
        while True:
            try:
                return await check()
            except AssertionError:
                if self._clock.now() >= deadline:
                    raise
            await self._clock.sleep(min(LOOK_EVERY, deadline - self._clock.now()))

    # --- the end ---------------------------------------------------------------------------------

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
        self._stop_all()
        await self._crew.abandon()
        for stranger in self._strangers:  # first, for somebody may wait for a lock of theirs
            self._adapter.end(stranger.raw)
        try:
            await self._stop_service()
        finally:
            for pool in self._pools:
                await pool.dismiss()
                await self._adapter.close(pool.raw)
            for sockets in self._counted:
                for connection in sockets.open().values():
                    self._adapter.end(connection)
            self._clean_up()

    def abort(self, reason: str) -> None:
        """Make every actor that waits, now or later, raise an exception that says why."""
        self._clock.abort(reason)

    # --- inside ----------------------------------------------------------------------------------

    async def _new_pool(self) -> tuple[Any, Sockets]:
        sockets, options = self._sockets(), self._options(self._made_with)
        return await self._adapter.create(options, self._wiring(sockets)), sockets

    async def _come_to_rest(self, pool: AsyncPool) -> None:
        """Give all back, and see that nothing is missing: all can be borrowed, all counts agree."""
        await self._crew.join_all()
        self._let_rest()
        await pool.release_all()
        if self._time is TimeKind.VIRTUAL:
            await self._clock.sleep(CALM)
        check_idle(pool.stats(), self._capabilities)
        await self._borrow_all(pool)
        broken(await asyncio.to_thread(self._broken_at_rest, pool, pool.stats()))

    async def _borrow_all(self, pool: AsyncPool) -> None:
        try:
            for _ in range(lendable(pool.stats(), self._capabilities)):
                await pool.acquire()
        except Exception as error:
            if not pool.is_over or self._adapter.kind_of(error) is not ErrorKind.CLOSED:
                raise
        await pool.release_all()

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

    def _wiring(self, sockets: Sockets) -> AsyncWiring:
        connect = self._connector(sockets)
        return AsyncWiring(connect, self._clock, self._time, self._heard, self._meter)

    def _wrapped(self, raw: Any, sockets: Sockets) -> AsyncPool:
        look = self._secrets.look_into
        return self._known(raw, lambda: AsyncPool(raw, self._adapter, self._log, sockets, look))

    def _opener(self) -> Open:
        if self._stage is not None:
            return self._stage.open
        if self._connections is Connections.PLAIN:
            return foreign(self._adapter).plain(self._tenant)
        return self._adapter.opener(self._tenant)

    async def _ask(self, request: str) -> "Answer":
        assert self._service is not None, "the test has no web_app"
        self._log.add("asked", detail=request)
        answer = await self._service.ask(request)
        self._log.add("answered", detail=f"{request}: {answer.status}")
        return answer

    async def _stop_service(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            await service.stop()

    async def _suffer(self, plan: Plan) -> None:
        if plan.delay:
            await self._clock.sleep(plan.delay)
        if plan.hang is not None:
            await self._wait_until(partial(getattr, plan.hang, "over"))
        if plan.error is not None:
            raise plan.error

    async def _wait_until(self, holds: Callable[[], bool]) -> None:
        await wait_until(self._log, self._clock, holds)

    def _are(self, actors: set[str], name: str | None, count: int) -> bool:
        """Say whether all of an actor's tasks, or at least `count` tasks, are among these."""
        return len(actors) >= count if name is None else actors.issuperset(self._crew.members(name))
