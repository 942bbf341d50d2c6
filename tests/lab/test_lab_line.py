"""The lab's line to a server: it forwards, falls silent, and ends."""

import socket
from collections.abc import Iterator

import pytest

from poolspec.faults.network import Line, Toxic
from poolspec.servers import Address
from poolspec.vocabulary import Fault


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        yield listener


@pytest.fixture
def line(server: socket.socket) -> Iterator[Line]:
    line = Line(Address(*server.getsockname()))
    yield line
    line.close()


def connected(line: Line, server: socket.socket) -> tuple[socket.socket, socket.socket]:
    """Return both ends of a new connection over the line."""
    ours = socket.create_connection((line.address.host, line.address.port), 5)
    theirs, _ = server.accept()
    theirs.settimeout(5)
    return ours, theirs


def silence(line: Line, port: int) -> frozenset[int]:
    """Let the connection from a port swallow the bytes of both sides."""
    return line.set(Toxic.of(Fault.HALF_OPEN, frozenset({port}), {}))


def swallows(line: Line, source: socket.socket, target: socket.socket) -> bool:
    """Whether nothing of what one end sends arrives at the other."""
    source.sendall(b"lost")
    target.settimeout(0.1)
    try:
        return target.recv(10) != b"lost"
    except TimeoutError:
        return True
    finally:
        target.settimeout(5)


def test_a_line_forwards_both_ways(line: Line, server: socket.socket) -> None:
    ours, theirs = connected(line, server)
    with ours, theirs:
        ours.sendall(b"question")
        assert theirs.recv(10) == b"question"
        theirs.sendall(b"answer")
        assert ours.recv(10) == b"answer"


def test_a_silent_connection_swallows_bytes_both_ways(line: Line, server: socket.socket) -> None:
    ours, theirs = connected(line, server)
    with ours, theirs:
        assert silence(line, ours.getsockname()[1])
        assert swallows(line, ours, theirs)
        assert swallows(line, theirs, ours)


def test_other_connections_of_a_line_continue(line: Line, server: socket.socket) -> None:
    silent, theirs = connected(line, server)
    other, its = connected(line, server)
    with silent, theirs, other, its:
        assert silence(line, silent.getsockname()[1])
        other.sendall(b"question")
        assert its.recv(10) == b"question"


def test_a_close_by_the_pool_reaches_the_server_in_silence(
    line: Line, server: socket.socket
) -> None:
    ours, theirs = connected(line, server)
    with theirs:
        assert silence(line, ours.getsockname()[1])
        ours.close()
        assert theirs.recv(10) == b""


def test_a_close_by_the_server_is_swallowed_in_silence(line: Line, server: socket.socket) -> None:
    ours, theirs = connected(line, server)
    with ours:
        assert silence(line, ours.getsockname()[1])
        theirs.close()
        ours.settimeout(0.1)
        with pytest.raises(TimeoutError):
            ours.recv(10)


def test_a_line_knows_only_its_own_connections(line: Line) -> None:
    assert not silence(line, 1)


def test_the_end_of_a_line_ends_its_connections(line: Line, server: socket.socket) -> None:
    ours, theirs = connected(line, server)
    with ours, theirs:
        line.close()
        assert theirs.recv(10) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((line.address.host, line.address.port), 1)
