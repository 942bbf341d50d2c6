"""Physical connections that the lab can see open and close.

A pool under test opens its connections through a `Connector`, which opens them as the pool itself
would and tells the lab when a socket was opened and when it is gone. So the lab's count of open
connections does not depend on what the pool says of itself.
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

from pymysql.connections import Connection

from poolspec.lifecycle.locks import FreshLock
from poolspec.servers import Tenant

NONE = "none"
SCRIPTED = "scripted"
HANDSHAKE_TIMEOUT = 10
"""Seconds for the connect and, separately, for every read of the handshake and after."""


def open_connection(tenant: Tenant) -> Any:
    """Open a PyMySQL connection with a tenant's identity; the caller closes it."""
    return Connection(
        host=tenant.address.host,
        port=tenant.address.port,
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
        connect_timeout=HANDSHAKE_TIMEOUT,
        read_timeout=HANDSHAKE_TIMEOUT,
        ssl_disabled=True,
    )


def number_of(connection: Any) -> int:
    """Return a connection's number at the server."""
    return cast(int, connection.thread_id())


@runtime_checkable
class OnStage(Protocol):
    """A scripted connection, as far as the lab has to do with it."""

    def thread_id(self) -> int:
        """Return its number."""

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Call `tell` when it is closed."""

    def end(self) -> None:
        """Close it without ado."""

    def dirt(self) -> str:
        """Say what of its last use still clings to it."""

    def execute(self) -> Any:
        """Run a statement; in asyncio, what is to be awaited for it."""


@dataclass(frozen=True, slots=True)
class Make:
    """What a connection is."""

    socket: str
    """unix, tcp or none."""
    driver: str
    """The package that it is from, or scripted."""


def make_of(connection: Any) -> Make:
    """Look at a connection of PyMySQL's kind, of aiomysql's, or from a stage."""
    if isinstance(connection, OnStage):
        return Make(NONE, SCRIPTED)
    writer = getattr(connection, "_writer", None)
    source = writer.get_extra_info("socket") if writer else getattr(connection, "_sock", None)
    family = getattr(source, "family", None)
    kind = NONE if family is None else "unix" if family is socket.AF_UNIX else "tcp"
    return Make(kind, type(connection).__module__.partition(".")[0])


class Sockets:
    """Knows which physical connections of one pool are open. Safe to use from any thread."""

    def __init__(self, tell: Callable[[str, int], None]) -> None:
        self._tell = tell
        self._lock = FreshLock()
        self._open: dict[int, tuple[int, Any]] = {}
        self.peak = 0
        """The most connections that were open at once."""
        self.makes: set[Make] = set()
        """What its connections were."""

    def opened(self, number: int, connection: Any) -> bool:
        """Note that a connection was opened; False if that is known already."""
        with self._lock:
            if id(connection) in self._open:
                return False
            self._open[id(connection)] = (number, connection)
            self.makes.add(make_of(connection))
            self.peak = max(self.peak, len(self._open))
        self._tell("socket_opened", number)
        return True

    def gone(self, connection: Any) -> None:
        """Note that a connection's socket is closed; a second time says nothing."""
        with self._lock:
            known = self._open.pop(id(connection), None)
        if known is not None:
            self._tell("socket_closed", known[0])

    def open(self) -> dict[int, Any]:
        """Return the connections that are open now, by their identities.

        Not by the server's numbers: a server that was started again counts anew.
        """
        with self._lock:
            return {known: connection for known, (_, connection) in self._open.items()}

    def numbers(self) -> frozenset[int]:
        """Return the server's numbers of the connections that are open now."""
        with self._lock:
            return frozenset(number for number, _ in self._open.values())


def watch(connection: Any, gone: Callable[[], None]) -> None:
    """Call `gone` when the socket of a PyMySQL, or a scripted, connection is closed."""
    if isinstance(connection, OnStage):
        connection.when_gone(gone)
        return
    # PyMySQL ends every connection here: polite close, lost connection, failed handshake.
    end = connection._force_close

    def end_and_tell() -> None:
        end()
        gone()

    connection._force_close = end_and_tell


def end(connection: Any) -> None:
    """Close a connection without ado."""
    if isinstance(connection, OnStage):
        connection.end()
    else:
        connection._force_close()


class Connector:
    """Opens connections for one pool, and has them counted. Any thread may call it."""

    def __init__(self, open_one: Callable[[], Any], sockets: Sockets) -> None:
        self._open_one = open_one
        self.sockets = sockets

    def __call__(self) -> Any:
        """Open one more."""
        connection = self._open_one()
        self.count(connection)
        return connection

    def count(self, connection: Any) -> None:
        """Have a connection counted, whoever opened it, until its socket is closed."""
        number = number_of(connection)
        if self.sockets.opened(number, connection):
            watch(connection, lambda: self.sockets.gone(connection))


def close_left(sockets: Sockets) -> None:
    """Close what a pool failed to close."""
    for connection in sockets.open().values():
        end(connection)
