"""The server as a whole: it listens, and lists its connections."""

import asyncio
import signal
from collections.abc import Iterable
from pathlib import Path

from poolspec.servers.engine.accounts import ADMIN, Accounts
from poolspec.servers.engine.connection import AttentiveReader, Connection
from poolspec.servers.engine.faults import Code, SqlError
from poolspec.servers.engine.session import Session
from poolspec.servers.engine.store import WriteLocks
from poolspec.servers.engine.variables import Variables

_BACKLOG = 512
_LAST_WORDS_SECONDS = 1.0


class EngineServer:
    """The state that all connections share."""

    def __init__(self, directory: Path) -> None:
        password = (directory / "admin").read_text()
        self.accounts = Accounts(directory / "data", password)
        self.locks = WriteLocks()
        self.variables = Variables()
        self._connections: dict[int, Connection] = {}
        self.last_id = 0

    async def listen(self, unix_socket: str, host: str, port: int) -> None:
        """Serve on a TCP port and a unix socket until SIGTERM; raises OSError if one is taken."""
        loop = asyncio.get_running_loop()
        # TCP first: once the unix socket is there, the server is usable on both.
        tcp = await loop.create_server(self._protocol, host, port, backlog=_BACKLOG)
        local = await loop.create_unix_server(self._protocol, unix_socket, backlog=_BACKLOG)
        ended = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, ended.set)
        await ended.wait()
        await self._shut_down(tcp, local)

    async def _shut_down(self, *listeners: asyncio.Server) -> None:
        """Accept no more clients, and end those that are connected."""
        for listener in listeners:
            listener.close()
        for connection in list(self._connections.values()):
            connection.kill(SqlError(Code.SHUTDOWN, "Server shutdown in progress"))
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=_LAST_WORDS_SECONDS)

    def sessions(self) -> Iterable[Session]:
        """Return the sessions of all connected clients."""
        return [connection.session for connection in self._connections.values()]

    def has_room(self) -> bool:
        """Return whether one more client may stay; this one is already on the list."""
        return len(self._connections) <= self.variables.number("max_connections")

    def has_room_for(self, user: str) -> bool:
        """Return whether one more client may sign in as this user."""
        limit = self.accounts.limit(user)
        return limit is None or sum(one.user == user for one in self.sessions()) < limit

    def forget(self, connection: Connection) -> None:
        """Take a connection off the list; idempotent."""
        self._connections.pop(connection.session.connection_id, None)

    def kill(self, connection_id: int, killer: Session, *, only_statement: bool) -> None:
        """End a connection, or the statement it waits in."""
        target = self._connections.get(connection_id)
        if target is None:
            raise SqlError(Code.UNKNOWN_THREAD, f"Unknown thread id: {connection_id}")
        if killer.user not in (ADMIN, target.session.user):
            raise SqlError(Code.NOT_OWNER, f"You are not owner of thread {connection_id}")
        if only_statement:
            target.session.interrupt(SqlError(Code.INTERRUPTED, "Query execution was interrupted"))
        elif target.session is killer:
            raise SqlError(Code.KILLED, "Connection was killed")
        else:
            target.kill()

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(AttentiveReader(), self._connected)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, AttentiveReader)
        self.last_id += 1
        connection = Connection(self, reader, writer, self.last_id)
        self._connections[self.last_id] = connection
        await connection.serve()
