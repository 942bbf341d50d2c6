"""The bench: what every test stands on, whichever shell its pool has.

It knows one test's pools, identity at the server and event log; it checks what can be checked
without waiting for anybody, and finds what the standing invariants have to say.
"""

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, Protocol, TypeVar

from poolspec.implied import known_options
from poolspec.runtime import invariants
from poolspec.runtime.calls import CallFaults
from poolspec.runtime.checks import Expected, mismatch
from poolspec.runtime.connection import Make, Sockets
from poolspec.runtime.contract import LoanSeen, Meter, Metered, Place
from poolspec.runtime.faults import ServerFaults
from poolspec.runtime.grade import Grade, grade
from poolspec.runtime.hooks import HOOK_PLACES, HookError, Hooks
from poolspec.runtime.invariants import NUMBERS_VOID
from poolspec.runtime.journal import Journal, LogNames
from poolspec.runtime.load import (
    CREATE,
    ROWS_OF_A_STREAM,
    TABLE,
    LoadResult,
    Running,
    Stream,
)
from poolspec.runtime.locks import FreshLock
from poolspec.runtime.log import MAIN, Entry, Log
from poolspec.runtime.observe import Observer
from poolspec.runtime.secrets import Secrets
from poolspec.runtime.targets import Targets
from poolspec.servers import Server, ServerError
from poolspec.vocabulary import (
    Capability,
    Detail,
    EventKind,
    Fault,
    Flaw,
    Given,
    Listening,
    Operation,
    Real,
    Target,
)

__tracebackhide__ = True  # a failure is shown where the test failed


class Borrowed(Protocol):
    """A connection that a test holds, or held."""

    raw: Any
    number: int


class Time(Protocol):
    """A clock, as far as the bench goes."""

    def now(self) -> float:
        """Return the time in seconds."""

    def sleep(self, seconds: float) -> Any:
        """Let that time pass; in asyncio, what is to be awaited for it."""


class PoolUnderTest(Protocol):
    """A pool, whichever its shell."""

    raw: Any
    sockets: Sockets
    most_ever: int

    def stats(self) -> Mapping[str, int]:
        """Return the pool's own figures."""

    def loans(self) -> list[LoanSeen]:
        """Return what is on loan, by the pool's own account, the longest loan first."""

    def holders(self) -> list[str]:
        """Return the actors that hold a connection, once for each connection."""

    def numbers(self) -> list[int]:
        """Return the server's numbers of the connections that are held."""


P = TypeVar("P", bound=PoolUnderTest)


