"""The lab's line to a server: it forwards, falls silent, and ends."""

import socket
import threading

import pytest
from tests.faults.ends import connected, connection, exactly, swallows

from poolspec.faults.network import Line, Toxic
from poolspec.servers import Address, bound_socket
from poolspec.vocabulary import Fault


def silence(line: Line, port: int) -> frozenset[int]:
    """Let the connection from a port swallow the bytes of both sides."""
    return line.set(Toxic.of(Fault.HALF_OPEN, frozenset({port}), {}))


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
        assert swallows(ours, theirs)
        assert swallows(theirs, ours)


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


def test_a_line_forwards_more_than_its_buffers_hold(line: Line, server: socket.socket) -> None:
    data = bytes(range(256)) * 20_000
    with connection(line, server) as (ours, theirs):
        for source, target in ((ours, theirs), (theirs, ours)):
            sending = threading.Thread(target=source.sendall, args=(data,))
            sending.start()
            assert exactly(target, len(data)) == data
            sending.join()


def test_a_line_closes_the_connection_that_the_server_refuses() -> None:
    with bound_socket() as refusing:
        line = Line(Address(*refusing.getsockname()))
        with socket.create_connection((line.address.host, line.address.port), 5) as ours:
            assert ours.recv(10) == b""
        line.close()


def test_a_line_keeps_its_port_to_itself(line: Line) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind((line.address.host, line.address.port))


def test_the_end_of_a_line_may_be_asked_for_twice(line: Line) -> None:
    line.close()
    line.close()


def test_a_line_may_lead_to_a_name() -> None:
    family, _, _, _, where = socket.getaddrinfo("localhost", 0, type=socket.SOCK_STREAM)[0]
    with socket.create_server(where[:2], family=family) as server:
        line = Line(Address("localhost", server.getsockname()[1]))
        with connection(line, server) as (ours, theirs):
            ours.sendall(b"question")
            assert exactly(theirs, 8) == b"question"
        line.close()
