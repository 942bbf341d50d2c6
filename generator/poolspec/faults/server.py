"""Faults of the server that a test can cause and heal. Faults of calls are in `calls`.

They are real: the server kills a connection, or is itself killed, shut down, restarted, paused,
full or made read-only; an account gets another password. With scripted connections, a scripted
server stands in for it. Faults of the way to the server are those of the test's targets.
"""

from collections.abc import Collection, Iterable
from contextlib import ExitStack

from poolspec.faults.ceiling import Ceiling
from poolspec.faults.front import OF_FRONT, ServerFront
from poolspec.faults.settings import ServerSettings
from poolspec.faults.targets import OF_TARGETS, Targets
from poolspec.invariants.log import Log
from poolspec.invariants.marks import NUMBERS_VOID
from poolspec.invariants.observer import Observer, settle
from poolspec.servers import PrivateServer, Server, ServerPair, Tenant, new_password
from poolspec.vocabulary import Fault, ServerNumber

_ENDINGS = frozenset({Fault.SERVER_KILLED, Fault.SERVER_SHUT_DOWN})
_GRACE = 5.0
"""Real seconds that a server may take to end connections beyond its `wait_timeout`."""
LOOK_EVERY = 0.01
"""Seconds of the test's clock between two checks of something that must become true."""