class Bench(Generic[P]):
    """One test's pools, identity at the server, and log."""

    _rows = 0
    """Rows that loads of this test may have written: the number of the next one."""
    _has_table = False
    _listening: str | None = None
    """What one more listener does, if there is one."""
    _meter: Meter | None = None

    def __init__(
        self,
        server: Server,
        capabilities: frozenset[Capability],
        clock: Time,
        logs: LogNames,
        calls: CallFaults,
    ) -> None:
        self._server = server
        self._clock: Any = clock
        self._capabilities = capabilities
        self._log = Log(clock.now)
        self._tenant = server.create_tenant()
        self._targets = Targets(server, self._tenant)
        self._observer = Observer(server, self._tenant, self._targets.strangers)
        self._secrets = Secrets(self._targets.passwords)
        self._folders: list[TemporaryDirectory[str]] = []
        self._counted: list[Sockets] = []
        self._calls = calls
        self._server_faults = ServerFaults(server, self._tenant)
        self._now = clock.now
        self._running: list[Running] = []
        self._hooks = Hooks(clock.sleep)
        self._journal = Journal(logs, self._secrets.look)
        self._pools: list[P] = []
        self._lock = FreshLock()  # guards _pools: any actor may ask for the global pool

    # --- expectations ----------------------------------------------------------------------------

    def expect_stats(self, **expected: Expected) -> None:
        """Check the pool's own figures, by `StatName`."""
        stats = self._only_pool().stats()
        demand(*(mismatch(name, value, stats[name]) for name, value in expected.items()))

    def expect_served(self, *actors: str) -> None:
        """Check the order in which actors were given what they had queued for."""
        seen = invariants.served(self._log.entries())
        if seen != list(actors):
            raise AssertionError(f"expected to be served in the order {list(actors)}, was {seen}")

    def expect_same(self, *things: Borrowed | PoolUnderTest) -> None:
        """Check that all are one connection, or one pool."""
        if len({_identity(thing) for thing in things}) != 1:
            raise AssertionError(f"expected one and the same, got {things}")

    def expect_different(self, *things: Borrowed | PoolUnderTest) -> None:
        """Check that no two are the same connection, or pool."""
        if len({_identity(thing) for thing in things}) != len(things):
            raise AssertionError(f"expected all different, got {things}")

    def expect_pools(self, expected: Expected) -> None:
        """Check how many different pools this test was given."""
        demand(mismatch("different pools", expected, len(self._pools)))

    def expect_events(self, *kinds: EventKind, exactly: bool) -> None:
        """Check the kinds of event that the pool told: just these, or these in this order."""
        told = [entry.kind for entry in self._log.entries() if entry.by_pool]
        rest = iter(told)
        if told != list(kinds) if exactly else not all(kind in rest for kind in kinds):
            wanted = ", ".join(kinds)
            raise AssertionError(f"expected events {wanted}; the pool told {', '.join(told)}")

    def expect_hooks(self, **expected: Expected) -> None:
        """Check how often the hooks that the test gave to its pool were called."""
        demand(*(mismatch(n, value, self._hooks.calls(n)) for n, value in expected.items()))

    def expect_real(self, *parts: Real) -> None:
        """Check what was real so far, and that nothing else was."""
        real = self.grade().real()
        if real != set(parts):
            seen = ", ".join(sorted(real)) or "nothing"
            raise AssertionError(f"expected just {', '.join(parts)} to be real, was {seen}")

    def grade(self) -> Grade:
        """Say how real the test was so far."""
        makes = frozenset[Make]().union(*(sockets.makes for sockets in self._counted))
        return grade(self._server.kind, makes, self._clock)

    def expect_calls(self, **expected: Expected) -> None:
        """Check how often connections were asked for things, by `Call`."""
        demand(*(mismatch(n, value, self._calls.calls(n)) for n, value in expected.items()))

    def expect_logs(self, **expected: Expected) -> None:
        """Check how many structured log records the pool wrote, by their event."""
        demand(*(mismatch(n, value, self._journal.count(n)) for n, value in expected.items()))

    def expect_loans(self, *expected: Mapping[str, Any]) -> None:
        """Check what is on loan, the longest loan first: by whom, for how many seconds, where.

        `where` says whether one of the places that the pool tells lies in the calling test.
        """
        seen = self._only_pool().loans()
        module = sys._getframe(1).f_code.co_filename
        demand(mismatch("loans", len(expected), len(seen)))
        demand(*chain(*(_loan(e, s, module) for e, s in zip(expected, seen, strict=True))))

    def expect_metrics(self, expected: Mapping[str, Expected]) -> None:
        """Check what monitoring sees, by `MetricName`, or `TimingName` and a part."""
        assert self._meter is not None
        seen = self._meter.read()
        demand(*(_metric(name, value, seen.get(name)) for name, value in expected.items()))

    def details(self, target: Target, *details: Detail) -> tuple[str, ...]:
        """Return the words by which an error must name a target."""
        return self._targets.details(target, details)

    # --- for the report of a failure -------------------------------------------------------------

    def timeline(self) -> list[str]:
        """Return the event log as text."""
        return [str(entry) for entry in self._log.entries()]

    def state(self) -> list[str]:
        """Say what each pool and the server report now."""
        lines = [f"pool: {pool.stats()}" for pool in self._pools]
        return [*lines, f"server: {self._server_state()}"]

    def _server_state(self) -> str:
        try:
            return f"{self._observer.connections(lambda _: True)} connections"
        except ServerError as error:
            return str(error)

    # --- for the labs ----------------------------------------------------------------------------

    def _only_pool(self) -> P:
        if len(self._pools) != 1:
            raise AssertionError(f"this test has {len(self._pools)} pools, so which is meant?")
        return self._pools[0]

    def _idle_at_server(self) -> frozenset[int]:
        held = {number for pool in self._pools for number in pool.numbers()}
        return self._server_faults.connection_ids() - held - self._observer.strangers

    def _measure(self, adapter: object) -> None:
        """Have the pool that is made next monitored."""
        assert isinstance(adapter, Metered), "needs: metrics"
        self._meter = adapter.meter()

    @property
    def _heard(self) -> Callable[[Entry], None] | None:
        """What takes the events of the next pool; None if nobody listens to it."""
        return None if self._listening == Listening.NOBODY else self._listen

    def _listen(self, entry: Entry) -> None:
        """Take an event of the pool; raises where the test wants that of its listener."""
        self._log.append(entry)
        if self._listening == Listening.FAILING:
            raise HookError("the listener fails, for the test wants it so")

    def _options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Put hooks in place of the words for them; leave out what this pool does not know."""
        made = {
            place: self._hooks.make(place, options[place])
            for place in HOOK_PLACES
            if place in options
        }
        return known_options({**options, **made}, self._capabilities)

    def _break_server(self, fault: Fault) -> None:
        """Kill or pause the server."""
        self._server_faults.set(fault)
        if fault is Fault.SERVER_KILLED:
            self._observer.lost_server()
            self._log.add(NUMBERS_VOID)

    def _mend_server(self, fault: Fault) -> None:
        """Start the server again, or let it go on."""
        if fault is Fault.SERVER_KILLED:
            self._log.add(NUMBERS_VOID)
        self._server_faults.clear(fault)

    def _start_running(
        self, clients: int, kinds: Mapping[Operation, int], hold: tuple[float, float] | None
    ) -> Running:
        """Make a load that goes on until it is stopped."""
        first = self._rows
        self._prepare_table(kinds, ROWS_OF_A_STREAM)
        streams = [Stream(kinds, hold, first + n, clients) for n in range(clients)]
        running = Running(f"load{first}", streams, self._now())
        self._running.append(running)
        return running

    def _stop_running(self, result: LoadResult) -> Running:
        """Let no client of a load begin another operation."""
        (running,) = (one for one in self._running if one.result is result)
        self._running.remove(running)
        running.stop()
        return running

    def _stop_all(self) -> None:
        """End loads that a failed test has left running."""
        for running in self._running:
            running.stop()

    def _sum_up(self, running: Running) -> None:
        """Complete the result of a load whose clients have ended."""
        running.result.elapsed = self._now() - running.started
        running.result.lost_writes = self._lost(running.result.written)

    def _clean_up(self) -> None:
        """Undo what both shells' tests have done, after their pools are closed."""
        self._server_faults.clear_all()
        self._journal.stop()
        if self._meter is not None:
            self._meter.stop()
        self._observer.close()
        self._targets.clean_up()
        for folder in self._folders:
            folder.cleanup()
        self._server.drop_tenant(self._tenant)

    def _let_rest(self) -> None:
        """Let nothing go wrong while it is seen whether anything is missing."""
        self._calls.clear_all()
        self._hooks.are_idle = True

    def _execute(self, sql: str) -> None:
        with self._observer.own().cursor() as cursor:
            cursor.execute(sql)

    def _sockets(self) -> Sockets:
        sockets = Sockets(lambda kind, number: self._log.add(kind, connection=number))
        self._counted.append(sockets)
        return sockets

    def _place(
        self, target: Target, given: Given, flaw: Flaw | None, opened: Callable[[Any], None]
    ) -> Place:
        """Return where a pool is told that its database is, and room for its files."""
        folder = TemporaryDirectory(prefix="poolspec-")
        self._folders.append(folder)
        return Place(self._targets.where(target), given, flaw, Path(folder.name), opened)

    def _listener(self) -> Callable[[Entry], None]:
        """Return what listens to one more pool, whose entries are told from those of others."""
        number = len(self._counted)
        return lambda entry: self._log.append(replace(entry, pool=number))

    def _known(self, raw: object, make: Callable[[], P]) -> P:
        with self._lock:
            for pool in self._pools:
                if pool.raw is raw:
                    return pool
            pool = make()
            self._pools.append(pool)
            return pool

    def _waiting(self) -> list[str]:
        return invariants.waiting(self._log.entries())

    def _holding(self) -> set[str]:
        return {actor for pool in self._pools for actor in pool.holders()}

    def _broken_in_log(self) -> Iterator[str]:
        return invariants.violations_in_log(self._log.entries(), self._capabilities)

    def _broken_at_rest(self, pool: P, stats: Mapping[str, int]) -> list[str]:
        """Compare a pool's figures with what process and server have. May wait for the server."""
        open_here = len(pool.sockets.open())
        others = (sockets for sockets in self._counted if sockets is not pool.sockets)
        besides = frozenset(number for sockets in others for number in sockets.numbers())
        at_rest = invariants.AtRest(
            stats=stats,
            sockets=open_here,
            peak=pool.sockets.peak,
            at_server=self._observer.connections(open_here.__eq__, besides),
            most_ever=pool.most_ever,
        )
        return list(invariants.violations_at_rest(at_rest, self._capabilities))

    def _left(self) -> list[str]:
        """Say what is left after all pools were closed. May wait for the server."""
        here = sum(len(sockets.open()) for sockets in self._counted)
        there = self._observer.connections(lambda seen: seen == 0)
        said = [f"{here} sockets are open after close"] if here else []
        return [*said, f"the server counts {there} connections after close"] if there else said

    def _told(self) -> list[str]:
        """Say who told a password; pools are asked for their representation."""
        for pool in self._pools:
            self._secrets.look("the representation of the pool", repr(pool.raw))
        return self._secrets.told()

    def _prepare_table(self, kinds: Mapping[Operation, int], rows: int) -> None:
        if not self._has_table and kinds.keys() & {Operation.WRITE, Operation.COMPLEX}:
            with self._observer.own().cursor() as cursor:
                cursor.execute(CREATE)
            self._has_table = True
        self._rows += rows

    def _next_load(self, tasks: int) -> str:
        """Return the name of a load of so many tasks."""
        name = f"load{self._rows}"
        self._rows += tasks
        return name

    def _lost(self, written: set[int]) -> int:
        if not written:
            return 0
        with self._observer.own().cursor() as cursor:
            cursor.execute(f"SELECT number FROM {TABLE}")
            return len(written - {number for (number,) in cursor.fetchall()})

    def _check_server(self, connections: Expected | None, peak: Expected | None) -> None:
        if connections is not None:
            wanted = connections
            seen = self._observer.connections(lambda n: mismatch("", wanted, n) is None)
            demand(mismatch("connections at the server", wanted, seen))
        if peak is not None:
            demand(mismatch("most connections at once", peak, self._only_pool().sockets.peak))


