"""The lab for pools that threads use: it makes the parts of a test, and delegates to them.

The lab undoes everything that the test leaves. If a test passes, `verify` checks its invariants.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Unpack

from poolspec.faults.calls import CallFaults
from poolspec.faults.scripted_server import ScriptedServer
from poolspec.faults.terms import FaultTerms
from poolspec.interruption.points import Point
from poolspec.lab import remaining_timeout
from poolspec.lab.common import CommonLab
from poolspec.lab.comparisons import Expected
from poolspec.lab.contract import PoolAdapter
from poolspec.lab.load.result import LoadResult
from poolspec.lab.load.terms import LoadTerms
from poolspec.lab.repetition import expect, kept
from poolspec.lab.steps import find_step
from poolspec.lab.threads.actors import Actor, Actors, actor
from poolspec.lab.threads.child import run_in_child
from poolspec.lab.threads.clock import Clock
from poolspec.lab.threads.ending import Ending
from poolspec.lab.threads.executor import run_in_executor
from poolspec.lab.threads.faults import Faults
from poolspec.lab.threads.global_pool import GlobalPool
from poolspec.lab.threads.held import Held
from poolspec.lab.threads.interruption import Interrupter, Reenterer
from poolspec.lab.threads.load import Load
from poolspec.lab.threads.opening import Opener, scripted_of
from poolspec.lab.threads.pool import Pool, ThreadsContext
from poolspec.lab.threads.pools import Pools
from poolspec.lab.threads.progress import Progress, expect_health
from poolspec.lab.threads.rest import Rest
from poolspec.lab.threads.web import Web
from poolspec.lab.web.requests import RequestTerms
from poolspec.servers import Server
from poolspec.vocabulary import (
    Connections,
    ErrorKind,
    Fault,
    Flaw,
    Given,
    Interruption,
    Runner,
    Target,
    TimeKind,
)
from poolspec.witness.busy import BusyClock
from poolspec.witness.sampler import Sampler

__tracebackhide__ = True  # a failure is shown where the test failed


class Lab(CommonLab[Pool, Clock]):
    """What a generated test works with. Its methods belong to the test's main thread."""

    def __init__(
        self,
        server: Server | None,
        adapter: PoolAdapter,
        time: TimeKind,
        connections: Connections = Connections.DRIVER,
    ) -> None:
        threads = set(threading.enumerate())
        busy, calls = BusyClock(adapter.clock(time)), CallFaults(adapter.driver.failure)
        scripted = scripted_of(adapter, busy, calls, connections)
        there = server if scripted is None else ScriptedServer(scripted)
        assert there is not None, "only scripted connections do without a server"
        context = ThreadsContext(there, adapter, adapter.driver, busy, time, calls)
        sampler = Sampler.beside(context.clock, context.witness)
        self._actors = Actors(context.clock, context.log)
        super().__init__(context, self._actors)
        self._progress, self._faults = Progress(context, self._actors), Faults(context)
        self.check_memory = self._progress.check_memory
        self._pools = Pools(context, adapter, Opener(context, adapter, connections, scripted))
        self.make_pool = self._pools.add
        self._global_pool = GlobalPool(context, adapter, self._pools)
        self._web = Web(context, self._pools)
        self._load = Load(context, self._actors, adapter.driver, self._web)
        actors, pools, web, checks = self._actors, self._pools, self._web, self.invariants
        rest = Rest(context, actors, checks)
        self._interrupter = Interrupter(context, adapter, pools, rest)
        self.reenter = Reenterer(context, actors, pools, rest).everywhere
        self.ending = Ending(context, adapter, actors, pools, web, rest, threads, sampler)

    # --- pools -----------------------------------------------------------------------------------

    def pool(
        self, *, housekeeping: float | None = None, listener: str | None = None, **options: Any
    ) -> Pool:
        """Make the pool under test, with periodic maintenance if asked for; times in seconds."""
        return self._pools.make(housekeeping, listener, options)

    def global_pool(self, **options: Any) -> Pool:
        """Return the process-wide pool. Any actor may ask."""
        return self._global_pool.get(options)

    def open(
        self,
        target: Target = Target.RIGHT,
        *,
        given: Given = Given.CONFIG,
        flaw: Flaw | None = None,
        **options: Any,
    ) -> Pool:
        """Make one more pool, which connects by a configuration that leads to `target`."""
        return self._pools.open(target, given, flaw, options)

    def connect(self) -> Held:
        """Open a connection that belongs to no pool."""
        return self._pools.connect()

    def execute(self, sql: str) -> None:
        """Run a statement on a connection that belongs to no pool, and commit it."""
        self.context.execute(sql)

    def use(self, name: str) -> None:
        """Do a step that was registered with `poolspec.lab.steps.step`."""
        self._actors.is_all = False  # the step may start any actor
        find_step(name)(self)

    # --- actors, time and what the test waits for ------------------------------------------------

    def start(self, *actors: Actor | Callable[[], None]) -> None:
        """Start actors; all leave a barrier at the same moment. A function is one actor."""
        self._actors.start(one if isinstance(one, Actor) else actor(one) for one in actors)

    def join(self, *names: str, one_fails: ErrorKind | None = None) -> None:
        """Wait until actors have ended. Raises the first error that one of them ended with.

        If `one_fails`, exactly one of them must have ended with an error, of that kind.
        """
        self._actors.join(names, self._one_fails(one_fails))

    def fork(self, work: Callable[[], None]) -> None:
        """Do work in a forked child; raise AssertionError if it fails or leaves a socket open."""
        run_in_child(self.context, self._actors, work)

    def wait_until_waiting(
        self,
        name: str | None = None,
        *,
        count: int = 0,
        of: Pool | None = None,
        within: float | None = None,
    ) -> None:
        """Wait until an actor, or at least `count` of them, are in the pool's queue."""
        self._progress.until_waiting(name, count, of, within)

    def wait_until_holding(
        self,
        name: str | None = None,
        *,
        count: int = 0,
        of: Pool | None = None,
        within: float | None = None,
    ) -> None:
        """Wait until an actor, or at least `count` of them, hold a connection."""
        self._progress.until_holding(name, count, of, within)

    def wait_until_blocked(
        self,
        name: str | None = None,
        *,
        count: int = 0,
        within: float | None = None,
    ) -> None:
        """Wait until the statements of an actor, or of `count` of them, wait for a lock."""
        self._progress.until_blocked(name, count, within)

    def wait_until_done(
        self,
        name: str | None = None,
        *,
        count: int = 0,
        within: float | None = None,
    ) -> None:
        """Wait until an actor, or at least `count` of them, have ended."""
        self._progress.until_done(name, count, within)

    def advance(self, seconds: float) -> None:
        """Let that much time pass."""
        self._progress.advance(seconds)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Repeat the expectations of the block, at its end, until all of them hold.

        Raises the AssertionError of the last try after that many seconds of the test's clock.
        """
        with kept() as checks:
            yield

        def check_all() -> None:
            for check in checks:
                check()

        self._progress.within(seconds, check_all)

    def expect_stats(self, *, of: Pool | None = None, **expected: Expected) -> None:
        """Check a pool's figures, by `StatName`: its own, if it counts, and the lab's."""
        expect(self._expectations.stats, expected, of)

    def expect_server(self, *, of: Pool | None = None, **expected: Expected) -> None:
        """Check the server's count of connections of the pools, or one, and the most at once."""
        expect(self._expectations.server, expected, of)

    def expect_health(self, status: str, *, of: Pool | None = None) -> None:
        """Check a pool's report of its health; the figures in it must be the pool's."""
        expect(expect_health, self.context, self.invariants, status, of)

    def expect_remaining_timeout(self, expected: Expected) -> None:
        """Check how long an actor that waits for the database will still wait, in real seconds."""
        expect(remaining_timeout.expect_of_threads, expected, self.ending.new_threads)

    # --- load and web applications ---------------------------------------------------------------

    def load(self, name: str = "load", **terms: Unpack[LoadTerms]) -> LoadResult:
        """Let clients do operations on a pool, or send requests, until all are done."""
        if terms.get("runner") is Runner.EXECUTOR:
            return run_in_executor(self.context, self._load, name, terms)
        return self._load.run(name, **terms)

    def start_load(self, name: str = "load", **terms: Unpack[LoadTerms]) -> LoadResult:
        """Let clients do operations on a pool until `stop_load`."""
        return self._load.start(name, **terms)

    def stop_load(self, load: LoadResult) -> None:
        """Stop a load; wait until every client has finished its operation."""
        self._load.stop(load)

    def web_app(self, name: str, **options: Any) -> Pool:
        """Serve a web application; `options` override those of its pool, which is returned."""
        return self._web.serve(name, options)

    def request(self, request: str, **terms: Unpack[RequestTerms]) -> None:
        """Send a request to the web application, and check its answer. Any actor may."""
        self._web.request(request, **terms)

    # --- faults and interruptions ----------------------------------------------------------------

    def fault(self, fault: Fault, **terms: Unpack[FaultTerms]) -> None:
        """Set a fault, as its terms say; see `FaultTerms`."""
        self._faults.set(fault, terms)

    def heal(self, fault: Fault) -> None:
        """End a fault."""
        self._faults.heal(fault)

    def interrupt_everywhere(
        self,
        attempt: Callable[[Point], None],
        *,
        by: Interruption = Interruption.INTERRUPT,
        at_least: int = 1,
        may_recover: bool = False,
    ) -> None:
        """Repeat an attempt, interrupted at another point each time, until it runs through.

        Each attempt has a new pool, made like the test's, which afterwards must have lost nothing.
        The last one becomes the test's pool. The interruption must leave the attempt, unless it is
        a timeout and the pool `may_recover`. Raises AssertionError, also for fewer points than
        `at_least`.
        """
        self._interrupter.everywhere(attempt, by, at_least, may_recover=may_recover)

    # --- the test's end --------------------------------------------------------------------------

    def verify(self) -> None:
        """Release everything, check the invariants, and check that closing leaves nothing.

        Raises AssertionError that lists every broken invariant.
        """
        self.ending.verify()

    def dispose(self) -> None:
        """Undo everything, however the test ended.

        Raises the first error, or AssertionError that names a step that did not end.
        """
        self.ending.dispose()
