"""What tests do with both ends of a connection over a line."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from poolspec.faults.network import Line

LIMIT = 5.0
"""Seconds that any byte may take without a fault."""


def connected(line: Line, server: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Return both ends of a new connection over the line, of the pool and of the server."""
    ours = socket.create_connection((line.address.host, line.address.port), LIMIT)
    theirs, _ = server.accept()
    theirs.settimeout(LIMIT)
    return ours, theirs


@contextmanager
def connection(line: Line, server: socket.socket) -> Iterator[tuple[socket.socket, socket.socket]]:
    """Open a connection over the line for the block, and give it both ends."""
    ours, theirs = connected(line, server)
    with ours, theirs:
        yield ours, theirs


def port_of(end: socket.socket) -> int:
    """Return the port by which the line knows the pool's end."""
    port: int = end.getsockname()[1]
    return port


def arrives(source: socket.socket, target: socket.socket) -> bool:
    """Whether all bytes that one end sends arrive at the other."""
    source.sendall(b"0123456789")
    return exactly(target, 10) == b"0123456789"


def swallows(source: socket.socket, target: socket.socket) -> bool:
    """Whether nothing of what one end sends arrives at the other."""
    source.sendall(b"lost")
    target.settimeout(0.1)
    try:
        return target.recv(10) != b"lost"
    except TimeoutError:
        return True
    finally:
        target.settimeout(LIMIT)


def exactly(target: socket.socket, count: int) -> bytes:
    """Return so many bytes, or fewer if the connection ends before."""
    data = b""
    while len(data) < count and (part := target.recv(count - len(data))):
        data += part
    return data


@contextmanager
def lasting(low: float, high: float = LIMIT) -> Iterator[None]:
    """Check how many seconds the block takes."""
    began = time.monotonic()
    yield
    assert low <= time.monotonic() - began < high
