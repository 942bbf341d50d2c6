"""Physical connections that the lab can see open and close.

A pool under test opens its connections through a `Connector`. What comes out is a PyMySQL
connection in every respect, which besides tells the lab when its socket is opened and closed. So
the lab's count of open connections does not depend on what the pool says of itself.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from pymysql.connections import Connection
from pymysql.constants import SERVER_STATUS

from poolspec.servers import Tenant

if TYPE_CHECKING:
    Driver = Connection[Any]  # generic for the type checker only
else:
    Driver = Connection

HANDSHAKE_TIMEOUT = 10
"""Seconds for the TCP connect and, separately, for every read of the handshake and after."""


class TracedConnection(Driver):
    """A PyMySQL connection that tells when its socket is gone."""

    on_close: Callable[["TracedConnection"], None] | None = None

    def _force_close(self) -> None:
        # PyMySQL ends every connection here: polite close, lost connection, failed handshake.
        super()._force_close()  # type: ignore[misc]  # not in the published stubs
        tell, self.on_close = self.on_close, None
        if tell is not None:
            tell(self)


def open_connection(tenant: Tenant) -> TracedConnection:
    """Open a connection with a tenant's identity; the caller closes it."""
    return TracedConnection(
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


def dirt(connection: Any) -> str:
    """Say what of its last use still clings to a connection; empty for a clean one."""
    if connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:
        return "an open transaction"
    result = connection._result
    if result is not None and result.unbuffered_active:
        return "an unread result"
    return ""


class Connector:
    """Opens connections for one pool and counts them. Any thread may call it."""

    def __init__(self, tenant: Tenant, tell: Callable[[str, int], None]) -> None:
        self._tenant = tenant
        self._tell = tell
        self._lock = threading.Lock()
        self._open: dict[int, TracedConnection] = {}
        self.peak = 0
        """The most connections that were open at once."""

    def __call__(self) -> TracedConnection:
        """Open one more."""
        connection = open_connection(self._tenant)
        number = number_of(connection)
        with self._lock:
            self._open[number] = connection
            self.peak = max(self.peak, len(self._open))
        connection.on_close = self._closed
        self._tell("socket_opened", number)
        return connection

    def open(self) -> frozenset[int]:
        """Return the server's numbers of the connections that are open now."""
        with self._lock:
            return frozenset(self._open)

    def close_left(self) -> None:
        """Close what a pool failed to close."""
        with self._lock:
            left = list(self._open.values())
        for connection in left:
            connection._force_close()

    def _closed(self, connection: TracedConnection) -> None:
        number = number_of(connection)
        with self._lock:
            self._open.pop(number, None)
        self._tell("socket_closed", number)
