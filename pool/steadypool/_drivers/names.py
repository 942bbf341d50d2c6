"""Looks up host names within a time limit.

The system's look-up cannot be interrupted. So each look-up runs in a daemon thread, which ends when
the system answers; a connect waits for it only within its own time limit. A numeric address needs
no look-up and no thread. Nothing is cached: each connect asks the system again, so it follows a
change of the name.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import chain, zip_longest
from typing import Any, NamedTuple

from steadypool.errors import PoolConfigError

_MOST = 8
"""The most look-ups of one name at once. A further connect waits for the last of them."""


class Address(NamedTuple):
    """An address to connect to."""

    family: int
    where: Any

    def __str__(self) -> str:
        return f"{self.where[0]}:{self.where[1]}"


def tcp_socket(family: int) -> socket.socket:
    """Return a TCP socket with the options of a database connection, not connected."""
    source = socket.socket(family, socket.SOCK_STREAM)
    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    source.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return source


class _LookUp(threading.Thread):
    """One look-up."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(name=f"steadypool look-up of {host}", daemon=True)
        self._host = host
        self._port = port
        self._found: list[Address] = []
        self._error: Exception | None = None
        self._has_ended = False
        self._tell: list[Callable[[], object]] = []

    def run(self) -> None:
        """Ask the system."""
        try:
            self._found = _ask(self._host, self._port)
        except Exception as error:
            self._error = error
        self._has_ended = True
        for tell in tuple(self._tell):
            tell()

    def when_ended(self, tell: Callable[[], object]) -> None:
        """Call `tell` at the end, or now; perhaps twice."""
        self._tell.append(tell)
        if self._has_ended:
            tell()

    def addresses(self) -> list[Address]:
        """Return the addresses; raises OSError or PoolConfigError."""
        if self._error is not None:
            raise self._error
        return self._found


class Name:
    """The host of one database. Thread-safe."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port
        self._numeric = _numeric(host, port)
        self._running: list[_LookUp] = []

    def addresses(self, seconds: float) -> list[Address]:
        """Return the addresses, in the order to try them; raises OSError or PoolConfigError."""
        if self._numeric is not None:
            return [self._numeric]
        look_up, ended = self._begin(), threading.Event()
        look_up.when_ended(ended.set)
        if not ended.wait(seconds):
            raise TimeoutError(f"the look-up of {self._host!r} timed out")
        return look_up.addresses()

    async def addresses_async(self) -> list[Address]:
        """Do the same until the task is cancelled, which returns at once."""
        if self._numeric is not None:
            return [self._numeric]
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the event loop is closed
                loop.call_soon_threadsafe(ended.set)

        look_up = self._begin()
        look_up.when_ended(wake)
        await ended.wait()
        return look_up.addresses()

    def _begin(self) -> _LookUp:
        running = [one for one in self._running if one.is_alive()]
        if len(running) >= _MOST:
            return running[-1]
        look_up = _LookUp(self._host, self._port)
        try:
            look_up.start()
        except RuntimeError:  # no more threads, as at the end of the process
            look_up.run()
        self._running = [*running, look_up]
        return look_up


def _numeric(host: str, port: int) -> Address | None:
    """Return the address that a host without a name is."""
    for family, rest in ((socket.AF_INET, ()), (socket.AF_INET6, (0, 0))):
        with suppress(OSError, ValueError):
            socket.inet_pton(family, host)
            return Address(family, (host, port, *rest))
    return None


def _ask(host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise PoolConfigError(f"host: {host!r} is not a host name ({error})") from None
    if not found:
        raise OSError(f"the name {host!r} has no address")
    return _interleaved([Address(family, where) for family, _, _, _, where in found])


def _interleaved(addresses: list[Address]) -> list[Address]:
    """Let the families take turns, beginning with that of the first address; drop duplicates."""
    first = [address for address in addresses if address.family == addresses[0].family]
    other = [address for address in addresses if address.family != addresses[0].family]
    turns = chain.from_iterable(zip_longest(first, other))
    return list(dict.fromkeys(address for address in turns if address is not None))


async def connected(address: Address) -> socket.socket:
    """Connect to an address; raises OSError."""
    source = tcp_socket(address.family)
    try:
        source.setblocking(False)
        await asyncio.get_running_loop().sock_connect(source, address.where)
    except BaseException:
        source.close()
        raise
    return source
