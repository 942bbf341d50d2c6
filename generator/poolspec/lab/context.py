"""The bench: what every test stands on, whichever concurrency its pool has.

It holds what one test has: its pools, its identity at the server, its faults, hooks and event log,
and it ties new pools into them. Nothing here waits for an actor.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, Protocol, TypeVar

from poolspec.faults.calls import CallFaults
from poolspec.faults.hooks import HOOK_PLACES, Hooks
from poolspec.faults.scripted_server import StageServer
from poolspec.faults.server import ServerFaults
from poolspec.faults.targets import Targets
from poolspec.invariants import checks
from poolspec.invariants.connection import Make, Sockets
from poolspec.invariants.grade import Grade, grade
from poolspec.invariants.log import Entry, Log
from poolspec.invariants.log_records import NO_LOG, Journal
from poolspec.invariants.observer import Observer
from poolspec.invariants.passwords import Secrets
from poolspec.invariants.stuck_report import standing
from poolspec.lab.contract import LoanSeen, Meter, Metered, Place
from poolspec.lab.load.loads import Traffic
from poolspec.lifecycle.alarm import TooLongError, at_most
from poolspec.lifecycle.locks import FreshLock
from poolspec.lifecycle.teardown import LEFT_BEHIND, told
from poolspec.servers import Server, ServerError
from poolspec.vocabulary import (
    Call,
    Capability,
    Connections,
    Detail,
    ErrorKind,
    Fault,
    Flaw,
    Given,
    Listening,
    Target,
    TimeKind,
)
from poolspec.vocabulary.rules import known_options

__tracebackhide__ = True  # a failure is shown where the test failed


OVER = "the test is over, or was given up"
"""Why a clock was aborted."""
ANSWER_WITHIN = 2.0
"""Real seconds for a pool to tell its figures after a test has failed."""


class Borrowed(Protocol):
    """A connection that a test holds, or held."""

    raw: Any
    number: int


class PoolUnderTest(Protocol):
    """A pool, whichever its concurrency."""

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


class AnyAdapter(Protocol):
    """An adapter, whichever its concurrency."""

    capabilities: frozenset[Capability]

    def clock(self, time: TimeKind) -> Any:
        """Return a clock that the pool and the lab can share."""

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Say what an exception means; None where it is none of the pool's own."""


