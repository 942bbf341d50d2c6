"""Pools: what a test works with is made here, each tied into the test.

A pool opens its connections through the lab's connector, shares the test's clock and tells its
events to the test's log. Everything that is made is known to the bench, which undoes it.
"""

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from poolspec.faults.calls import Plan
from poolspec.invariants.connection import Connector, open_connection
from poolspec.lab.contract import Configuring, PoolAdapter, Stage, Wiring
from poolspec.lab.expectations import Expectations
from poolspec.lab.invariant_checks import Verdict
from poolspec.lab.steps import find_step
from poolspec.lab.threads.actors import Crew, wait_until
from poolspec.lab.threads.clock import Clock
from poolspec.lab.threads.pool import Held, Pool
from poolspec.servers import Server
from poolspec.vocabulary import Call, Connections, Flaw, Given, Target, TimeKind

__tracebackhide__ = True  # a failure is shown where the test failed


class Pools(Expectations[Pool], Verdict[Pool]):
    """Makes what a test works with."""

    _adapter: PoolAdapter
    _clock: Clock
    _crew: Crew
    _stage: Stage | None

    def __init__(
        self,
        server: Server | None,
        adapter: PoolAdapter,
        time: TimeKind,
        connections: Connections = Connections.DRIVER,
    ) -> None:
        self._threads_before = set(threading.enumerate())
        super().__init__(server, adapter, time, connections)
        self._crew = Crew(self._clock, self._log)
        self._strangers: list[Held] = []
        self._shared_connector = self._connector()

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
        """Do a step that was registered with `poolspec.lab.steps.step`."""
        self._crew.is_all = False  # the step may start whom it likes
        find_step(name)(self)

    def _new_pool(self) -> tuple[Any, Connector]:
        connector = self._connector()
        options = self._options(self._made_with)
        return self._adapter.create(options, self._wiring(connector)), connector

    def _connector(self) -> Connector:
        open_one = self._opener()

        def open_unless_faulty() -> Any:
            if self._stage is None:  # which plays its script itself
                self._suffer(self._calls.plan(Call.CONNECT))
            return open_one()

        return Connector(open_unless_faulty, self._sockets())

    def _suffer(self, plan: Plan) -> None:
        if plan.delay:
            self._clock.sleep(plan.delay)
        if plan.hang is not None:
            self._wait_until(partial(getattr, plan.hang, "over"))
        if plan.error is not None:
            raise plan.error

    def _wiring(self, connector: Connector) -> Wiring:
        return Wiring(connector, self._clock, self._time, self._heard, self._meter)

    def _wrapped(self, raw: object, connector: Connector) -> Pool:
        look = self._secrets.look_into
        return self._known(raw, lambda: Pool(raw, self._adapter, self._log, connector, look))

    def _wait_until(self, holds: Callable[[], bool]) -> None:
        wait_until(self._log, self._clock, holds)
