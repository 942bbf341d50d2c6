"""The bench: what a test stands on, and the clean-up after it.

It makes pools and connections for one test, keeps track of them, and undoes everything however the
test ended. After a test that passed on its own words, `verify` gives back what is still held and
checks the standing invariants; a test passes only if they hold too.
"""

import threading
from collections.abc import Iterator

from poolspec.runtime import invariants
from poolspec.runtime.actors import Crew
from poolspec.runtime.borrowing import Held, Pool
from poolspec.runtime.connection import Connector, open_connection
from poolspec.runtime.contract import PoolAdapter, Wiring
from poolspec.runtime.log import Log
from poolspec.runtime.observe import Observer, settle
from poolspec.servers import Server
from poolspec.vocabulary import TimeKind

__tracebackhide__ = True  # a failure is shown where the test failed


class Bench:
    """One test's pools, identity at the server, clock, actors and log."""

    def __init__(self, server: Server, adapter: PoolAdapter, time: TimeKind) -> None:
        self._threads_before = set(threading.enumerate())
        self._server = server
        self._adapter = adapter
        self._time = time
        self._clock = adapter.clock(time)
        self._log = Log(self._clock)
        self._crew = Crew(self._clock, self._log)
        self._tenant = server.create_tenant()
        self._observer = Observer(server, self._tenant)
        self._shared_connector = self._connector()
        self._strangers: list[Held] = []
        self._pools: list[Pool] = []
        self._lock = threading.Lock()  # guards _pools: any actor may ask for the global pool

    def pool(self, **options: float) -> Pool:
        """Make the pool under test; durations in seconds."""
        connector = self._connector()
        return self._known(self._adapter.create(options, self._wiring(connector)), connector)

    def global_pool(self, **options: float) -> Pool:
        """Ask for the process-wide pool. Any actor may."""
        wiring = self._wiring(self._shared_connector)
        return self._known(self._adapter.global_pool(options, wiring), self._shared_connector)

    def connect(self) -> Held:
        """Open a connection that no pool knows."""
        stranger = Held(open_connection(self._tenant), None)
        self._observer.strangers.add(stranger.number)
        self._strangers.append(stranger)
        return stranger

    def verify(self) -> None:
        """Give everything back, check the standing invariants, and that closing leaves nothing.

        Raises AssertionError naming every invariant that is broken.
        """
        self._crew.join_all()
        for pool in self._pools:
            pool.release_all()
        broken = [*self._broken_in_log(), *self._broken_at_rest(), *self._left_after_close()]
        if broken:
            raise AssertionError("\n  ".join(["standing invariants broken:", *broken]))

    def dispose(self) -> None:
        """Undo everything, however the test ended."""
        self._clock.abort("the test is over")
        self._crew.abandon()
        for pool in self._pools:
            self._adapter.close(pool.raw)
            pool.connector.close_left()
        for stranger in self._strangers:
            stranger.raw.close()
        self._observer.close()
        self._server.drop_tenant(self._tenant)

    def abort(self, reason: str) -> None:
        """Make every actor that waits, now or later, raise an exception that says why."""
        self._clock.abort(reason)

    def timeline(self) -> list[str]:
        """Return the event log as text."""
        return [str(entry) for entry in self._log.entries()]

    def state(self) -> list[str]:
        """Say what each pool and the server report now."""
        lines = [f"pool: {pool.stats()}" for pool in self._pools]
        return [*lines, f"server: {self._observer.connections(lambda _: True)} connections"]

    def _only_pool(self) -> Pool:
        if len(self._pools) != 1:
            raise AssertionError(f"this test has {len(self._pools)} pools, so which is meant?")
        return self._pools[0]

    def _connector(self) -> Connector:
        opener = self._adapter.opener(self._tenant)
        return Connector(opener, lambda kind, number: self._log.add(kind, connection=number))

    def _wiring(self, connector: Connector) -> Wiring:
        return Wiring(connector, self._clock, self._time, self._log.append)

    def _known(self, raw: object, connector: Connector) -> Pool:
        with self._lock:
            for pool in self._pools:
                if pool.raw is raw:
                    return pool
            pool = Pool(raw, self._adapter, self._log, connector)
            self._pools.append(pool)
            return pool

    def _broken_in_log(self) -> Iterator[str]:
        return invariants.violations_in_log(self._log.entries(), self._adapter.capabilities)

    def _broken_at_rest(self) -> Iterator[str]:
        for pool in self._pools:
            sockets = len(pool.connector.open())
            at_rest = invariants.AtRest(
                stats=pool.stats(),
                sockets=sockets,
                peak=pool.connector.peak,
                at_server=self._observer.connections(sockets.__eq__),
            )
            yield from invariants.violations_at_rest(at_rest, self._adapter.capabilities)

    def _left_after_close(self) -> Iterator[str]:
        for pool in self._pools:
            pool.close()
            if pool.connector.open():
                yield f"{len(pool.connector.open())} sockets are open after close"
        left = self._observer.connections(lambda seen: seen == 0)
        if left:
            yield f"the server counts {left} connections after close"
        threads = settle(self._new_threads, lambda names: not names)
        if threads:
            yield f"threads are left: {', '.join(threads)}"

    def _new_threads(self) -> list[str]:
        return [thread.name for thread in set(threading.enumerate()) - self._threads_before]
