"""Faults that a test can cause, and heal: at the connector, at the server, on one connection.

Faults of the connector are kept in `ConnectFaults`, which the connector asks before it opens;
it is the same for both shells, for it only says what is to happen. Faults of the server are real: a
connection is killed by the server, the server itself is killed, paused and started again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pymysql
from pymysql.constants import CR

from poolspec.runtime.locks import FreshLock
from poolspec.runtime.observe import settle
from poolspec.servers import PrivateServer, Server, Tenant
from poolspec.vocabulary import Fault

CONNECT_FAULTS = frozenset({Fault.CONNECT_REFUSED, Fault.CONNECT_HANGS, Fault.CONNECT_SLOW})
"""Faults of the connector; all others are the server's."""
LOOK_EVERY = 0.01
"""Seconds of the test's clock between two looks at something that must come true."""


def refusal() -> pymysql.OperationalError:
    """Make the error of a refused connect."""
    return pymysql.OperationalError(CR.CR_CONN_HOST_ERROR, "refused, for the test wants it so")


@dataclass(frozen=True, slots=True)
class ConnectPlan:
    """What a connect has to do before it opens anything."""

    delay: float = 0.0
    """Seconds of the test's clock."""
    hangs: bool = False
    refused: bool = False


class ConnectFaults:
    """What is wrong with connecting at the moment. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = FreshLock()
        self._delay = 0.0
        self._hangs = False
        self._refusals: float = 0

    def plan(self) -> ConnectPlan:
        """Say what the next connect has to do; a counted refusal is used up."""
        with self._lock:
            refused = self._refusals > 0
            self._refusals -= refused
            return ConnectPlan(self._delay, self._hangs, refused)

    def set(self, fault: Fault, *, seconds: float, times: int | None) -> None:
        """Begin a fault."""
        with self._lock:
            if fault is Fault.CONNECT_SLOW:
                self._delay = seconds
            elif fault is Fault.CONNECT_HANGS:
                self._hangs = True
            else:
                self._refusals = float("inf") if times is None else times

    def clear(self, fault: Fault) -> None:
        """End a fault."""
        with self._lock:
            if fault is Fault.CONNECT_SLOW:
                self._delay = 0.0
            elif fault is Fault.CONNECT_HANGS:
                self._hangs = False
            else:
                self._refusals = 0


class ServerFaults:
    """What can be done to the server and its end of connections. Blocks for a moment."""

    def __init__(self, server: Server, tenant: Tenant) -> None:
        self._server = server
        self._tenant = tenant
        self._down: list[Fault] = []

    def kill(self, numbers: Iterable[int]) -> None:
        """Have the server end connections, and wait until it counts them no more."""
        doomed = frozenset(numbers)
        for number in doomed:
            self._server.kill_connection(number)
        settle(lambda: self._server.connection_ids(self._tenant) & doomed, lambda left: not left)

    def connection_ids(self) -> frozenset[int]:
        """Return the test's connections by the server's list."""
        return self._server.connection_ids(self._tenant)

    def set(self, fault: Fault) -> None:
        """Kill or pause the server."""
        server = self._private()
        if fault is Fault.SERVER_KILLED:
            server.crash()
        else:
            server.pause()
        self._down.append(fault)

    def clear(self, fault: Fault) -> None:
        """Start the server again, or let it go on."""
        server = self._private()
        if fault is Fault.SERVER_KILLED:
            server.restart()
        else:
            server.resume()
        self._down.remove(fault)

    def clear_all(self) -> None:
        """Bring the server back, whatever was done to it."""
        for fault in list(self._down):
            self.clear(fault)

    def _private(self) -> PrivateServer:
        assert isinstance(self._server, PrivateServer), "needs: server_control"
        return self._server
