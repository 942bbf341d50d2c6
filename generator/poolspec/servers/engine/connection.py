"""One client: greeting, authentication, then commands until one side leaves.

A refused client gets one error and is disconnected; it never reaches the commands. At any end of a
connection (QUIT, a closed socket, KILL) its transaction is rolled back and it leaves the process
list in the same step.
"""

import asyncio
import contextlib
import time
import traceback
from typing import Protocol

from poolspec.servers.engine import statement
from poolspec.servers.engine.accounts import ADMIN
from poolspec.servers.engine.faults import Code, SqlError
from poolspec.servers.engine.session import Session
from poolspec.servers.engine.variables import VERSION
from poolspec.servers.engine.wire import (
    PLUGIN,
    Command,
    Credentials,
    Gone,
    Result,
    Wire,
    password_hash,
    proves,
)

_GREETING_SECONDS = 10.0
_INACTIVE = "The client was disconnected by the server because of inactivity."
_NO_USER = password_hash("")


class Server(statement.Server, Protocol):
    """A server that keeps a list of its connections."""

    def has_room(self) -> bool:
        """Return whether one more client may stay."""

    def has_room_for(self, user: str) -> bool:
        """Return whether one more client may sign in as this user."""

    def forget(self, connection: "Connection") -> None:
        """Take a connection off the list; idempotent."""


class AttentiveReader(asyncio.StreamReader):
    """A reader that reports the client's disconnect at once, even while no read is under way."""

    session: Session | None = None

    def feed_eof(self) -> None:
        """Note the end of the stream."""
        super().feed_eof()
        self._tell()

    def set_exception(self, exc: BaseException) -> None:
        """Note a broken connection."""
        super().set_exception(exc)  # type: ignore[arg-type]  # the stub forgets BaseException
        self._tell()

    def _tell(self) -> None:
        if self.session is not None:
            self.session.interrupt(SqlError(Code.KILLED, "The client has left"))


class Connection:
    """The server's end of one connection."""

    def __init__(
        self,
        server: Server,
        reader: AttentiveReader,
        writer: asyncio.StreamWriter,
        connection_id: int,
    ) -> None:
        self._server = server
        self._writer = writer
        self._wire = Wire(reader, writer)
        self.session = reader.session = Session(server, connection_id)

    async def serve(self) -> None:
        """Serve the client until the connection ends."""
        try:
            async with asyncio.timeout(_GREETING_SECONDS):
                await self._admit(
                    await self._wire.greet(VERSION, self.session.connection_id), self._wire
                )
            while not self.session.closed:
                await self._next_command()
        except SqlError as error:
            await self._last_word(error)
        except (Gone, TimeoutError):
            pass
        except Exception:
            traceback.print_exc()  # standard error is the server's log
        finally:
            self._server.forget(self)
            self.session.close()
            self._writer.close()

    def kill(self, why: SqlError | None = None) -> None:
        """End the connection now; a statement that waits fails with the reason."""
        self._server.forget(self)
        why = why or SqlError(Code.KILLED, "Connection was killed")
        waited = self.session.interrupt(why)
        self.session.close()
        if not waited:
            self._writer.transport.abort()

    async def _admit(self, who: Credentials, wire: Wire) -> None:
        proof = who.proof if who.plugin in (PLUGIN, None) else await wire.ask_for_plugin()
        refusal = self._server.accounts.refusal(who.user)
        if refusal is not None:
            raise refusal
        stored = self._server.accounts.stored_hash(who.user)
        known = proves(proof, wire.challenge, stored or _NO_USER)
        if not known or stored is None:
            using = "YES" if proof else "NO"
            raise SqlError(
                Code.ACCESS_DENIED,
                f"Access denied for user '{who.user}'@'localhost' (using password: {using})",
            )
        if who.user != ADMIN and not self._server.has_room():
            raise SqlError(Code.TOO_MANY_CONNECTIONS, "Too many connections")
        self.session.user = ""
        if not self._server.has_room_for(who.user):
            raise SqlError(
                Code.USER_LIMIT_REACHED,
                f"User '{who.user}' has exceeded the 'max_user_connections' resource",
            )
        self.session.user = who.user
        self.session.database = None
        if who.database is not None:
            self.session.use(who.database)
        await wire.ok(self.session.status(), Result())

    async def _next_command(self) -> None:
        self._wire.new_command()
        self.session.statement, self.session.since = None, time.monotonic()
        try:
            async with asyncio.timeout(self.session.variables.number("wait_timeout")):
                payload = await self._wire.read()
        except TimeoutError:
            raise SqlError(Code.INACTIVE, _INACTIVE) from None
        self.session.since = time.monotonic()
        try:
            await self._obey(payload)
        except SqlError as error:
            if self.session.closed or error.code in (Code.KILLED, Code.SHUTDOWN):
                raise
            await self._wire.error(error)
        except (Gone, asyncio.CancelledError):
            raise
        except Exception as error:
            traceback.print_exc()
            await self._wire.error(SqlError(Code.OTHER, f"The embedded server failed: {error}"))

    async def _obey(self, payload: bytes) -> None:
        command, rest = payload[:1], payload[1:]
        if command == bytes([Command.QUERY]):
            await self._query(self._wire.query(rest))
            return
        if command == bytes([Command.QUIT]):
            raise Gone
        if command == bytes([Command.CHANGE_USER]):
            await self._change_user(rest)
            return
        if command == bytes([Command.INIT_DB]):
            self.session.use(rest.decode())
        elif command == bytes([Command.RESET_CONNECTION]):
            self.session.reset()
        elif command != bytes([Command.PING]):
            raise SqlError(
                Code.UNKNOWN_COMMAND,
                f"The embedded server does not support command 0x{command.hex()} "
                "(prepared statements among others)",
            )
        await self._wire.ok(self.session.status(), Result())

    async def _query(self, sql: str) -> None:
        self.session.statement = sql
        result = await statement.execute(self._server, self.session, sql)
        if result.columns:
            await self._wire.rows(self.session.status(), result)
        else:
            await self._wire.ok(self.session.status(), result)

    async def _change_user(self, payload: bytes) -> None:
        self.session.reset()
        try:
            await self._admit(self._wire.change_user(payload), self._wire)
        except SqlError as error:
            await self._wire.error(error)
            raise Gone from None

    async def _last_word(self, error: SqlError) -> None:
        with contextlib.suppress(Gone):
            await self._wire.error(error)
