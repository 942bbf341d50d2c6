"""The asyncio driver's connection; the only module to import aiomysql.

Of aiomysql and asyncmy only the connection class was in question. Both close a connection whose
read was cancelled. aiomysql was taken because

* it is pure Python over PyMySQL's packets, sign-in and exceptions: one set of errors for threads
  and tasks, nothing to compile, no dependence on the GIL, and every step can be overridden here;
* asyncmy connects and reads through `asyncio.wait_for`, which before Python 3.12 can swallow a
  cancellation; aiomysql does so for its own connect timeout alone, which is not used here;
* MIT licence. Against it: no type hints, and slower with many rows.

What it lacks is added here: one time limit for connecting and signing in together, a time limit for
answers, no fallback to plain text where TLS is required, whether the server's last word on
transactions is up to date, and a connection that can no longer be in step is closed, whatever was
raised while an answer was read.
"""

import asyncio
import struct
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import aiomysql.connection
import pymysql
from pymysql.constants import CLIENT, COMMAND, CR, SERVER_STATUS

from steadypool._core.entries import ConnectionState
from steadypool._drivers.async_dbapi import SelfAware, is_silent
from steadypool._drivers.configuration import Config
from steadypool._drivers.tls import tls_context

_TLS_REFUSED = 2026
_RESET_SESSION = 0x1F
"""COM_RESET_CONNECTION, which PyMySQL has no name for."""
_GLANCE = 0.005
"""Seconds between two looks at what is sent under TLS."""


class AsyncConnection(aiomysql.connection.Connection, SelfAware):  # type: ignore[misc]  # its base has no hints
    """An aiomysql connection that knows what state it is in.

    `read_timeout`: seconds that the server may take for an answer; `write_timeout`: to take a
    statement. None: any time.
    """

    uncertain = False
    """A transaction may be open: the server has not said so since the last statement."""
    _settings: tuple[str, bool | None, Any] = ("", None, None)
    """Character set, autocommit and database, as signed in with."""
    read_timeout: float | None = None
    write_timeout: float | None = None
    tls_required = False
    _is_timed = False
    """The answer that is being read has its time limit as a whole."""
    _leaving: asyncio.StreamWriter | None = None
    # aiomysql's own.
    _reader: Any
    _writer: asyncio.StreamWriter | None

    # --- what the pool asks ----------------------------------------------------------------------

    def pool_state(self) -> ConnectionState:
        """Tell what it is like from what is known here; sends nothing."""
        if self._writer is None:
            return ConnectionState.CLOSED
        result = self._result
        if result is not None and (result.unbuffered_active or result.has_next):
            return ConnectionState.UNREAD
        if self._is_under_way(self._writer):
            return ConnectionState.UNREAD
        if self.uncertain or self.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:
            return ConnectionState.IN_TRANSACTION
        return ConnectionState.CLEAN

    def _is_under_way(self, writer: asyncio.StreamWriter) -> bool:
        """Whether another task, which outlived the loan, still sends a statement or reads."""
        reader = self._reader
        return bool(reader._waiter or reader._buffer or _unsent(writer))

    def pool_alive(self) -> bool:
        """Tell without a round trip: a server speaks first only to say good-bye."""
        if self._writer is None or self._writer.transport.is_closing():
            return False
        if self._reader.eof_received or self._reader._buffer or self._reader.exception():
            return False
        return is_silent(self._writer.get_extra_info("socket").fileno())

    async def pool_ping(self) -> None:
        """Make a round trip; raises if that fails."""
        await self.ping(reconnect=False)

    async def reset_session(self) -> None:
        """Forget all session state at the server, and roll back; then sign in's settings again."""
        charset, autocommit, database = self._settings
        await self._execute_command(_RESET_SESSION, b"")
        await self._read_ok_packet()
        if database:
            await self.select_db(database)
        await self.set_charset(charset)
        if autocommit is not None:
            await self.autocommit(autocommit)

    async def pool_close(self) -> None:
        """Take leave of the server; return when the socket is closed."""
        writer = self._leaving = self._writer
        self._writer = self._reader = None
        if writer is not None:
            writer.write(struct.pack("<iB", 1, COMMAND.COM_QUIT))
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0)  # an aborted transport closes its socket in the loop's next turn

    def limit(self, reading: float | None, writing: float | None) -> None:
        """Limit how long the server may take for an answer, and to take a statement."""
        self.read_timeout, self.write_timeout = reading, writing
        if self._writer is not None and not self._writer.get_extra_info("ssl_object"):
            self._writer.transport.set_write_buffer_limits(high=0)  # `drain` waits for all of it

    def abort(self) -> None:
        """Close the socket at once; as often as one likes."""
        writer = self._writer or self._leaving
        self._writer = self._reader = None
        if writer is not None:
            with suppress(RuntimeError):  # its event loop was closed: then its finalizer does so
                writer.transport.abort()

    # --- aiomysql's own, made tighter ------------------------------------------------------------

    def close(self) -> None:
        """Close the socket at once, without a word to the server."""
        self.abort()

    async def _connect(self) -> None:
        await super()._connect()
        self._settings = self.charset, self.autocommit_mode, self.db

    async def _request_authentication(self) -> None:
        if self.tls_required and not self.server_capabilities & CLIENT.SSL:
            raise pymysql.OperationalError(_TLS_REFUSED, "the server offers no TLS")
        await super()._request_authentication()

    async def _execute_command(self, command: int, sql: str | bytes) -> None:
        await super()._execute_command(command, sql)
        writer = self._writer
        if writer is None or not _unsent(writer):
            return
        try:
            await self._in_time(_sent(writer), self.write_timeout, "the server takes no statement")
        except OSError:  # it may have said why before it hung up: that is read next
            return
        except BaseException:  # somewhere amid a statement
            self.abort()
            raise

    async def _read_query_result(self, unbuffered: bool = False) -> None:
        self.uncertain = True
        try:
            await self._answered(super()._read_query_result(unbuffered))
        except pymysql.MySQLError:  # the server's answer, or the connection is closed already
            raise
        except BaseException:  # somewhere amid an answer
            self.abort()
            raise
        self.uncertain = self._result.server_status is None and not self.get_autocommit()

    async def _read_ok_packet(self) -> bool:
        await super()._read_ok_packet()
        self.uncertain = False
        return True

    async def _read_packet(self, packet_type: Any = aiomysql.connection.MysqlPacket) -> Any:
        self._ensure_alive()
        reading = super()._read_packet(packet_type)
        if self._is_timed:
            return await reading
        return await self._answered(reading)  # each row of a streamed result by itself

    async def _answered(self, reading: Coroutine[Any, Any, Any]) -> Any:
        self._is_timed = True
        try:
            return await self._in_time(reading, self.read_timeout, "no answer from the server")
        finally:
            self._is_timed = False

    async def _in_time(
        self, work: Coroutine[Any, Any, Any], seconds: float | None, complaint: str
    ) -> Any:
        if seconds is None:
            return await work
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            self.abort()
            raise pymysql.OperationalError(
                CR.CR_SERVER_LOST, f"{complaint} within {seconds} s"
            ) from None


