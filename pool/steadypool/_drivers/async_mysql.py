"""The asyncio driver's connection; the only module to import aiomysql.

The pool needs only a connection class, which aiomysql and asyncmy both have. Both close a
connection whose read was cancelled. aiomysql was chosen for these reasons:

* It is pure Python on top of PyMySQL's packets, sign-in and exceptions. Threads and tasks see the
  same errors, nothing is compiled or depends on the GIL, and every step can be overridden here.
* asyncmy connects and reads through `asyncio.wait_for`, which can swallow a cancellation before
  Python 3.12. aiomysql does that only for its connect timeout, which is not used here.
* Its licence is MIT.

Its drawbacks: it has no type hints, and many rows take longer.

This module adds to aiomysql:

* one time limit for connecting and signing in together;
* a time limit for answers;
* no fallback to plain text when TLS is required;
* knowledge of whether the server's last transaction status is up to date;
* an aborted connection when reading an answer fails in a way that leaves the protocol out of step.
"""

import asyncio
import socket
import struct
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import aiomysql.connection
import pymysql
from pymysql.constants import CLIENT, COMMAND, CR, SERVER_STATUS

from steadypool._core.entries import ConnectionState
from steadypool._drivers import session
from steadypool._drivers.async_dbapi import SelfAware, is_silent
from steadypool._drivers.names import Address, Name, connected
from steadypool._drivers.race import Race, Reached
from steadypool._drivers.refusals import is_transient
from steadypool._drivers.sending import sent, unsent
from steadypool._drivers.silence import SignsOfLife

_TLS_REFUSED = 2026
_RESET_SESSION = 0x1F
"""COM_RESET_CONNECTION; PyMySQL has no name for it."""


