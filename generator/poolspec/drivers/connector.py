"""MySQL Connector/Python, for threads. It opens connections of the class that is pure Python."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from poolspec.drivers import mysql
from poolspec.drivers.contract import Clock, Make, Open, Planned, ScriptedConnections
from poolspec.drivers.dbapi import DbapiDriver
from poolspec.drivers.links import link_of
from poolspec.drivers.scripted import ScriptedConnector
from poolspec.drivers.weak import forwarding
from poolspec.servers import Tenant
from poolspec.vocabulary import Call, ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed

CONNECT_TIMEOUT = 10
"""Seconds for the connect."""


class ConnectorDriver(DbapiDriver):
    """Uses connections of MySQL Connector/Python."""

    def opener(self, tenant: Tenant) -> Open:
        """Return a callable that opens one connection as a tenant."""
        import mysql.connector

        return partial(
            mysql.connector.connect,
            host=tenant.address.host,
            port=tenant.address.port,
            unix_socket=tenant.address.unix_socket,
            user=tenant.user,
            password=tenant.password,
            database=tenant.database,
            charset="utf8mb4",
            collation="utf8mb4_general_ci",  # MariaDB does not know the default one
            connection_timeout=CONNECT_TIMEOUT,
            ssl_disabled=True,
            use_pure=True,
        )

    def scripted(self, clock: Clock, plan: Planned, minimal: bool) -> ScriptedConnections:
        """Make scripted connections."""
        from mysql.connector import errors

        return ScriptedConnector(clock, plan, minimal, errors, self.failure)

    def number_of(self, connection: Any) -> int:
        """Return a connection's number at the server."""
        if link := link_of(connection):
            return link.number
        return cast(int, connection.connection_id)

    def watch(
        self, connection: Any, gone: Callable[[], object], reopened: Callable[[], object]
    ) -> None:
        """Call `gone` when the socket is closed, `reopened` after another connect."""
        if link := link_of(connection):
            link.when_gone(gone)
            return
        for name in ("close", "disconnect", "shutdown"):
            setattr(connection, name, _followed(forwarding(connection, name), gone))
        connection._open_connection = _connecting(
            forwarding(connection, "_open_connection"), gone, reopened
        )

    def end(self, connection: Any) -> None:
        """Close a connection's socket at once."""
        if link := link_of(connection):
            link.shut()
        else:
            connection.shutdown()

    def session_state(self, connection: Any) -> str:
        """Return what its last use left behind on a connection; empty for a clean one."""
        if link := link_of(connection):
            return link.session_state()
        if connection.in_transaction:
            return mysql.AN_OPEN_TRANSACTION
        return mysql.AN_UNREAD_RESULT if connection.unread_result else ""

    def make_of(self, connection: Any) -> Make:
        """Return the kind of a connection."""
        if link_of(connection):
            return mysql.SCRIPTED_MAKE
        return mysql.make_by(_socket_of(connection), connection)

    def local_port(self, connection: Any) -> int:
        """Return the port of this side of a connection over TCP; 0 if there is none."""
        return mysql.port_of(_socket_of(connection))

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an error of the driver means; None for any other exception."""
        from mysql.connector import errors

        if not isinstance(error, errors.Error) or isinstance(error, errors.PoolError):
            return None
        if error.errno == -1 and isinstance(error, errors.InterfaceError | errors.OperationalError):
            return ErrorKind.LOST  # "not available": it is closed
        return mysql.kind_of_code(error.errno)

    def failure(self, call: Call, message: str) -> Exception:
        """Return the error that a failing call raises."""
        from mysql.connector import errors

        return errors.OperationalError(message, mysql.code_of(call))

    def leave_unread(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement, and leave its rows for the server to send."""
        connection.cursor().execute(sql, params or None)

    def reconnect(self, connection: Any) -> None:
        """Connect again if the connection is lost."""
        connection.ping(reconnect=True)


def _followed(close: Callable[[], object], gone: Callable[[], object]) -> Callable[[], None]:
    def close_and_report() -> None:
        try:
            close()
        finally:
            gone()

    return close_and_report


def _connecting(
    connect: Callable[[], object], gone: Callable[[], object], reopened: Callable[[], object]
) -> Callable[[], None]:
    def connect_and_report() -> None:
        try:
            connect()
        except BaseException:
            gone()
            raise
        reopened()

    return connect_and_report


def _socket_of(connection: Any) -> Any:
    """Return the socket of a connection; None if it is closed, or is not Python's."""
    return getattr(getattr(connection, "_socket", None), "sock", None)
