"""One connection over a line: two sockets, and a direction from each of them to the other."""

import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from poolspec.faults.network.flow import Flow, Side
from poolspec.faults.network.loop import WRITE, Loop
from poolspec.faults.network.toxics import Mark, Toxic
from poolspec.servers import Address
from poolspec.vocabulary import Direction, Fault

_AT_ONCE = struct.pack("ii", 1, 0)
"""The option of a socket whose close resets the connection."""


@dataclass(frozen=True, slots=True)
class FarEnd:
    """Where the connections of a line lead; its name is looked up once."""

    unix_socket: str | None
    family: int
    where: Any

    @classmethod
    def of(cls, server: Address) -> "FarEnd":
        """Return the end at a server. Raises OSError if its name has no address."""
        found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
        family, _, _, _, where = found[0]
        return cls(server.unix_socket, family, where)

    def connect(self) -> socket.socket:
        """Return a socket that connects: over the unix socket if there is one, which is faster."""
        if self.unix_socket is not None:
            one = _prepared(socket.socket(socket.AF_UNIX))
            if not one.connect_ex(self.unix_socket):
                return one
            one.close()  # many wait there, or the server is down
        one = _prepared(socket.socket(self.family))
        one.connect_ex(self.where)
        return one


class Link:
    """A connection. Everything happens in the loop's thread."""

    def __init__(
        self, loop: Loop, pool: socket.socket, far: FarEnd, closed: Callable[[Mark], None]
    ) -> None:
        """Connect to the server; `closed` is called once, before the sockets are closed."""
        self._closed = closed
        self._is_open = True
        self._pool = Side(loop, _prepared(pool))
        self._server = Side(loop, far.connect())
        self._flows = {
            Direction.UPSTREAM: Flow(loop, self._pool, self._server, self.close),
            Direction.DOWNSTREAM: Flow(loop, self._server, self._pool, self.close),
        }
        self._server.read = self._server.write = self._connected
        self._server.want(WRITE, True)

    def add(self, toxic: Toxic) -> None:
        """Let a toxic affect the connection."""
        for direction, flow in self._flows.items():
            if stage := toxic.stage(direction):
                flow.add(toxic.kind, stage)

    def remove(self, fault: Fault) -> None:
        """End a toxic."""
        for flow in self._flows.values():
            flow.remove(fault)

    def close(self, mark: Mark = Mark.CUT) -> None:
        """Close both sockets; idempotent."""
        if self._is_open:
            self._is_open = False
            self._closed(mark)
            for flow in self._flows.values():
                flow.end()
            self._pool.close()
            self._server.close()

    def reset(self) -> None:
        """Reset the connection: the pool gets an RST in place of a FIN, and so does the server."""
        for side in (self._pool, self._server):
            _reset_at_close(side.socket)
        self.close()

    def _connected(self) -> None:
        """Begin to forward, or end if the server refused the connection."""
        if self._server.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close(Mark.END)
            return
        upstream, downstream = self._flows.values()
        self._pool.read, self._pool.write = upstream.read, downstream.flush
        self._server.read, self._server.write = downstream.read, upstream.flush
        for flow in (upstream, downstream):
            flow.flush()


def close_by_reset(one: socket.socket) -> None:
    """Close a socket; the other end gets an RST."""
    _reset_at_close(one)
    one.close()


def _reset_at_close(one: socket.socket) -> None:
    with suppress(OSError):  # it is closed, or is no TCP connection
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)


def _prepared(one: socket.socket) -> socket.socket:
    """Return a socket that does not block, and delays no small packet."""
    one.setblocking(False)
    if one.family != socket.AF_UNIX:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one