class AsyncConnection(aiomysql.connection.Connection, session.Doubting, SignsOfLife, SelfAware):  # type: ignore[misc]  # its base class has no hints
    """An aiomysql connection that knows its own state.

    `read_timeout` limits the seconds until the server's answer, `write_timeout` the seconds until
    the server has taken a statement. None: no limit.
    """

    _sign_in_settings: tuple[str, bool | None, Any] | None = None
    """Character set, autocommit and database as of the first sign-in."""
    read_timeout: float | None = None
    write_timeout: float | None = None
    tls_required = False
    name: Name | None = None
    """The host to look up and connect to."""
    connect_seconds = 10.0
    """The seconds that the addresses of the host share."""
    _is_timed = False
    """A time limit already covers the whole answer that is being read."""
    _closing_writer: asyncio.StreamWriter | None = None
    # Attributes of aiomysql.
    _reader: Any
    _writer: asyncio.StreamWriter | None

    # --- for the pool ----------------------------------------------------------------------------

    def pool_state(self) -> ConnectionState:
        """Return the state from local knowledge; sends nothing."""
        if self._writer is None:
            return ConnectionState.CLOSED
        result = self._result
        if result is not None and (result.unbuffered_active or result.has_next):
            return ConnectionState.UNREAD
        if self._is_busy(self._writer):
            return ConnectionState.UNREAD
        if self.uncertain or self.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:
            return self._doubtful_state()
        return ConnectionState.CLEAN

    def _is_busy(self, writer: asyncio.StreamWriter) -> bool:
        """Whether a task that outlived the loan is still sending a statement or reading."""
        reader = self._reader
        return bool(reader._waiter or reader._buffer or unsent(writer))

    def pool_alive(self) -> bool:
        """Return False if the server sent anything: unasked, it only sends a goodbye."""
        if self._writer is None or self._writer.transport.is_closing():
            return False
        if self._reader.eof_received or self._reader._buffer or self._reader.exception():
            return False
        return is_silent(self._writer.get_extra_info("socket").fileno())

    async def pool_ping(self) -> None:
        """Make a round trip; raise if it fails."""
        await self.ping(reconnect=False)

    async def reset_session(self) -> None:
        """Reset the session on the server, which rolls back; then restore the sign-in settings."""
        assert self._sign_in_settings is not None
        charset, autocommit, database = self._sign_in_settings
        await self._execute_command(_RESET_SESSION, b"")
        self._note_new_session()
        await self._read_ok_packet()
        if database:
            await self.select_db(database)
        await self.set_charset(charset)
        if autocommit is not None:
            await self.autocommit(autocommit)

    async def pool_close(self) -> None:
        """Log off from the server; return when the socket is closed."""
        writer = self._closing_writer = self._writer
        self._writer = self._reader = None
        if writer is not None:
            writer.write(struct.pack("<iB", 1, COMMAND.COM_QUIT))
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0)  # an aborted transport closes its socket in the loop's next turn

    def limit(self, reading: float | None, writing: float | None) -> None:
        """Set the time limits for the server's answer and for taking a statement."""
        self.read_timeout, self.write_timeout = reading, writing
        if self._writer is not None and not self._writer.get_extra_info("ssl_object"):
            self._writer.transport.set_write_buffer_limits(high=0)  # `drain` waits for all bytes

    def abort(self) -> None:
        """Close the socket at once; may be called repeatedly."""
        writer = self._writer or self._closing_writer
        self._writer = self._reader = None
        if writer is not None:
            with suppress(
                RuntimeError
            ):  # the event loop is closed: the finalizer closes the socket
                writer.transport.abort()

    # --- overridden methods of aiomysql ----------------------------------------------------------

    def close(self) -> None:
        """Close the socket at once, without notifying the server."""
        self.abort()

    async def _connect(self) -> None:
        if self._sign_in_settings is None:
            await self._sign_in()
            self._sign_in_settings = self.charset, self.autocommit_mode, self.db
            return
        if self._writer is not None:  # a borrower may replace a session that is still there
            self._writer.transport.abort()
        await self._in_time(self._sign_in(), self.connect_seconds, "not signed in")
        self.limit(self.read_timeout, self.write_timeout)
        self._note_new_session()

    async def _sign_in(self) -> None:
        if self._unix_socket or self.name is None:
            await super()._connect()
        else:
            await self._sign_in_to_name(self.name)

    async def _sign_in_to_name(self, name: Name) -> None:
        """Sign in over the address of a host that answers first."""
        deadline = time.monotonic() + self.connect_seconds
        try:
            first, *others = addresses = await name.addresses_async()
            if others:
                await self._sign_in_to_first(addresses, deadline)
            else:
                await self._sign_in_over(await connected(first))
        except OSError as error:
            text = f"Can't connect to MySQL server on '{self.host}:{self.port}' ({error})"
            raise pymysql.OperationalError(CR.CR_CONN_HOST_ERROR, text) from error

    async def _sign_in_to_first(self, addresses: list[Address], deadline: float) -> None:
        """Sign in to the first address that answers; if that fails, to the next."""
        failed: Exception | None = None
        with Race(addresses, deadline) as race:
            while True:
                try:
                    reached = await race.wait_async()
                except OSError as error:
                    raise failed or error from None
                try:
                    await self._sign_in_by(reached)
                    return
                except (OSError, pymysql.MySQLError) as error:
                    if not race.has_more or not is_transient(error):
                        raise
                    failed = error

    async def _sign_in_by(self, reached: Reached) -> None:
        try:
            async with asyncio.timeout(reached.deadline - time.monotonic()):
                await self._sign_in_over(reached.source)
        except TimeoutError:
            text = "Lost connection to MySQL server at sign-in (timed out)"
            raise pymysql.OperationalError(CR.CR_SERVER_LOST, text) from None

    async def _sign_in_over(self, source: socket.socket) -> None:
        """Sign in over a connected socket, as aiomysql does; on failure, close it."""
        try:
            opened = aiomysql.connection._open_connection(sock=source)
            self._reader, self._writer = await opened
        except BaseException:
            source.close()
            raise
        try:
            self._secure = False
            self.host_info = f"socket {self.host}:{self.port}"
            self._next_seq_id = 0
            await self._get_server_information()
            await self._request_authentication()
            self.connected_time = asyncio.get_running_loop().time()
            if self.autocommit_mode is not None:
                await self.autocommit(self.autocommit_mode)
        except BaseException:
            self.abort()
            raise

    async def _request_authentication(self) -> None:
        if self.tls_required and not self.server_capabilities & CLIENT.SSL:
            raise pymysql.OperationalError(_TLS_REFUSED, "the server offers no TLS")
        await super()._request_authentication()

    async def _execute_command(self, command: int, sql: str | bytes) -> None:
        if command == COMMAND.COM_QUERY:
            self.doubts = session.after_statement(self.doubts, sql)
        await super()._execute_command(command, sql)
        writer = self._writer
        if writer is None or not unsent(writer):
            return
        try:
            await self._in_time(sent(writer), self.write_timeout, "statement not taken")
        except OSError:  # the server may have sent the reason; it is read next
            return
        except BaseException:  # part of the statement was sent
            self.abort()
            raise

    async def _read_query_result(self, unbuffered: bool = False) -> None:
        self.uncertain = True
        try:
            await self._answered(super()._read_query_result(unbuffered))
        except pymysql.MySQLError as error:  # the server's answer, or already closed
            self._note_error(error)
            raise
        except BaseException:  # part of the answer was read
            self.abort()
            raise
        self._note_answer(self._result.server_status is None and not self.get_autocommit())

    async def _read_ok_packet(self) -> bool:
        try:
            await super()._read_ok_packet()
        except pymysql.MySQLError as error:
            self._note_error(error)
            raise
        self._note_answer()
        return True

    async def _read_packet(self, packet_type: Any = aiomysql.connection.MysqlPacket) -> Any:
        self._ensure_alive()
        reading = super()._read_packet(packet_type)
        if self._is_timed:
            return await reading
        return await self._answered(reading)  # a limit for each row of a streamed result

    async def _answered(self, reading: Coroutine[Any, Any, Any]) -> Any:
        self._is_timed = True
        try:
            return await self._in_time(reading, self.read_timeout, "no answer from the server")
        finally:
            self._is_timed = False
            if self._writer is not None:  # not lost: an error of the server is an answer too
                self.answered_at = self._now()

    async def _in_time(
        self, work: Coroutine[Any, Any, Any], seconds: float | None, message: str
    ) -> Any:
        if seconds is None:
            return await work
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            self.silent_since = self._now() - seconds
            self.abort()
            raise pymysql.OperationalError(
                CR.CR_SERVER_LOST, f"{message} within {seconds} s"
            ) from None
