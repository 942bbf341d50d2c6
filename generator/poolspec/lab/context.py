"""The test context: what the parts of one test's lab share, in either concurrency mode.

It holds the test's identity at the server, its clock and event log, its faults and hooks, and the
pools made so far. Nothing here waits for an actor.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from typing import Any, Generic, Protocol, TypeVar, cast

from poolspec.faults.calls import CallFaults
from poolspec.faults.front import ServerFront
from poolspec.faults.hooks import HookDriver, Hooks
from poolspec.faults.network import Line, NetworkFaults
from poolspec.faults.server import ServerFaults
from poolspec.faults.targets import Targets
from poolspec.folders import LockedFolder, make_folder
from poolspec.interruption.reentry import ForeignCalls
from poolspec.invariants.connection import Peak, Sockets
from poolspec.invariants.log import Entry, Log
from poolspec.invariants.log_records import NO_LOG, LogRecords
from poolspec.invariants.observer import Observer
from poolspec.invariants.passwords import PasswordSearch
from poolspec.lab.contract import Metered, Place
from poolspec.lab.kinds import Explaining, kind_of
from poolspec.lab.load.loads import Loads
from poolspec.lab.registry import P, PoolRegistry
from poolspec.lifecycle.alarm import ring
from poolspec.lifecycle.teardown import Teardown
from poolspec.servers import Server, Tenant
from poolspec.vocabulary import (
    Call,
    Caller,
    Capability,
    Flaw,
    Given,
    Listening,
    Target,
    TimeKind,
)
from poolspec.vocabulary.rules import DEFAULTS, known_options
from poolspec.witness.account import Account
from poolspec.witness.busy import BusyClock
from poolspec.witness.meters import Meters
from poolspec.witness.reported import ReportedAcquires
from poolspec.witness.witness import Witness

__tracebackhide__ = True  # a failure is shown where the test failed

OVER = "the test is over, or was given up"
"""Why a clock was aborted."""
AMPLE_VIRTUAL, AMPLE_REAL = 60.0, 5.0


class AnyClock(Protocol):
    """A clock, in either concurrency mode."""

    def now(self) -> float:
        """Return the time in seconds."""

    def sleep(self, seconds: float) -> object:
        """Let that much time pass; in asyncio, return an awaitable that does."""

    def abort(self, reason: str) -> None:
        """Make every wait, now and later, raise an exception with this reason."""


C = TypeVar("C", bound=AnyClock)


class AnyAdapter(Explaining, Protocol):
    """An adapter, in either concurrency mode."""

    capabilities: frozenset[Capability]


class UsedDriver(HookDriver, Protocol):
    """A driver, in either concurrency mode."""

    def local_port(self, connection: Any) -> int:
        """Return the port of this side of a connection over TCP; 0 if it is closed or has none."""


class Context(Generic[P, C]):
    """The context of one test."""

    listening: str | None = None
    """Which listener the next pool gets; None is the lab's own."""

    def __init__(
        self,
        server: Server,
        adapter: AnyAdapter,
        driver: UsedDriver,
        busy: BusyClock[C],
        time: TimeKind,
        calls: CallFaults,
    ) -> None:
        self.server = server
        self._busy = busy
        self.clock = clock = busy.clock
        self.time = time
        self.calls = calls
        self.capabilities = adapter.capabilities
        self.kind_of = partial(kind_of, adapter)
        self.log = Log(clock.now)
        self.tenant = server.create_tenant()
        self.targets = Targets(server, self.tenant, calls)
        self.observer = Observer(server, self.tenant, self.targets.strangers)
        self.observer.ended = self._note_ended
        self.server_faults = ServerFaults(
            server, self.tenant, self.observer, self.log, self.targets
        )
        self.passwords = PasswordSearch(self.targets.passwords)
        self.witness = Witness(
            self.log, clock.now, self.kind_of, self.passwords.look_into, busy.calls
        )
        self.witness.watch(clock)
        if not self.is_virtual:  # virtual time reaches the waiter's own timeout at once
            self.witness.give_up = self._give_up
        self.witness.accounts = lambda: [pool.account for pool in self.pools]
        self.reported: ReportedAcquires | None = None
        """The acquires of a web application; None if the test serves none."""
        self.log_records = LogRecords(
            getattr(adapter, "logs", NO_LOG), self.passwords.look, self._pause_log
        )
        self.foreign = ForeignCalls()
        called = partial(self.foreign.made, Caller.HOOK)
        self.hooks = Hooks(self._busy.sleep, driver, called)
        self.loads = Loads(self.observer, clock.now)
        self.pools = PoolRegistry[P]()
        self.peak = Peak()
        self.sockets: list[Sockets] = []
        """The sockets of each pool that was made."""
        self.network = NetworkFaults(
            server,
            self.tenant,
            self.observer,
            self.sockets,
            driver.local_port,
            answers=lambda: not self.server_faults.in_force,
        )
        self.meters = Meters(lambda: cast(Metered, adapter).meter())
        self._folders: list[LockedFolder] = []

    @property
    def tenant_of_pools(self) -> Tenant:
        """The test's identity, at the address that its pools connect to."""
        line = self.network.line
        return self.tenant if line is None else replace(self.tenant, address=line.address)

    @property
    def is_virtual(self) -> bool:
        """Whether the clock is virtual, so that letting time pass takes no real time."""
        return not getattr(self.clock, "is_real", False)

    def rounds(self) -> AbstractContextManager[None]:
        """Let a broken round of a virtual clock end by the pool's timeouts; the others follow."""
        return self.witness.letting_wait() if self.is_virtual else nullcontext()

    @property
    def ample(self) -> float:
        """Seconds within which a pool without faults serves every acquire."""
        return AMPLE_VIRTUAL if self.is_virtual else AMPLE_REAL

    @property
    def may_connect(self) -> bool:
        """Whether a connect is under way. A configured pool connects without the lab."""
        accounts = [pool.account for pool in self.pools]
        return any(account.connecting or account.connects_itself for account in accounts)

    def lay(self, line: Line, front: ServerFront | None = None) -> None:
        """Let the pools connect over a line, perhaps to a front; before the first one is made."""
        self.network.lay(line)
        self.server_faults.front = front
        self.targets.line = line

    def set_up_server(self, settings: Mapping[str, int]) -> None:
        """Change settings of the server. The test's own connection keeps the former ones."""
        self.observer.own()
        self.server_faults.settings.set(settings)

    def heal(self) -> None:
        """End the faults of calls and of the network, and let the server be as fast as it is."""
        self.calls.clear_all()
        self.network.clear_all()
        self.server_faults.speed_up()

    def execute(self, sql: str) -> None:
        """Run a statement on the test's own connection. Blocks until the server has answered."""
        self.observer.own().run(sql)

    def options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Replace the names of hooks by hooks, and drop options that this pool does not know.

        The options that every pool has are always there.
        """
        filled = {**DEFAULTS, **self.hooks.fill_in(options)}
        return known_options(filled, self.capabilities)

    def new_sockets(self) -> Sockets:
        """Count the sockets of one more pool."""

        def tell(kind: str, number: int, was: int | None = None) -> None:
            self.log.add(kind, pool=pool, connection=number, was=was)

        sockets = Sockets(tell, self.peak)
        self.sockets.append(sockets)
        pool = len(self.sockets)
        return sockets

    def new_account(self, options: Mapping[str, Any]) -> Account:
        """Count what one more pool does, which has these options."""
        sockets = self.new_sockets()
        size, overflow = options["size"], options.get("max_overflow", 0)
        return Account(len(self.sockets), sockets, size, overflow, options["timeout"])

    def _note_ended(self, numbers: Iterable[int] | None) -> None:
        for sockets in self.sockets:
            sockets.ended(numbers)

    def place(
        self, target: Target, given: Given, flaw: Flaw | None, opened: Callable[[Any], None]
    ) -> Place:
        """Return the address and identity that a pool is configured with, and a folder for it."""
        folder = make_folder()
        self._folders.append(folder)
        where, front = self.targets.where(target), self.targets.front(target)
        authorities, certificate = (front.authorities, front.certificate) if front else (None, None)
        return Place(where, given, flaw, folder.path, opened, authorities, certificate)

    @property
    def listener(self) -> Callable[[Entry], None] | None:
        """The listener of the next pool; None if it has none."""
        return None if self.listening == Listening.NONE else self._listen

    def numbered_listener(self, number: int) -> Callable[[Entry], None]:
        """Return a listener that marks entries with the number of a pool."""
        return lambda entry: self._listen(entry._replace(pool=number))

    def _listen(self, entry: Entry) -> None:
        """Log an event of the pool. Does what a fault of the listener says."""
        self.log.append(entry)
        if self.reported is not None and not entry.pool:
            own = self.pools.own
            self.reported.take(entry, own.account.pool if own else len(self.sockets))
        self.foreign.made(Caller.LISTENER, f"for the event {entry.kind}")
        plan = self.calls.plan(Call.LISTENER)
        if plan.delay:
            self._busy.sleep(plan.delay)
        if plan.error is not None:
            raise plan.error

    def _give_up(self, reason: str) -> None:
        """End the test at once. Any thread may call it."""
        self.clock.abort(reason)
        main = threading.main_thread().ident
        if any(call.thread == main for call in self.witness.calls.under_way()):
            ring()

    def _pause_log(self) -> None:
        """Take the time that a fault of the log handler says."""
        if delay := self.calls.plan(Call.LOG_HANDLER).delay:
            self._busy.sleep(delay)

    def _end_front(self) -> None:
        if self.server_faults.front is not None:
            self.server_faults.front.close()

    def clean_up(self, teardown: Teardown) -> None:
        """Undo what the test did outside its pools, after they are closed."""
        steps: list[tuple[str, Callable[[], object]]] = [
            ("the server's faults", self.server_faults.clear_all),
            ("the log records", self.log_records.stop),
            ("the meters", self.meters.stop),
            ("the test's own connection", self.observer.close),
            ("the targets", self.targets.clean_up),
            ("the line", self.network.close),
            ("the front", self._end_front),
            *(("a folder", folder.close) for folder in self._folders),
            ("the test's database", partial(self.server.drop_tenant, self.tenant)),
        ]
        for what, step in steps:
            teardown.do(what, step, limit=None)