class Bench(Generic[P]):
    """One test's pools, identity at the server, and log."""

    _crew: Any  # each concurrency has its own
    _listening: str | None = None
    """Who listens to the next pool, if it is not the test."""
    _meter: Meter | None = None
    _stage: Any = None
    """Where scripted connections are, if the test has such."""

    def __init__(
        self,
        server: Server | None,
        adapter: AnyAdapter,
        time: TimeKind,
        connections: Connections = Connections.DRIVER,
    ) -> None:
        self._adapter: Any = adapter  # each concurrency knows its own
        self._time = time
        self._clock: Any = adapter.clock(time)
        self._capabilities = adapter.capabilities
        self._connections = connections
        self._calls = CallFaults()
        served = self._stand_in() or server
        assert served is not None, "only scripted connections do without a server"
        self._server = served
        self._log = Log(self._clock.now)
        self._tenant = self._server.create_tenant()
        self._targets = Targets(self._server, self._tenant)
        self._observer = Observer(self._server, self._tenant, self._targets.strangers)
        self._server_faults = ServerFaults(self._server, self._tenant, self._observer, self._log)
        self._secrets = Secrets(self._targets.passwords)
        self._journal = Journal(getattr(adapter, "logs", NO_LOG), self._secrets.look)
        self._hooks = Hooks(self._clock.sleep)
        self._traffic = Traffic(self._observer, self._clock.now)
        self._folders: list[TemporaryDirectory[str]] = []
        self._counted: list[Sockets] = []
        self._pools: list[P] = []
        self._lock = FreshLock()  # guards _pools: any actor may ask for the global pool

    def measure(self) -> None:
        """Have the pool that is made next monitored; needs the capability `metrics`."""
        assert isinstance(self._adapter, Metered), "needs: metrics"
        self._meter = self._adapter.meter()

    def grade(self) -> Grade:
        """Say how real the test was so far."""
        makes = frozenset[Make]().union(*(sockets.makes for sockets in self._counted))
        return grade(self._server.kind, makes, self._clock)

    def load_figures(self) -> list[dict[str, float]]:
        """Return how quick each load was; nothing on a virtual clock, on which work takes none."""
        real = self.grade().clock == TimeKind.REAL
        return self._traffic.figures() if real else []

    def details(self, target: Target, *details: Detail) -> tuple[str, ...]:
        """Return the words by which an error must name a target."""
        return self._targets.details(target, details)

    def timeline(self) -> list[str]:
        """Return the event log as text; a real clock's times count from the first event."""
        entries = self._log.entries()
        began = entries[0].at if entries and self.grade().clock == TimeKind.REAL else 0.0
        told = (entry for entry in entries if entry.kind != checks.NUMBERS_VOID)
        return [str(replace(entry, at=entry.at - began)) for entry in told]

    def standing(self) -> str:
        """Say who waits for what, and who holds what; a signal handler may ask."""
        return standing(self._log.glance(), self._crew.awaits)

    def state(self) -> list[str]:
        """Say what each pool and the server report now."""
        lines = [f"pool: {self._pool_state(pool)}" for pool in self._pools]
        return [*lines, f"server: {self._server_state()}"]

    def abort(self) -> None:
        """Make every actor that waits, now or later, raise an exception that says why."""
        self._clock.abort(OVER)

    def _pool_state(self, pool: P) -> str:
        if not self._answers(pool):
            return "does not answer"
        try:
            return str(at_most(ANSWER_WITHIN, pool.stats))
        except TooLongError as error:
            self._leave_behind(pool)
            return f"does not answer: {error}"
        except AssertionError as error:  # an adapter's fault, which fails the test by itself
            return str(error)
        except Exception as error:  # of the pool's, which must not end the run
            return f"tells no figures: {told(error)}"

    def _answers(self, pool: P) -> bool:
        """Say whether a pool was not left behind."""
        return not any(left is pool for left in LEFT_BEHIND)

    def _leave_behind(self, pool: P) -> None:
        """Never touch a pool again, nor let it be finalized."""
        LEFT_BEHIND.append(pool)

    def _server_state(self) -> str:
        try:
            number = self._observer.connections(lambda _: True)
            return f"{number} connection{'' if number == 1 else 's'}"
        except ServerError as error:
            return str(error)

    # --- for the labs ----------------------------------------------------------------------------

    def _stand_in(self) -> StageServer | None:
        """Return what stands in for the server where connections are scripted."""
        if self._connections not in (Connections.SCRIPTED, Connections.MINIMAL):
            return None
        minimal = self._connections is Connections.MINIMAL
        self._stage = self._adapter.foreign.stage(self._clock, self._calls.plan, minimal)
        return StageServer(self._stage)

    def _opener(self) -> Any:
        """Return what opens one connection of the test's kind; in asyncio, what is awaited."""
        if self._stage is not None:
            return self._stage.open
        if self._connections is Connections.PLAIN:
            return self._adapter.foreign.plain(self._tenant)
        return self._adapter.opener(self._tenant)

    def _strike(self, fault: Fault, on: Borrowed | None) -> None:
        """Break the server, or its end of connections. Blocks for a moment."""
        if fault is Fault.CONNECTION_KILLED:
            assert on is not None
            self._server_faults.kill([on.number])
        elif fault is Fault.IDLE_KILLED:
            self._server_faults.kill_idle([n for pool in self._pools for n in pool.numbers()])
        else:
            self._server_faults.set(fault)

    def _is_virtual(self) -> bool:
        """Say whether letting time pass takes none; a pool without a clock of its own has not."""
        return not getattr(self._clock, "is_real", False)

    def _only_pool(self) -> P:
        if len(self._pools) != 1:
            raise AssertionError(f"this test has {len(self._pools)} pools, so which is meant?")
        return self._pools[0]

    @property
    def _heard(self) -> Callable[[Entry], None] | None:
        """What takes the events of the next pool; None if nobody listens to it."""
        return None if self._listening == Listening.NONE else self._listen

    def _listen(self, entry: Entry) -> None:
        """Take an event of the pool; raises where a fault says so."""
        self._log.append(entry)
        error = self._calls.plan(Call.LISTENER).error
        if error is not None:
            raise error

    def _options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Put hooks in place of the words for them; leave out what this pool does not know."""
        made = {
            place: self._hooks.make(place, options[place])
            for place in HOOK_PLACES
            if place in options
        }
        return known_options({**options, **made}, self._capabilities)

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
        return lambda entry: self._listen(replace(entry, pool=number))

    def _known(self, raw: object, make: Callable[[], P]) -> P:
        with self._lock:
            for pool in self._pools:
                if pool.raw is raw:
                    return pool
            pool = make()
            self._pools.append(pool)
            return pool

    def _waiting(self) -> list[str]:
        return checks.waiting(self._log.entries())

    def _holding(self) -> set[str]:
        return {actor for pool in self._pools for actor in pool.holders()}
