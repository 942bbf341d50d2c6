"""Pools that hand out bare sessions, modes of others, and connections to read-only servers."""

from typing import Any

import pymysql
from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._asyncio.acquire import AsyncEngine
from steadypool._core.core import Core
from steadypool._core.entries import ConnectionState, PoolEntry
from steadypool._drivers import async_dbapi, dbapi, session


@noticed_by("sessions.a_borrower_of_a_reconnected_connection_gets_a_session_that_is_set_up")
class KeepsReconnectedConnections(steadypool.ConnectionPool):
    """Takes a session that the driver connected for a borrower as it is."""

    def _make_engine(self) -> None:
        super()._make_engine()

        def is_lost(entry: PoolEntry) -> bool:
            entry.session = dbapi.adopt(entry.connection)
            return False

        self._engine._opener.is_lost = is_lost  # type: ignore[method-assign]  # wrong on purpose


@noticed_by("sessions.a_borrower_of_a_reconnected_connection_gets_a_session_that_is_set_up")
class AsyncKeepsReconnectedConnections(AsyncEngine):
    """Takes a session that the driver connected for a borrower as it is."""

    async def _restored(self, entry: PoolEntry, state: ConnectionState) -> bool:
        entry.session = async_dbapi.adopt(entry.connection)
        return await super()._restored(entry, state)


@noticed_by("resilience.a_transaction_does_not_continue_on_another_connection")
class RepeatsLostStatements(steadypool.ConnectionPool):
    """Repeats a statement on another session if its connection was lost, also in a transaction."""

    def acquire(self, timeout: float | None = None) -> Any:
        connection = super().acquire(timeout)
        query = type(connection).query

        def repeating(*arguments: Any, **options: Any) -> Any:
            try:
                return query(connection, *arguments, **options)
            except (pymysql.OperationalError, pymysql.InterfaceError):
                connection.ping(reconnect=True)
                return query(connection, *arguments, **options)

        connection.query = repeating
        return connection


@noticed_by("resilience.a_transaction_does_not_continue_on_another_connection")
class AsyncRepeatsLostStatements(steadypool.AsyncConnectionPool):
    """Repeats a statement on another session if its connection was lost, also in a transaction."""

    async def acquire(self, timeout: float | None = None) -> Any:
        connection = await super().acquire(timeout)
        query = type(connection).query

        async def repeating(*arguments: Any, **options: Any) -> Any:
            try:
                return await query(connection, *arguments, **options)
            except (pymysql.OperationalError, pymysql.InterfaceError):
                await connection.ping(reconnect=True)
                return await query(connection, *arguments, **options)

        connection.query = repeating
        return connection


@noticed_by("sessions.a_mode_for_the_next_transaction_does_not_reach_the_next_borrower")
class LeavesModes(steadypool.ConnectionPool):
    """Takes a connection without a transaction as clean, although the next one has a mode."""

    def release(self, connection: Any) -> None:
        if connection is not None and connection.doubts == session.MODE_SET:
            connection.uncertain = False
        super().release(connection)


@noticed_by("sessions.a_mode_for_the_next_transaction_does_not_reach_the_next_borrower")
class AsyncLeavesModes(steadypool.AsyncConnectionPool):
    """Takes a connection without a transaction as clean, although the next one has a mode."""

    async def _check_in(self, connection: Any, state: ConnectionState, keeps_open: bool) -> None:
        if connection.doubts == session.MODE_SET:
            state = ConnectionState.CLEAN
        await super()._check_in(connection, state, keeps_open)


@noticed_by("read_only.a_read_only_server_is_left_with_all_connections")
class KeepsOthersOnAReadOnlyServer(Core):
    """Closes only the connection that was refused."""

    def leave_server(self, entry: PoolEntry, to_close: list[PoolEntry], now: float) -> bool:
        return False


@noticed_by("read_only.a_connection_to_a_read_only_server_is_not_handed_out_again")
class StaysOnAReadOnlyServer(steadypool.ConnectionPool):
    """Forgets that a server refused to write."""

    def release(self, connection: Any) -> None:
        if connection is not None:
            connection.doubts &= ~session.READ_ONLY
        super().release(connection)


@noticed_by("read_only.a_connection_to_a_read_only_server_is_not_handed_out_again")
class AsyncStaysOnAReadOnlyServer(steadypool.AsyncConnectionPool):
    """Forgets that a server refused to write."""

    async def _check_in(self, connection: Any, state: ConnectionState, keeps_open: bool) -> None:
        if state is ConnectionState.READ_ONLY:
            connection.doubts, state = 0, ConnectionState.IN_TRANSACTION
        await super()._check_in(connection, state, keeps_open)
