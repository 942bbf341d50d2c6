"""Reaches a server that has several addresses, after RFC 8305 ("happy eyeballs").

The addresses are tried in turn. If one does not connect within 250 ms, the next is tried beside
it. A server greets each client, so an address has answered only when it greets. If one connects and
does not greet within 500 ms, the next is tried too. When little time is left, each address has an
equal share of it. The first address that greets is used; the sockets to the others are closed.

Threads and tasks share the rules, and differ only in how they wait for the sockets.
"""

import asyncio
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple

from steadypool._drivers.names import Address, tcp_socket

_CONNECT_DELAY = 0.25
"""Seconds that an address may take to connect until the next is tried."""
_GREETING_DELAY = 0.5
"""Seconds that a connected address may take to greet until the next is tried."""


class Reached(NamedTuple):
    """A socket to a server that has greeted."""

    source: socket.socket
    deadline: float
    """The end of the sign-in: its equal share of the time that is left."""


class Race:
    """The attempts to reach one of several addresses. A context: it leaves no attempt behind."""

    def __init__(self, addresses: Sequence[Address], deadline: float) -> None:
        self._waiting = deque(addresses)
        self._deadline = deadline
        self._running: dict[socket.socket, Address] = {}
        self._next = 0.0
        """The time at which the next address is tried."""
        self._failures: list[str] = []
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> "Race":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._abandon()
        self._selector.close()

    @property
    def has_more(self) -> bool:
        """Whether an address is left to try."""
        return bool(self._waiting or self._running)

    def wait(self) -> Reached:
        """Block until an address has answered; raises OSError."""
        while True:
            reached = self._step(time.monotonic())
            if reached is not None:
                return reached
            self._selector.select(self._pause(time.monotonic()))

    async def wait_async(self) -> Reached:
        """Wait until an address has answered; raises OSError."""
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        descriptor = self._selector.fileno()
        loop.add_reader(descriptor, ready.set)
        try:
            while True:
                reached = self._step(time.monotonic())
                if reached is not None:
                    return reached
                ready.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause(time.monotonic())):
                        await ready.wait()
        finally:
            loop.remove_reader(descriptor)

    # --- parts -----------------------------------------------------------------------------------

    def _step(self, now: float) -> Reached | None:
        """Look at the sockets that are ready, and begin the attempts that are due."""
        for key, _ in self._selector.select(0):
            source: socket.socket = key.fileobj  # type: ignore[assignment]  # they are registered so
            if self._has_greeted(source, now):
                return self._won(source, now)
        if now >= self._deadline:
            raise TimeoutError("; ".join([*self._failures, "timed out"]))
        while self._waiting and now >= self._next:
            self._begin(self._waiting.popleft(), now)
        if not self.has_more:
            raise OSError("; ".join(self._failures))
        return None

    def _pause(self, now: float) -> float:
        """Return the seconds until the next step without an event."""
        until = min(self._next, self._deadline) if self._waiting else self._deadline
        return max(0.0, until - now)

    def _begin(self, address: Address, now: float) -> None:
        self._next = now + min(_CONNECT_DELAY, self._share(now))
        try:
            source = tcp_socket(address.family)
        except OSError as error:  # the system lacks this family
            self._fail(address, error, now)
            return
        self._running[source] = address
        try:
            source.setblocking(False)
            with suppress(BlockingIOError):
                source.connect(address.where)
            self._selector.register(source, selectors.EVENT_WRITE)
        except OSError as error:
            self._drop(source, error, now)

    def _has_greeted(self, source: socket.socket, now: float) -> bool:
        """Take the result of a connect, or the first byte of a greeting."""
        try:
            if self._selector.get_key(source).events == selectors.EVENT_READ:
                if source.recv(1, socket.MSG_PEEK):
                    return True
                raise ConnectionError("closed without a greeting")
            if number := source.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(number, os.strerror(number))
        except BlockingIOError:
            return False
        except OSError as error:
            self._drop(source, error, now)
            return False
        self._selector.modify(source, selectors.EVENT_READ)
        self._next = max(self._next, now + min(_GREETING_DELAY, self._share(now)))
        return False

    def _won(self, source: socket.socket, now: float) -> Reached:
        """Give up the other attempts; their addresses are tried again if the sign-in fails."""
        del self._running[source]
        self._selector.unregister(source)
        self._waiting.extend(self._running.values())
        self._abandon()
        self._next = 0.0
        return Reached(source, now + self._share(now))

    def _share(self, now: float) -> float:
        """Return an equal share of the time left, for an address among those that follow."""
        return max(0.0, self._deadline - now) / (len(self._waiting) + 1)

    def _drop(self, source: socket.socket, error: OSError, now: float) -> None:
        address = self._running.pop(source)
        with suppress(KeyError, ValueError):  # not registered yet
            self._selector.unregister(source)
        source.close()
        self._fail(address, error, now)

    def _fail(self, address: Address, error: OSError, now: float) -> None:
        self._failures.append(f"{address}: {error}")
        self._next = now

    def _abandon(self) -> None:
        while self._running:
            source, _ = self._running.popitem()
            with suppress(KeyError, ValueError):  # not registered yet
                self._selector.unregister(source)
            source.close()
