"""The lab: the words that generated tests are written in, for pools that are used by threads.

Everything a generated test calls is a method of `Lab`, of the pool or a connection it hands out, or
of the result of its load. Times are seconds of the test's clock. What the test does not undo, the
lab undoes; a test that passed on its own words is then held to the standing invariants by `verify`.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from poolspec.runtime import patience
from poolspec.runtime.actors import Actor, Crew
from poolspec.runtime.bench import Bench, broken, demand
from poolspec.runtime.borrowing import Held, Pool
from poolspec.runtime.calls import CallFaults, Plan
from poolspec.runtime.checks import Expected
from poolspec.runtime.clients import (
    Clients,
    ExecutorRun,
    Habits,
    Visitors,
    run_in_threads,
    start_in_threads,
)
from poolspec.runtime.connection import Connector, close_left, end, open_connection
from poolspec.runtime.contract import Configuring, PoolAdapter, Stage, Wiring, foreign
from poolspec.runtime.cuts import MOST, Cut
from poolspec.runtime.faults import LOOK_EVERY
from poolspec.runtime.forking import in_child
from poolspec.runtime.journal import NO_LOG
from poolspec.runtime.load import REST, LoadResult, heaps_of, plan
from poolspec.runtime.log import wait_until
from poolspec.runtime.observe import settle
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
    Runner,
    Shell,
    Target,
    TimeKind,
    Via,
)

if TYPE_CHECKING:
    from poolspec.runtime.answers import Answer
    from poolspec.runtime.serving import Service

__tracebackhide__ = True  # a failure is shown where the test failed


class Lab(Bench[Pool]):
    """What a generated test works with. Its methods belong to the test's main thread."""

    _service: "Service | None" = None

    def __init__(
        self,
        server: Server | None,
        adapter: PoolAdapter,
        time: TimeKind,
        connections: Connections = Connections.DRIVER,
    ) -> None:
        self._threads_before = set(threading.enumerate())
        self._adapter = adapter
        self._time = time
        self._clock = adapter.clock(time)
        logs = getattr(adapter, "logs", NO_LOG)
        self._connections = connections
        calls = CallFaults()
        self._stage: Stage | None = None
        if connections in (Connections.SCRIPTED, Connections.MINIMAL):
            minimal = connections is Connections.MINIMAL
            self._stage = foreign(adapter).stage(self._clock, calls.plan, minimal)
            server = StageServer(self._stage)
        assert server is not None, "only scripted connections do without a server"
        super().__init__(server, adapter.capabilities, self._clock, logs, calls)
        self._crew = Crew(self._clock, self._log)
        self._shared_connector = self._connector()
        self._strangers: list[Held] = []

    # --- making things ---------------------------------------------------------------------------

    def measure(self) -> None:
        """Have the pool that is made next monitored; needs the capability `metrics`."""
        self._measure(self._adapter)

    def pool(
        self, *, housekeeping: float | None = None, listener: str | None = None, **options: Any
    ) -> Pool:
        """Make the pool under test, and have it looked after; durations in seconds."""
        self._listening = listener
        self._made_with = options
        pool = self._wrapped(*self._new_pool())
        if housekeeping is not None:
            pool.keep(housekeeping)
        return pool

    def global_pool(self, **options: Any) -> Pool:
        """Ask for the process-wide pool. Any actor may."""
        connector = self._shared_connector
        raw = self._adapter.global_pool(self._options(options), self._wiring(connector))
        return self._wrapped(raw, connector)

    def open(
        self,
        target: Target = Target.RIGHT,
        *,
        given: Given = Given.CONFIG,
        flaw: Flaw | None = None,
        **options: Any,
    ) -> Pool:
        """Make one more pool, which connects by a configuration that leads to `target`."""
        connector = self._connector()
        place = self._place(target, given, flaw, connector.count)
        wiring = replace(self._wiring(connector), listen=self._listener())
        adapter: Configuring = self._adapter  # type: ignore[assignment]  # see `needs`
        return self._wrapped(adapter.open(self._options(options), place, wiring), connector)

    def web_app(self, name: str, **options: Any) -> Pool:
        """Serve a web application on a pool under test, with `options` over its own; the pool."""
        from poolspec.runtime.serving import Service  # a web server takes long to import

        make = find_web_app(name, Shell.THREADS)
        self._service = Service(make(lambda **own: self.pool(**{**own, **options}).raw))
        self._service.start()
        return self._only_pool()

    def connect(self) -> Held:
        """Open a connection that no pool knows."""
        raw = self._stage.open() if self._stage else open_connection(self._tenant)
        stranger = Held(raw, None)
        self._observer.strangers.add(stranger.number)
        self._strangers.append(stranger)
        return stranger

    def execute(self, sql: str) -> None:
        """Run a statement on a connection that no pool knows; it is committed at once."""
        self._execute(sql)

    def use(self, name: str) -> None:
        """Do a step that was registered with `poolspec.runtime.steps.step`."""
        find_step(name)(self)

    # --- actors and time -------------------------------------------------------------------------

    def start(self, *actors: Actor) -> None:
        """Start actors; all leave a barrier at the same moment."""
        self._crew.start(actors)

    def join(self, *names: str) -> None:
        """Wait for actors to end; raise what one of them raised."""
        self._crew.join(names)

    def fork(self, work: Callable[[], None]) -> None:
        """Do work in a forked child, which has a copy of the test's pools and closes them.

        Raises AssertionError with the message of what fails there, and when it leaves something.
        """
        in_child(lambda: self._live(work))

    def wait_until_waiting(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, are in the pool's queue."""
        self._wait_until(lambda: self._are(set(self._waiting()), name, count))

    def wait_until_holding(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, hold a connection."""
        self._wait_until(lambda: self._are(self._holding(), name, count))

    def wait_until_done(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, have ended."""
        self._wait_until(lambda: self._are(self._crew.done(), name, count))

    def advance(self, seconds: float) -> None:
        """Let that time pass."""
        self._clock.sleep(seconds)

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

    def expect_server(
        self, *, connections: Expected | None = None, peak: Expected | None = None
    ) -> None:
        """Check the server's count of this test's pool connections, and the most open at once."""
        self._check_server(connections, peak)

    def expect_patience(self, expected: Expected) -> None:
        """Check how long an actor that waits for the database will still wait, in real seconds."""

        def look() -> str | None:
            actors = (thread.ident or 0 for thread in self._new_threads())
            return patience.complaint(expected, patience.of_threads(actors))

        demand(settle(look, lambda said: said is None))

    # --- interrupts ------------------------------------------------------------------------------

    def interrupt_everywhere(
        self,
        attempt: Callable[[Cut], None],
        *,
        by: Interruption = Interruption.INTERRUPT,
        at_least: int = 1,
    ) -> None:
        """Make an attempt again and again, cut short at another point each time.

        Each has a pool of its own, made as the test's, after which nothing may be missing there;
        the last one is not cut short, and its pool is the test's from then on. Raises
        AssertionError, also if there are fewer points than `at_least`.
        """
        pool, sockets = self._only_pool(), OpenSockets()
        for number in range(1, MOST):
            cut = Cut(number, by, self._adapter.kind_of)
            self._hooks.forget()
            with telling(cut):
                pool.close()
                sockets.check()
                pool.renew(*self._new_pool())
                attempt(cut)
                self._come_to_rest(pool)
            if not cut.where:
                return check_points(number - 1, at_least)
            self._log.add("cut_short", detail=cut.where)
        raise AssertionError(f"not through after {MOST} points")

    # --- load ------------------------------------------------------------------------------------

    def load(
        self,
        *,
        clients: int,
        operations: int | Mapping[Operation, int] | None = None,
        each: int | None = None,
        mix: Mapping[Operation, int] | None = None,
        hold: tuple[float, float] | None = None,
        timeout: float | None = None,
        via: Via = Via.ACQUIRE,
        runner: Runner = Runner.THREADS,
        requests: Mapping[str, int] | None = None,
    ) -> LoadResult:
        """Let `clients` clients do operations on the test's pool and wait until all are done.

        `operations` are shared out among the clients (a number, of the kinds of `mix`; or numbers
        by kind), `each` is for every client. `hold` is the range of seconds a connection is kept.
        Or they send `requests`, so many of each, to the web application.
        """
        if requests:
            return self._visit(clients, requests)
        kinds = operations if isinstance(operations, Mapping) else mix or {Operation.READ: 1}
        total = operations if isinstance(operations, int) else None
        tasks = plan(kinds, total if each is None else each * clients, hold, first=self._rows)
        self._prepare_table(kinds, len(tasks))
        result = LoadResult()
        habits = Habits(via, timeout, self._clock, self._adapter.kind_of)
        crowd = Clients(self._only_pool(), habits, result)
        name, started = f"load{self._rows}", self._clock.now()
        if runner is Runner.EXECUTOR:
            ExecutorRun(self._clock, self._log, clients, name).run(crowd, tasks)
        else:
            heaps = heaps_of(tasks, clients, shared=each is None)
            run_in_threads(self._crew, name, crowd, heaps)
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
        """Let `clients` clients do operations of the kinds of `mix` until `stop_load`."""
        running = self._start_running(clients, mix or {Operation.READ: 1}, hold)
        habits = Habits(via, timeout, self._clock, self._adapter.kind_of, REST)
        crowd = Clients(self._only_pool(), habits, running.result)
        start_in_threads(self._crew, running.name, crowd, running.streams)
        return running.result

    def stop_load(self, load: LoadResult) -> None:
        """End a load that goes on; wait until every client has finished its operation."""
        running = self._stop_running(load)
        self._crew.join(f"{running.name}-{n + 1}" for n in range(len(running.streams)))
        self._sum_up(running)

    def _visit(self, clients: int, requests: Mapping[str, int]) -> LoadResult:
        tasks = plan(requests, None, None)
        result = LoadResult()
        visitors = Visitors(self._ask, self._clock.now, result)
        name, started = self._next_load(len(tasks)), self._clock.now()
        run_in_threads(self._crew, name, visitors, heaps_of(tasks, clients, shared=True))
        result.elapsed = self._clock.now() - started
        return result

    def request(
        self,
        request: str,
        *,
        status: Expected,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> None:
        """Send a request to the web application, and check its answer. Any actor may.

        The answer's body is a JSON object, where any of its values are given.
        """
        self._ask(request).check(status, headers or {}, json or {})

    # --- faults ----------------------------------------------------------------------------------

    def fault(
        self,
        fault: Fault,
        *,
        on: Held | None = None,
        seconds: float = 0.0,
        times: int | None = None,
    ) -> None:
        """Break something: `on` a connection, for so many `seconds`, or so many `times`."""
        if fault is Fault.CONNECTION_KILLED:
            assert on is not None
            self._server_faults.kill([on.number])
        elif fault is Fault.IDLE_KILLED:
            self._server_faults.kill(self._idle_at_server())
        elif fault in CALL_FAULTS:
            self._calls.set(fault, seconds=seconds, times=times)
        else:
            self._break_server(fault)

    def heal(self, fault: Fault) -> None:
        """End a fault."""
        if fault in CALL_FAULTS:
            self._calls.clear(fault)
            self._log.add("healed")
        else:
            self._mend_server(fault)

    def expect_health(self, status: str) -> None:
        """Check the pool's own verdict on itself."""
        seen = self._only_pool().health()
        demand(None if seen == status else f"health: expected {status}, was {seen}")

    def expect_within(self, seconds: float, check: Callable[[], None]) -> None:
        """Wait until expectations hold, but not longer than so many seconds of the test's clock."""
        deadline = self._clock.now() + seconds
        while True:
            try:
                return check()
            except AssertionError:
                if self._clock.now() >= deadline:
                    raise
            self._clock.sleep(min(LOOK_EVERY, deadline - self._clock.now()))

    # --- the end ---------------------------------------------------------------------------------

    def verify(self) -> None:
        """Give everything back, check the standing invariants, and that closing leaves nothing.

        Raises AssertionError naming every invariant that is broken.
        """
        self._targets.hang_up()
        self._crew.join_all()
        for pool in self._pools:
            pool.dismiss()
            pool.release_all()
        said = list(self._broken_in_log())
        for pool in self._pools:
            said += self._broken_at_rest(pool, pool.stats())
        self._stop_service()
        for pool in self._pools:
            pool.close()
        threads = settle(self._thread_names, lambda names: not names)
        said += [f"threads are left: {', '.join(threads)}"] if threads else []
        broken(said + self._left() + self._told())

    def dispose(self) -> None:
        """Undo everything, however the test ended."""
        self.abort("the test is over")
        self._targets.hang_up()
        self._stop_all()
        for stranger in self._strangers:  # first, for somebody may wait for a lock of theirs
            end(stranger.raw)
        try:
            self._stop_service()
        finally:
            self._crew.abandon()
            for pool in self._pools:
                pool.dismiss()
                self._adapter.close(pool.raw)
            for sockets in self._counted:
                close_left(sockets)
            self._clean_up()

    def abort(self, reason: str) -> None:
        """Make every actor that waits, now or later, raise an exception that says why."""
        self._clock.abort(reason)

    # --- inside ----------------------------------------------------------------------------------

    def _new_pool(self) -> tuple[Any, Connector]:
        connector = self._connector()
        options = self._options(self._made_with)
        return self._adapter.create(options, self._wiring(connector)), connector

    def _come_to_rest(self, pool: Pool) -> None:
        """Give all back, and see that nothing is missing: all can be borrowed, all counts agree."""
        self._crew.join_all()
        self._let_rest()
        pool.release_all()
        if self._time is TimeKind.VIRTUAL:
            self._clock.sleep(CALM)
        check_idle(pool.stats(), self._capabilities)
        self._borrow_all(pool)
        broken(self._broken_at_rest(pool, pool.stats()))

    def _borrow_all(self, pool: Pool) -> None:
        try:
            for _ in range(lendable(pool.stats(), self._capabilities)):
                pool.acquire()
        except Exception as error:
            if not pool.is_over or self._adapter.kind_of(error) is not ErrorKind.CLOSED:
                raise
        pool.release_all()

    def _connector(self) -> Connector:
        open_one = self._opener()

        def open_unless_faulty() -> Any:
            if self._stage is None:  # which plays its script itself
                self._suffer(self._calls.plan(Call.CONNECT))
            return open_one()

        return Connector(open_unless_faulty, self._sockets())

    def _live(self, work: Callable[[], None]) -> None:
        """In a forked child: do work, and leave nothing. Connections of the parent do not count."""
        self._observer.forget()
        self._crew = Crew(self._clock, self._log)
        inherited = {pool: set(pool.sockets.open()) for pool in self._pools}
        work()
        self._crew.join_all()
        for pool in self._pools:
            pool.release_all()
            pool.close()
            left = pool.sockets.open().keys() - inherited.get(pool, set())
            demand(f"{len(left)} sockets of the child are open after close" if left else None)

    def _opener(self) -> Callable[[], Any]:
        if self._stage is not None:
            return self._stage.open
        if self._connections is Connections.PLAIN:
            return foreign(self._adapter).plain(self._tenant)
        return self._adapter.opener(self._tenant)

    def _suffer(self, plan: Plan) -> None:
        if plan.delay:
            self._clock.sleep(plan.delay)
        if plan.hang is not None:
            self._wait_until(partial(getattr, plan.hang, "over"))
        if plan.error is not None:
            raise plan.error

    def _ask(self, request: str) -> "Answer":
        assert self._service is not None, "the test has no web_app"
        self._log.add("asked", detail=request)
        answer = self._service.ask(request)
        self._log.add("answered", detail=f"{request}: {answer.status}")
        return answer

    def _stop_service(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            service.stop()

    def _wiring(self, connector: Connector) -> Wiring:
        return Wiring(connector, self._clock, self._time, self._heard, self._meter)

    def _wrapped(self, raw: object, connector: Connector) -> Pool:
        look = self._secrets.look_into
        return self._known(raw, lambda: Pool(raw, self._adapter, self._log, connector, look))

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        wait_until(self._log, self._clock, holds)

    def _are(self, actors: set[str], name: str | None, count: int) -> bool:
        """Say whether all of an actor's threads, or at least `count` threads, are among these."""
        return len(actors) >= count if name is None else actors.issuperset(self._crew.members(name))

    def _new_threads(self) -> set[threading.Thread]:
        return set(threading.enumerate()) - self._threads_before

    def _thread_names(self) -> list[str]:
        return [thread.name for thread in self._new_threads()]
