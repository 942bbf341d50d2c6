"""aiomysql, for asyncio: its own connections, and those of subclasses. Its errors are PyMySQL's."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, cast

from poolspec.drivers import mysql
from poolspec.drivers.contract import (
    AsyncClock,
    AsyncOpen,
    AsyncScriptedConnections,
    Make,
    Planned,
)
from poolspec.drivers.dbapi import AsyncDbapiDriver
from poolspec.drivers.links import link_of
from poolspec.drivers.scripted_asyncio import AsyncScriptedConnector
from poolspec.drivers.weak import forwarding, weakly
from poolspec.servers import Tenant
from poolspec.vocabulary import Call, ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed


class AiomysqlDriver(AsyncDbapiDriver):
    """Uses aiomysql connections."""

    rolls_back_to_check = False
    """Whether the pool checks a connection by a rollback outside a transaction."""
    connects_by = "_connect"
    """The method by which a connection connects again."""

    @property
    def errors(self) -> ModuleType:
        """The module of the driver's errors."""
        from pymysql import err

        return err

    def opener(self, tenant: Tenant) -> AsyncOpen:
        """Return a callable that opens one connection as a tenant."""
        return self.plain(tenant)

    def plain(self, tenant: Tenant) -> AsyncOpen:
        """Return a callable that opens one connection of aiomysql's own class."""
        return partial(open_connection, tenant)

    def scripted(self, clock: AsyncClock, plan: Planned, minimal: bool) -> AsyncScriptedConnections:
        """Make scripted connections."""
        return AsyncScriptedConnector(
            clock, plan, minimal, self.errors, self.failure, self.rolls_back_to_check
        )

    def number_of(self, connection: Any) -> int:
        """Return a connection's number at the server."""
        if link := link_of(connection):
            return link.number
        return cast(int, connection.thread_id())

    def watch(
        self, connection: Any, gone: Callable[[], object], reopened: Callable[[], object]
    ) -> None:
        """Call `gone` when the connection is closed, `reopened` after another connect."""
        if link := link_of(connection):
            link.when_gone(gone)
            return
        close = forwarding(connection, "close")

        def close_and_report() -> None:
            try:
                close()
            finally:  # a closed event loop raises, after the socket was shut down
                gone()

        connection.close = close_and_report
        self.watch_sockets(connection, gone, reopened)

    def end(self, connection: Any) -> None:
        """Close a connection's socket at once."""
        if link := link_of(connection):
            link.shut()
        else:
            connection.close()

    def session_state(self, connection: Any) -> str:
        """Return what its last use left behind on a connection; empty for a clean one."""
        if link := link_of(connection):
            return link.session_state()
        return mysql.state_of(connection)

    def make_of(self, connection: Any) -> Make:
        """Return the kind of a connection."""
        if link_of(connection):
            return mysql.SCRIPTED_MAKE
        return mysql.make_by(self.socket_of(connection), connection)

    def local_port(self, connection: Any) -> int:
        """Return the port of this side of a connection over TCP; 0 if there is none."""
        return mysql.port_of(self.socket_of(connection))

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an error of the driver means; None for any other exception."""
        return mysql.kind_of(error, self.errors)

    def failure(self, call: Call, message: str) -> Exception:
        """Return the error that a failing call raises."""
        error: Exception = self.errors.OperationalError(mysql.code_of(call), message)
        return error

    async def leave_unread(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement, and leave its rows for the server to send."""
        async with connection.cursor() as cursor:
            statement = cursor.mogrify(sql, params or None)
        await connection.query(statement, unbuffered=True)

    async def reconnect(self, connection: Any) -> None:
        """Connect again if the connection is lost."""
        await connection.ping(reconnect=True)

    def socket_of(self, connection: Any) -> Any:
        """Return the socket of a connection; None if it is closed."""
        transport = self.transport_of(connection)
        return transport.get_extra_info("socket") if transport else None

    def transport_of(self, connection: Any) -> Any:
        """Return the transport of a connection; None if it is closed."""
        writer = connection._writer
        return writer.transport if writer else None

    def watch_sockets(
        self, connection: Any, gone: Callable[[], object], reopened: Callable[[], object]
    ) -> None:
        """Call `gone` when the event loop closes a socket, `reopened` after another connect."""
        connect, weak = forwarding(connection, self.connects_by), weakly(connection)
        number = self.number_of(connection)

        async def connect_and_report() -> None:
            nonlocal number
            await connect()
            before, number = number, self.number_of(weak())
            if number != before:
                reopened()
                self._watch_transport(weak(), gone)

        setattr(connection, self.connects_by, connect_and_report)
        self._watch_transport(connection, gone)

    def _watch_transport(self, connection: Any, gone: Callable[[], object]) -> None:
        """Call `gone` when the event loop closes the socket, which a cancelled close leaves to it.

        Only asyncio's own transports can be watched.
        """
        transport, weak = self.transport_of(connection), weakly(connection)
        lose = getattr(transport, "_call_connection_lost", None)
        if lose is None:
            return

        def lose_and_report(error: Exception | None) -> None:
            lose(error)
            own = weak()
            if own is None or self.transport_of(own) in (transport, None):  # it has no other one
                gone()

        transport._call_connection_lost = lose_and_report


async def open_connection(tenant: Tenant) -> Any:
    """Open one connection as a tenant.

    It is closed here if that is cancelled, because aiomysql's own connect leaves its socket open
    then, which is no fault of the pool's.
    """
    from aiomysql.connection import Connection

    connection = Connection(
        host=tenant.address.host,
        port=tenant.address.port,
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        db=tenant.database,
    )
    try:
        await connection._connect()
    except BaseException:
        connection.close()
        raise
    return connection