def _loan(expected: Mapping[str, Any], seen: LoanSeen, module: str) -> Iterator[str | None]:
    holder = MAIN if seen.holder == threading.main_thread().name else seen.holder
    if "by" in expected and expected["by"] != holder:
        yield f"on loan by: expected {expected['by']}, was {holder}"
    if "seconds" in expected:
        yield mismatch("on loan for", expected["seconds"], seen.seconds)
    known = any(place.startswith(f"{module}:") for place in seen.where)
    if expected.get("where", known) is not known:
        yield f"the pool tells these places of a loan: {', '.join(seen.where) or 'none'}"


def _metric(name: str, expected: Expected, seen: float | None) -> str | None:
    return f"{name}: not reported" if seen is None else mismatch(name, expected, seen)


def demand(*complaints: str | None) -> None:
    """Raise AssertionError with all complaints that are not None."""
    said = [text for text in complaints if text]
    if said:
        raise AssertionError("; ".join(said))


def broken(said: list[str]) -> None:
    """Raise AssertionError naming every standing invariant that is broken."""
    if said:
        raise AssertionError("\n  ".join(["standing invariants broken:", *said]))


def _identity(thing: Borrowed | PoolUnderTest) -> int:
    number = getattr(thing, "number", None)
    return id(thing.raw) if number is None else int(number)
