"""Both ends of a line for tests: raw sockets."""

import socket
from collections.abc import Iterator

import pytest

from poolspec.faults.network import Line
from poolspec.servers import Address


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A listening socket at the far end of the line."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        yield listener


@pytest.fixture
def line(server: socket.socket) -> Iterator[Line]:
    """A line to the server."""
    line = Line(Address(*server.getsockname()))
    yield line
    line.close()