class ServerFaults:
    """Breaks and restores the server and its end of connections. Blocks for a moment."""

    def __init__(
        self, server: Server, tenant: Tenant, observer: Observer, log: Log, targets: Targets
    ) -> None:
        self._server = server
        self._tenant = tenant
        self._observer = observer
        self._log = log
        self._targets = targets
        self._down: list[tuple[Fault, ServerNumber]] = []
        self._ceiling: Ceiling | None = None
        self.front: ServerFront | None = None
        """The front of the server, in a test that makes it slow."""
        self.settings = ServerSettings(self._privates)

    def kill(self, numbers: Iterable[int]) -> None:
        """Make the server end connections, and wait until it no longer counts them."""
        doomed = frozenset(numbers)
        self._observer.has_killed = True
        self._observer.ended(doomed)
        for number in doomed:
            self._server.kill_connection(number)
        settle(lambda: self._server.connection_ids(self._tenant) & doomed, lambda left: not left)

    def kill_statement(self, number: int) -> None:
        """Make the server end the statement of a connection, and wait until it has ended.

        Raises AssertionError if none runs: the rest of the test would prove nothing.
        """
        if not settle(lambda: self._server.runs_statement(number), bool):
            raise AssertionError(f"connection {number} runs no statement that could be killed")
        self._server.kill_statement(number)
        settle(lambda: self._server.runs_statement(number), lambda runs: not runs)

    def kill_idle(self, held: Collection[int]) -> None:
        """Make the server end the pool's connections that are not held.

        Raises AssertionError if there are none: the rest of the test would prove nothing.
        """
        idle = self._server.connection_ids(self._tenant).difference(held) - self._observer.strangers
        if not idle:
            raise AssertionError("the pool has no idle connection to kill")
        self.kill(idle)

    def time_out_idle(self, held: Collection[int], seconds: int) -> None:
        """Wait until the server has ended the pool's connections that are not held.

        `seconds` is their `wait_timeout`. Raises AssertionError if there are none, or one is left.
        """
        before = self._server.connection_ids(self._tenant) - self._observer.strangers
        idle = before.difference(held)
        if not idle:
            raise AssertionError("the pool has no idle connection that could time out")
        self._observer.has_killed = True
        left = settle(self._connected, lambda there: not there & idle, within=seconds + _GRACE)
        self._observer.ended(before - left)
        if left & idle:
            raise AssertionError(
                f"after {seconds} s the server has not ended the connections {left & idle}"
            )

    def set(self, fault: Fault, number: ServerNumber | None) -> None:
        """Break a server, the account, or the way to the server."""
        which = number or ServerNumber.FIRST
        self._note(fault, which)
        if fault in OF_TARGETS:
            self._targets.break_way(fault, number)
        elif fault in _ENDINGS:
            self._end(fault, self.private(which))
        elif fault is Fault.SERVER_READ_ONLY:
            self.private(which).refuse_writes(True)
        elif fault is Fault.PASSWORD_CHANGED:
            self._observer.own()
            self._server.change_password(self._tenant, new_password())
        else:
            self._connected()  # a pair of servers remembers what the paused one had
            self.private(which).pause()

    def _end(self, fault: Fault, server: PrivateServer) -> None:
        """Kill a server, or shut it down; all its connections end."""
        gone = server.connection_ids(self._tenant) if self._other(server) else None
        self._observer.ended(gone)
        if fault is Fault.SERVER_KILLED:
            server.crash()
        else:
            server.shut_down()
        self._observer.lost_server(gone)
        self._observer.has_killed = True
        if gone is None:
            self._log.add(NUMBERS_VOID)

    def _start_again(self, server: PrivateServer) -> None:
        if not self._other(server):
            self._log.add(NUMBERS_VOID)
        server.restart()
        self.settings.repeat(server)
        if isinstance(self._server, ServerPair):
            self._observer.lost_server(frozenset())  # it opens a connection to both next time
            if all(one.is_running for one in self._server.servers):
                self._server.keep_apart()

    def _other(self, server: PrivateServer) -> bool:
        """Return whether the test has another server."""
        return server is not self._server

    def slow_down(self, fault: Fault, seconds: float | None) -> None:
        """Let sign-ins or statements take that many seconds; None: let them hang."""
        assert self.front is not None, "needs: protocol"
        self._note(fault, ServerNumber.FIRST)
        self.front.set(fault, seconds)

    def speed_up(self) -> None:
        """End the faults of the front."""
        for fault in OF_FRONT:
            self.clear(fault)

    def fill_account(self, limit: int) -> None:
        """Let the server accept at most `limit` connections of the pool's user.

        The test's own connections of this user do not count: one is opened now, if there is none.
        """
        self._observer.own()
        self._note(Fault.ACCOUNT_FULL, ServerNumber.FIRST)
        others = self._server.connection_ids(self._tenant) & self._observer.strangers
        self._server.limit_connections(self._tenant, limit + len(others))

    def fill_server(self, limit: int) -> None:
        """Let the server as a whole accept at most `limit` connections of the pool."""
        self._observer.own()
        self._note(Fault.SERVER_FULL, ServerNumber.FIRST)
        server = self.private(ServerNumber.FIRST)
        if self._ceiling is None:
            self._ceiling = Ceiling(server)
        connected = server.connection_ids(self._tenant)
        of_test = connected & self._observer.strangers
        self._ceiling.lower(len(connected - of_test), len(of_test), limit)

    def clear(self, fault: Fault) -> None:
        """Undo a fault, at each server that has it."""
        for which in [which for known, which in self._down if known is fault]:
            self._clear(fault, which)

    def _clear(self, fault: Fault, which: ServerNumber) -> None:
        """Restart a server, let it continue, end its limit, or mend the way to it."""
        if fault is Fault.ACCOUNT_FULL:
            self._server.limit_connections(self._tenant, None)
        elif fault is Fault.SERVER_FULL:
            self._raise_ceiling()
        elif fault in OF_TARGETS:
            self._targets.mend_way(fault)
        elif fault in OF_FRONT:
            assert self.front is not None
            self.front.clear(fault, self._server.kill_statement)
        elif fault in _ENDINGS:
            self._start_again(self.private(which))
        elif fault is Fault.SERVER_READ_ONLY:
            self.private(which).refuse_writes(False)
        elif fault is Fault.PASSWORD_CHANGED:
            self._server.change_password(self._tenant, self._tenant.password)
        else:
            self.private(which).resume()
        self._down.remove((fault, which))

    @property
    def in_force(self) -> bool:
        """Whether a fault of the server is in force."""
        return bool(self._down)

    def clear_all(self) -> None:
        """End all faults of the server, the last one first, and its settings for this test.

        One that cannot be ended keeps none of the others. Raises the first error.
        """
        with ExitStack() as stack:
            stack.callback(self.settings.undo)
            for fault, which in self._down:
                stack.callback(self._clear, fault, which)

    def private(self, number: ServerNumber) -> PrivateServer:
        """Return a server, which belongs to this run."""
        if isinstance(self._server, ServerPair):
            return self._server.server(number)
        assert isinstance(self._server, PrivateServer), "needs: server_control"
        return self._server

    def _privates(self) -> tuple[PrivateServer, ...]:
        if isinstance(self._server, ServerPair):
            return self._server.servers
        return (self.private(ServerNumber.FIRST),)

    def _note(self, fault: Fault, which: ServerNumber) -> None:
        """Note a fault before it is set, because an interrupt may come while it is being set."""
        if (fault, which) not in self._down:
            self._down.append((fault, which))

    def _connected(self) -> frozenset[int]:
        """Return the connections of the pools."""
        return self._server.connection_ids(self._tenant) - self._observer.strangers

    def _raise_ceiling(self) -> None:
        if self._ceiling is not None:
            self._ceiling.end()
            self._ceiling = None
