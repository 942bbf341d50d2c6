"""A front of the server that understands its protocol: it makes sign-ins and statements slow.

The line of a test leads to the front, and the front to the server. A sign-in is slow or hangs
because the front connects to the server late, or only when the fault is healed: until then the
client is connected and gets no greeting. A statement is slow because the front lets the server
sleep first, on the same connection. So the process list shows a connection that runs a statement,
and the server can end it.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from poolspec.servers import Address, listening_socket
from poolspec.vocabulary import Fault

T = TypeVar("T")

OF_FRONT = frozenset({Fault.QUERY_SLOW, Fault.HANDSHAKE_SLOW, Fault.HANDSHAKE_HANGS})
"""The faults that a front makes."""
_FOREVER = float("inf")
_HEADER = 4
"""Bytes before each packet: three for its length, one for its number in the exchange."""
_STATEMENTS = (b"\x03", b"\x17")
"""The first byte of a command that runs a statement: COM_QUERY, COM_STMT_EXECUTE."""
_ERROR = 0xFF
_INTERRUPTED = b"\xff\x25\x05#70100Query execution was interrupted"
_EARLY = 0.9
"""A sleep that ends before this share of its time was interrupted."""
_CHUNK = 65536


class ServerFront:
    """A front of one server, in a thread. The public methods are thread-safe."""

    def __init__(self, server: Address) -> None:
        self._server = server
        self._seconds: dict[Fault, float] = {}
        self._healed: dict[Fault, asyncio.Event] = {}
        self.sleeping: set[int] = set()
        """The numbers of the connections on which the server sleeps."""
        self.may_continue = asyncio.Event()
        """Not set while the sleeps are ended: no statement that follows one must be killed."""
        self.may_continue.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="front", daemon=True)
        self._thread.start()
        listening = listening_socket()
        self.address = Address(*listening.getsockname())
        """Where the line leads."""
        self._listener = self._run(asyncio.start_server(self._accepted, sock=listening))

    def set(self, fault: Fault, seconds: float | None) -> None:
        """Begin a fault: sign-ins or statements take that many seconds; None: they hang."""
        self._run(self._set(fault, _FOREVER if seconds is None else seconds))

    def clear(self, fault: Fault, kill_statement: Callable[[int], None]) -> None:
        """End a fault: sign-ins that wait, and statements before which the server sleeps, continue.

        `kill_statement` ends the statement of a connection, by its number at the server.
        """
        for number in self._run(self._clear(fault)):
            kill_statement(number)
        self._loop.call_soon_threadsafe(self.may_continue.set)

    def close(self) -> None:
        """End the front and all its connections. Closing twice does nothing more."""
        if self._loop.is_closed():
            return
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    # --- in the front's thread -------------------------------------------------------------------

    def seconds(self, fault: Fault) -> float:
        """Return how long something takes now; 0 without a fault."""
        return self._seconds.get(fault, 0.0)

    async def wait(self, fault: Fault) -> None:
        """Wait as long as a fault says, or until it is healed."""
        if seconds := self.seconds(fault):
            limit = None if seconds == _FOREVER else seconds
            with suppress(TimeoutError):
                await asyncio.wait_for(self._healed[fault].wait(), limit)

    async def _set(self, fault: Fault, seconds: float) -> None:
        self._seconds[fault] = seconds
        self._healed.setdefault(fault, asyncio.Event())

    async def _clear(self, fault: Fault) -> list[int]:
        """Return the numbers of the connections that sleep; none continues yet."""
        if self._seconds.pop(fault, None) is None:
            return []
        self._healed.pop(fault).set()
        if fault is not Fault.QUERY_SLOW:
            return []
        self.may_continue.clear()
        return list(self.sleeping)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _serve(self, self._server, reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one side has left, or the front ends
        finally:
            writer.close()

    async def _end(self) -> None:
        self._listener.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await asyncio.sleep(0)  # a closed transport closes its socket in the loop's next turn

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _serve(
    front: ServerFront, server: Address, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Serve a client from its sign-in to its end."""
    for fault in (Fault.HANDSHAKE_SLOW, Fault.HANDSHAKE_HANGS):
        await front.wait(fault)
    for _ in range(2):  # turns of the loop, in which it reads that a client has left
        await asyncio.sleep(0)
    if reader.at_eof():  # the client did not wait
        return
    answers, commands = await _connect(server)
    greeting = await _read_packet(answers)
    writer.write(greeting)
    exchange = _Exchange(front, _number_in(greeting), writer, commands)
    ways = [
        asyncio.create_task(exchange.upstream(reader)),
        asyncio.create_task(exchange.downstream(answers)),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        commands.close()
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


class _Exchange:
    """The packets of one connection."""

    def __init__(
        self,
        front: ServerFront,
        number: int,
        pool: asyncio.StreamWriter,
        server: asyncio.StreamWriter,
    ) -> None:
        self._front = front
        self._number = number
        self._pool = pool
        self._server = server
        self._slept: asyncio.Future[bytes] | None = None
        """Gets the server's answer to a sleep, which the client must not see."""

    async def upstream(self, reader: asyncio.StreamReader) -> None:
        """Send the client's packets on; before a statement, let the server sleep."""
        while True:
            packet = await _read_packet(reader)
            is_statement = packet[3] == 0 and packet[_HEADER : _HEADER + 1] in _STATEMENTS
            seconds = self._front.seconds(Fault.QUERY_SLOW) if is_statement else 0.0
            if seconds and not await self._sleep(seconds):
                continue
            if reader.at_eof():  # the client did not wait
                return
            self._server.write(packet)
            await self._server.drain()

    async def downstream(self, reader: asyncio.StreamReader) -> None:
        """Send the server's bytes on, except the answers to sleeps."""
        hidden = b""
        while data := await reader.read(_CHUNK):
            if self._slept is None:
                self._pool.write(data)
                await self._pool.drain()
                continue
            hidden += data
            if len(hidden) >= _HEADER + int.from_bytes(hidden[:3], "little"):
                self._slept.set_result(hidden)
                self._slept, hidden = None, b""

    async def _sleep(self, seconds: float) -> bool:
        """Let the server sleep; return False if it was interrupted, as the client now knows."""
        loop = asyncio.get_running_loop()
        slept = self._slept = loop.create_future()
        started = loop.time()
        self._server.write(_packet(0, f"\x03DO SLEEP({seconds})".encode()))
        await self._server.drain()
        self._front.sleeping.add(self._number)
        try:
            answer = await slept
            await self._front.may_continue.wait()
        finally:
            self._front.sleeping.discard(self._number)
        if not self._front.seconds(Fault.QUERY_SLOW):  # it is healed
            return True
        if answer[_HEADER] == _ERROR:
            self._pool.write(answer)
        elif loop.time() - started < _EARLY * seconds:  # MariaDB answers OK when it is interrupted
            self._pool.write(_packet(1, _INTERRUPTED))
        else:
            return True
        await self._pool.drain()
        return False


def _packet(number: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


async def _read_packet(reader: asyncio.StreamReader) -> bytes:
    """Return a packet with its header."""
    header = await reader.readexactly(_HEADER)
    return header + await reader.readexactly(int.from_bytes(header[:3], "little"))


def _number_in(greeting: bytes) -> int:
    """Return the number that the server gives to a connection; 0 if it refuses the client."""
    _, zero, rest = greeting[_HEADER:].partition(b"\0")
    return int.from_bytes(rest[:4], "little") if zero else 0


async def _connect(server: Address) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if server.unix_socket is not None:
        return await asyncio.open_unix_connection(server.unix_socket)
    return await asyncio.open_connection(server.host, server.port)
