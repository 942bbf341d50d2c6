"""PyMySQL, for threads: its own connections, and those of subclasses."""

import socket
from collections.abc import Callable
from functools import partial
from typing import Any, cast

from poolspec.drivers import mysql
from poolspec.drivers.contract import Clock, Make, Open, Planned, ScriptedConnections
from poolspec.drivers.dbapi import DbapiDriver
from poolspec.drivers.links import link_of
from poolspec.drivers.scripted import ScriptedConnector
from poolspec.drivers.weak import forwarding
from poolspec.servers import Address, Tenant
from poolspec.vocabulary import Call, ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed

HANDSHAKE_TIMEOUT = 10
"""Seconds for the connect and, separately, for every read of the handshake and after."""


class PyMySQLDriver(DbapiDriver):
    """Uses PyMySQL connections."""

    def opener(self, tenant: Tenant) -> Open:
        """Return a callable that opens one connection as a tenant."""
        return self.plain(tenant)

    def plain(self, tenant: Tenant) -> Open:
        """Return a callable that opens one connection of PyMySQL's own class."""
        return partial(open_connection, tenant)

    def scripted(self, clock: Clock, plan: Planned, minimal: bool) -> ScriptedConnections:
        """Make scripted connections."""
        from pymysql import err

        return ScriptedConnector(clock, plan, minimal, err, self.failure)

    def number_of(self, connection: Any) -> int:
        """Return a connection's number at the server."""
        if link := link_of(connection):
            return link.number
        if not hasattr(connection, "thread_id"):
            raise AssertionError(
                "acquire() of the adapter must return a PyMySQL connection, or an object that "
                f"passes on its methods: {type(connection).__name__} has no thread_id()"
            )
        return cast(int, connection.thread_id())

    def watch(
        self, connection: Any, gone: Callable[[], object], reopened: Callable[[], object]
    ) -> None:
        """Call `gone` when the socket is closed, `reopened` after another connect."""
        if link := link_of(connection):
            link.when_gone(gone)
            return
        # PyMySQL always closes here: after a polite close, a lost connection, a failed handshake.
        end, connect = (forwarding(connection, name) for name in ("_force_close", "connect"))

        def end_and_report() -> None:
            end()
            gone()

        def connect_and_report(*arguments: Any) -> None:
            connect(*arguments)
            reopened()

        connection._force_close = end_and_report
        connection.connect = connect_and_report

    def end(self, connection: Any) -> None:
        """Close a connection's socket at once."""
        if link := link_of(connection):
            link.shut()
            return
        if connection._result is not None:  # its finalizer would read a closed socket
            connection._result.unbuffered_active = False
        connection._force_close()

    def session_state(self, connection: Any) -> str:
        """Return what its last use left behind on a connection; empty for a clean one."""
        if link := link_of(connection):
            return link.session_state()
        return mysql.state_of(connection)

    def make_of(self, connection: Any) -> Make:
        """Return the kind of a connection."""
        if link_of(connection):
            return mysql.SCRIPTED_MAKE
        return mysql.make_by(connection._sock, connection)

    def local_port(self, connection: Any) -> int:
        """Return the port of this side of a connection over TCP; 0 if there is none."""
        return mysql.port_of(getattr(connection, "_sock", None))

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an error of PyMySQL means; None for any other exception."""
        from pymysql import err

        return mysql.kind_of(error, err)

    def failure(self, call: Call, message: str) -> Exception:
        """Return the error that a failing call raises."""
        from pymysql import err

        return err.OperationalError(mysql.code_of(call), message)

    def leave_unread(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement, and leave its rows for the server to send."""
        with connection.cursor() as cursor:
            connection.query(cursor.mogrify(sql, params or None), unbuffered=True)

    def reconnect(self, connection: Any) -> None:
        """Connect again if the connection is lost."""
        try:
            connection.ping(reconnect=False)  # PyMySQL deprecates True, which warns
        except Exception:
            connection.connect()


def open_connection(tenant: Tenant) -> Any:
    """Open one connection as a tenant.

    The socket is opened here, because an interrupt of PyMySQL's own connect leaves its socket open,
    which is no fault of the pool's.
    """
    from pymysql.connections import Connection

    connection: Any = Connection(
        host=tenant.address.host,
        port=tenant.address.port,
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
        connect_timeout=HANDSHAKE_TIMEOUT,
        read_timeout=HANDSHAKE_TIMEOUT,
        ssl_disabled=True,
        defer_connect=True,
    )
    connection._secure = tenant.address.unix_socket is not None
    reached = _reached(tenant.address)
    try:
        connection.connect(reached)
    except BaseException:
        reached.close()
        raise
    return connection


def _reached(address: Address) -> socket.socket:
    """Return a socket that is connected to a server. Raises PyMySQL's error."""
    from pymysql import err

    try:
        if address.unix_socket is not None:
            return _connected(socket.AF_UNIX, address.unix_socket)
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        reached = _connected(found[0][0], found[0][4])
        reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return reached
    except OSError as error:
        text = f"Can't connect to MySQL server on {address.host!r} ({error})"
        raise err.OperationalError(mysql.CONNECT_FAILED, text) from error


def _connected(family: int, where: Any) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(HANDSHAKE_TIMEOUT)
        opened.connect(where)
    except BaseException:
        opened.close()
        raise
    return opened