def _unsent(writer: asyncio.StreamWriter) -> int:
    """Return how much the system has not taken yet: under TLS, of the transport below it."""
    transport: Any = writer.transport
    below = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
    return int((below or transport).get_write_buffer_size())


async def _sent(writer: asyncio.StreamWriter) -> None:
    await writer.drain()
    while _unsent(writer):  # a transport below TLS tells nobody when it is empty
        await asyncio.sleep(_GLANCE)


class AsyncConnector:
    """Opens connections to one database; an async callable without arguments.

    `address`, `user` and `database` tell where it leads. Raises PoolConfigError.
    """

    def __init__(self, config: Config) -> None:
        tls_context(config)  # authorities that cannot be had are told now, not at each connect
        self._config = config
        self.address = config.address
        self.user = config.user
        self.database = config.database
        self.place = config.place

    def __repr__(self) -> str:
        return f"AsyncConnector({self._config!r})"

    async def __call__(self) -> AsyncConnection:
        """Open a connection and sign in, all within the configured `connect_timeout`.

        Raises PyMySQL's errors.
        """
        connection = self._prepared()
        try:
            async with asyncio.timeout(self._config.connect_timeout):
                await connection._connect()
        except TimeoutError:
            connection.abort()
            raise pymysql.OperationalError(
                CR.CR_SERVER_LOST, f"not signed in within {self._config.connect_timeout} s"
            ) from None
        except pymysql.OperationalError as error:
            connection.abort()
            if isinstance(error.__cause__, OSError):  # which aiomysql does not repeat
                text = f"Can't connect to MySQL server on {self.address!r} ({error.__cause__})"
                raise pymysql.OperationalError(error.args[0], text) from error.__cause__
            raise
        except BaseException:
            connection.abort()
            raise
        connection.limit(self._config.reading_timeout, self._config.writing_timeout)
        return connection

    def _prepared(self) -> AsyncConnection:
        config = self._config
        connection = AsyncConnection(
            host=config.host,
            port=config.port,
            unix_socket=config.unix_socket,
            user=config.user,
            # aiomysql encodes it as Latin-1; this way UTF-8 comes out, and nothing can fail.
            password=config.password.encode().decode("latin-1"),
            db=config.database,
            charset=config.charset,
            autocommit=config.autocommit,
            ssl=tls_context(config),
        )
        connection.tls_required = bool(config.tls or config.tls_ca)
        return connection
