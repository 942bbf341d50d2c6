"""Physical connections, and the lab's own account of which of them are open.

A pool under test opens its connections through the lab, which sees each socket open and close. So
the lab's count does not depend on what the pool reports.
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
class ScriptedLink(Protocol):
    """A scripted connection, as far as the lab uses it."""

    def thread_id(self) -> int:
        """Return its number."""

    def when_gone(self, tell: Callable[[], None]) -> None:
        """Call `tell` when it is closed."""

    def end(self) -> None:
        """Close it at once."""

    def session_state(self) -> str:
        """Return what its last use left behind; empty for a clean connection."""

    def execute(self) -> Any:
        """Run a statement; in asyncio, return an awaitable that does."""


@dataclass(frozen=True, slots=True)
class Make:
    """The kind of a connection."""

    socket: str
    """unix, tcp or none."""
    driver: str
    """The package that it is from, or scripted."""


def make_of(connection: Any) -> Make:
    """Return the kind of a connection of PyMySQL, of aiomysql, or of a scripted one."""
    if isinstance(connection, ScriptedLink):
        return Make(NONE, SCRIPTED)
    family = getattr(_socket_of(connection), "family", None)
    kind = NONE if family is None else "unix" if family is socket.AF_UNIX else "tcp"
    return Make(kind, type(connection).__module__.partition(".")[0])


def local_port(connection: Any) -> int:
    """Return the port of this side of a connection over TCP; 0 if it is closed or has none."""
    try:
        return cast(int, _socket_of(connection).getsockname()[1])
    except (AttributeError, IndexError, OSError):
        return 0


def _socket_of(connection: Any) -> Any:
    """Return the socket of a connection of PyMySQL or of aiomysql; None if it is closed."""
    writer = getattr(connection, "_writer", None)
    return writer.get_extra_info("socket") if writer else getattr(connection, "_sock", None)


class Sockets:
    """The physical connections of one pool that are open. Safe to use from any thread."""

    def __init__(self, tell: Callable[[str, int], None]) -> None:
        self._tell = tell
        self._lock = FreshLock()
        self._open: dict[int, tuple[int, Any]] = {}
        self.peak = 0
        """The most connections that were open at once."""
        self.makes: set[Make] = set()
        """The kinds of its connections."""

    def opened(self, number: int, connection: Any) -> bool:
        """Note that a connection was opened; return False if it was noted before."""
        with self._lock:
            if id(connection) in self._open:
                return False
            self._open[id(connection)] = (number, connection)
            self.makes.add(make_of(connection))
            self.peak = max(self.peak, len(self._open))
        self._tell("socket_opened", number)
        return True

    def gone(self, connection: Any) -> None:
        """Note that a connection's socket is closed; only the first call has an effect."""
        with self._lock:
            known = self._open.pop(id(connection), None)
        if known is not None:
            self._tell("socket_closed", known[0])

    def open(self) -> dict[int, Any]:
        """Return the connections that are open now, by their identities.

        The server's numbers would not do: a server that was restarted numbers from the start.
        """
        with self._lock:
            return {known: connection for known, (_, connection) in self._open.items()}

    def numbered(self) -> list[tuple[int, Any]]:
        """Return the connections that are open now, each with its number at the server."""
        with self._lock:
            return list(self._open.values())

    def numbers(self) -> frozenset[int]:
        """Return the server's numbers of the connections that are open now."""
        with self._lock:
            return frozenset(number for number, _ in self._open.values())


def watch(connection: Any, gone: Callable[[], None]) -> None:
    """Call `gone` when the socket of a PyMySQL or a scripted connection is closed."""
    if isinstance(connection, ScriptedLink):
        connection.when_gone(gone)
        return
    # PyMySQL always closes here: after a polite close, a lost connection, a failed handshake.
    end = connection._force_close

    def end_and_tell() -> None:
        end()
        gone()

    connection._force_close = end_and_tell


def end(connection: Any) -> None:
    """Close the socket of a PyMySQL or a scripted connection at once."""
    if isinstance(connection, ScriptedLink):
        connection.end()
    else:
        connection._force_close()
