"""Faults of the server that a test can cause and heal. Faults of calls are in `calls`.

They are real: the server kills a connection, or is itself killed, restarted, paused or made
read-only. With scripted connections, a scripted server stands in for it. Faults of the way to the
server are those of the test's targets.
"""

from collections.abc import Collection, Iterable

from poolspec.faults.targets import OF_TARGETS, Targets
from poolspec.invariants.log import Log
from poolspec.invariants.marks import NUMBERS_VOID
from poolspec.invariants.observer import Observer, settle
from poolspec.servers import PrivateServer, Server, Tenant
from poolspec.vocabulary import Fault

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

    def set(self, fault: Fault) -> None:
        """Kill or pause the server, make it read-only, or break the way to it."""
        if fault in OF_TARGETS:
            self._targets.break_way(fault)
        elif fault is Fault.SERVER_KILLED:
            self._observer.ended(None)
            self._private().crash()
        elif fault is Fault.SERVER_READ_ONLY:
            self._private().refuse_writes(True)
        else:
            self._private().pause()
        self._down.append(fault)
        if fault is Fault.SERVER_KILLED:
            self._observer.lost_server()
            self._observer.has_killed = True
            self._log.add(NUMBERS_VOID)

    def fill(self, limit: int) -> None:
        """Let the server accept at most `limit` connections of the pool's user.

        The test's own connections of this user do not count: one is opened now, if there is none.
        """
        self._observer.own()
        others = self._server.connection_ids(self._tenant) & self._observer.strangers
        self._server.limit_connections(self._tenant, limit + len(others))
        if Fault.SERVER_FULL not in self._down:
            self._down.append(Fault.SERVER_FULL)

    def clear(self, fault: Fault) -> None:
        """Restart the server, let it continue or write, end its limit, or mend the way to it."""
        if fault is Fault.SERVER_FULL:
            self._server.limit_connections(self._tenant, None)
        elif fault in OF_TARGETS:
            self._targets.mend_way(fault)
        elif fault is Fault.SERVER_KILLED:
            self._log.add(NUMBERS_VOID)
            self._private().restart()
        elif fault is Fault.SERVER_READ_ONLY:
            self._private().refuse_writes(False)
        else:
            self._private().resume()
        self._down.remove(fault)

    @property
    def in_force(self) -> bool:
        """Whether a fault of the server is in force."""
        return bool(self._down)

    def clear_all(self) -> None:
        """End all faults of the server."""
        for fault in list(self._down):
            self.clear(fault)

    def _private(self) -> PrivateServer:
        assert isinstance(self._server, PrivateServer), "needs: server_control"
        return self._server
