"""Faults of the server that a test can cause and heal. Faults of calls are in `calls`.

They are real: the server kills a connection, or is itself killed, shut down, restarted, paused,
full or made read-only; an account gets another password. With scripted connections, a scripted
server stands in for it. Faults of the way to the server are those of the test's targets.
"""

from collections.abc import Collection, Iterable
from contextlib import ExitStack

from poolspec.faults.ceiling import Ceiling
from poolspec.faults.settings import ServerSettings
from poolspec.faults.targets import OF_TARGETS, Targets
from poolspec.invariants.log import Log
from poolspec.invariants.marks import NUMBERS_VOID
from poolspec.invariants.observer import Observer, settle
from poolspec.servers import PrivateServer, Server, Tenant, new_password
from poolspec.vocabulary import Fault

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
        self._down: list[Fault] = []
        self._ceiling: Ceiling | None = None
        self.settings = ServerSettings(self.private)

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
                f"{seconds} s have passed, and the server has not ended {left & idle}"
            )

    def set(self, fault: Fault) -> None:
        """Break the server, its account, or the way to it."""
        self._note(fault)
        if fault in OF_TARGETS:
            self._targets.break_way(fault)
        elif fault in _ENDINGS:
            self._observer.ended(None)
            end = self.private().crash if fault is Fault.SERVER_KILLED else self.private().shut_down
            end()
            self._observer.lost_server()
            self._observer.has_killed = True
            self._log.add(NUMBERS_VOID)
        elif fault is Fault.SERVER_READ_ONLY:
            self.private().refuse_writes(True)
        elif fault is Fault.PASSWORD_CHANGED:
            self._observer.own()
            self._server.change_password(self._tenant, new_password())
        else:
            self.private().pause()

    def fill_account(self, limit: int) -> None:
        """Let the server accept at most `limit` connections of the pool's user.

        The test's own connections of this user do not count: one is opened now, if there is none.
        """
        self._observer.own()
        self._note(Fault.ACCOUNT_FULL)
        others = self._server.connection_ids(self._tenant) & self._observer.strangers
        self._server.limit_connections(self._tenant, limit + len(others))

    def fill_server(self, limit: int) -> None:
        """Let the server as a whole accept at most `limit` connections of the pool."""
        self._observer.own()
        self._note(Fault.SERVER_FULL)
        if self._ceiling is None:
            self._ceiling = Ceiling(self.private())
        of_test = self._server.connection_ids(self._tenant) & self._observer.strangers
        self._ceiling.lower(len(self._connected()), len(of_test), limit)

    def clear(self, fault: Fault) -> None:
        """Undo a fault: restart the server, let it continue, end its limit, or mend the way."""
        if fault is Fault.ACCOUNT_FULL:
            self._server.limit_connections(self._tenant, None)
        elif fault is Fault.SERVER_FULL:
            self._raise_ceiling()
        elif fault in OF_TARGETS:
            self._targets.mend_way(fault)
        elif fault in _ENDINGS:
            self._log.add(NUMBERS_VOID)
            self.private().restart()
            self.settings.repeat()
        elif fault is Fault.SERVER_READ_ONLY:
            self.private().refuse_writes(False)
        elif fault is Fault.PASSWORD_CHANGED:
            self._server.change_password(self._tenant, self._tenant.password)
        else:
            self.private().resume()
        self._down.remove(fault)

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
            for fault in self._down:
                stack.callback(self.clear, fault)

    def private(self) -> PrivateServer:
        """Return the server, which belongs to this run."""
        assert isinstance(self._server, PrivateServer), "needs: server_control"
        return self._server

    def _note(self, fault: Fault) -> None:
        """Note a fault before it is set: an interrupt may come at any point of that."""
        if fault not in self._down:
            self._down.append(fault)

    def _connected(self) -> frozenset[int]:
        """Return the connections of the pools."""
        return self._server.connection_ids(self._tenant) - self._observer.strangers

    def _raise_ceiling(self) -> None:
        if self._ceiling is not None:
            self._ceiling.end()
            self._ceiling = None
