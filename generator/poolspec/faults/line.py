"""A TCP line between the pools of one test and its server, which a fault makes silent.

A silent connection swallows the bytes of both sides, as a line does after a failover without a
reset: no error reaches either side. New connections over the same line work. Only the close of the
pool's side still reaches the server, so the server counts what the pool has open.

The line is real: a listening socket on loopback, and a relay for each connection, in one thread.
"""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from poolspec.servers import Address

T = TypeVar("T")

_CHUNK = 65536


class _Relay:
    """One connection over the line: a pair of streams."""

    def __init__(self) -> None:
        self.is_silent = False

    async def run(self, server: Address, pool: "_Stream") -> None:
        """Connect to the server, and forward until the pool's side ends, or both are done."""
        try:
            other = _Stream(*await _connect(server))
        except OSError:
            pool.abort()
            return
        answers = asyncio.create_task(self._forward(other, pool))
        try:
            await self._forward(pool, other)
        finally:
            answers.cancel()
            other.abort()
            pool.abort()

    async def _forward(self, source: "_Stream", target: "_Stream") -> None:
        with suppress(OSError):
            while data := await source.reader.read(_CHUNK):
                if not self.is_silent:
                    target.writer.write(data)
                    await target.writer.drain()
        if not self.is_silent:
            with suppress(OSError, RuntimeError):
                target.writer.write_eof()


class _Stream:
    """Both directions of one socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def abort(self) -> None:
        """Close the socket at once."""
        self.writer.transport.abort()


class Line:
    """A line to one server. All methods are thread-safe."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._relays: dict[int, _Relay] = {}
        """By the port of the pool's side."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="line", daemon=True)
        self._thread.start()
        self._listener = self._run(asyncio.start_server(self._accepted, "127.0.0.1", 0))
        self.address = Address(*self._listener.sockets[0].getsockname())
        """Where a pool connects."""

    def silence(self, port: int) -> bool:
        """Make the connection from this port silent; return False if the line has none."""
        relay = self._relays.get(port)
        if relay is not None:
            relay.is_silent = True
        return relay is not None

    def close(self) -> None:
        """End the line and all its connections. Closing twice does nothing more."""
        if self._loop.is_closed():
            return
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        port = writer.get_extra_info("peername")[1]
        relay = self._relays[port] = _Relay()
        try:
            await relay.run(self._server, _Stream(reader, writer))
        except asyncio.CancelledError:  # by the end of the line
            writer.transport.abort()
        finally:
            if self._relays.get(port) is relay:
                del self._relays[port]

    async def _end(self) -> None:
        self._listener.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await asyncio.sleep(0)  # an aborted transport closes its socket in the loop's next turn

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _connect(server: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if server.unix_socket is not None:
        return await asyncio.open_unix_connection(server.unix_socket)
    return await asyncio.open_connection(server.host, server.port)
