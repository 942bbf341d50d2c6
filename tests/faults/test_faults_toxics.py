"""Each toxic of a line, as the two ends of a connection see it."""

import socket
import time

import pytest
from tests.faults.ends import arrives, connection, exactly, lasting, port_of, swallows

from poolspec.faults.network import Line, Toxic
from poolspec.faults.network.toxics import Latency
from poolspec.faults.terms import FaultTerms
from poolspec.vocabulary import Direction, Fault

UP, DOWN, BOTH = Direction.UPSTREAM, Direction.DOWNSTREAM, Direction.BOTH


def toxic(fault: Fault, *ports: int, **terms: object) -> Toxic:
    given: FaultTerms = terms  # type: ignore[assignment]
    return Toxic.of(fault, frozenset(ports) or None, given)


def is_refused(line: Line) -> bool:
    try:
        socket.create_connection((line.address.host, line.address.port), 5).close()
    except ConnectionRefusedError:
        return True
    return False


# --- latency, bandwidth and slicer ---------------------------------------------------------------


def test_latency_delays_the_answers_and_not_the_requests(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.LATENCY, delay=0.2))
        with lasting(0.2):
            assert arrives(theirs, ours)
        with lasting(0.0, 0.2):
            assert arrives(ours, theirs)


def test_latency_upstream_delays_the_requests(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.LATENCY, delay=0.2, direction=UP))
        with lasting(0.2):
            assert arrives(ours, theirs)
        with lasting(0.0, 0.2):
            assert arrives(theirs, ours)


def test_latency_keeps_the_order_of_bytes_with_jitter(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.LATENCY, delay=0.005, jitter=0.005, direction=BOTH))
        sent = bytes(range(100))
        for byte in sent:
            theirs.send(bytes([byte]))
            time.sleep(0.001)  # so that the line gets them apart
        assert exactly(ours, 100) == sent


def test_jitter_varies_the_delay_by_that_much() -> None:
    stage = Latency(toxic(Fault.LATENCY, delay=0.05, jitter=0.01), DOWN)
    dues = [due for _ in range(1000) for due, _ in stage.pass_on(100.0, b"x")]
    assert 100.04 <= min(dues) < 100.042
    assert 100.058 < max(dues) <= 100.06


def test_bytes_that_are_late_arrive_when_the_latency_ends(
    line: Line, server: socket.socket
) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.LATENCY, delay=60.0))
        theirs.sendall(b"late")
        assert swallows(theirs, ours)
        line.lift(Fault.LATENCY)
        assert exactly(ours, 8) == b"latelost"
        assert arrives(theirs, ours)


def test_a_toxic_that_is_set_again_replaces_the_first(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.LATENCY, delay=60.0))
        line.set(toxic(Fault.LATENCY, delay=0.1))
        with lasting(0.1):
            assert arrives(theirs, ours)


def test_bandwidth_lets_so_many_kilobytes_pass_in_a_second(
    line: Line, server: socket.socket
) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.BANDWIDTH, rate=20))
        with lasting(0.2, 1.0):
            theirs.sendall(bytes(4000))
            assert exactly(ours, 4000) == bytes(4000)
        with lasting(0.0, 0.2):
            ours.sendall(bytes(4000))
            assert exactly(theirs, 4000) == bytes(4000)


def test_a_slicer_sends_slices(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.SLICER, size=3, delay=0.05))
        with lasting(0.15):
            theirs.sendall(b"0123456789")
            assert [ours.recv(10) for _ in range(4)] == [b"012", b"345", b"678", b"9"]


def test_toxics_work_together(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.SLICER, size=5))
        line.set(toxic(Fault.LATENCY, delay=0.1))
        line.set(toxic(Fault.LIMIT_DATA, bytes=7))
        with lasting(0.1):
            theirs.sendall(b"0123456789")
            assert exactly(ours, 10) == b"0123456"


# --- closes --------------------------------------------------------------------------------------


def test_down_closes_connections_and_refuses_new_ones(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.DOWN))
        assert ours.recv(1) == theirs.recv(1) == b""
        assert is_refused(line)


def test_a_line_accepts_connections_again_after_down(line: Line, server: socket.socket) -> None:
    line.set(toxic(Fault.DOWN))
    assert is_refused(line)
    line.lift(Fault.DOWN)
    with connection(line, server) as (ours, theirs):
        assert arrives(ours, theirs)


def test_refuse_leaves_open_connections_alone(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.REFUSE))
        assert is_refused(line)
        assert arrives(ours, theirs)
        assert arrives(theirs, ours)
    line.lift(Fault.REFUSE)
    assert not is_refused(line)


def test_a_line_stays_closed_until_both_faults_have_ended(line: Line) -> None:
    line.set(toxic(Fault.DOWN))
    line.set(toxic(Fault.REFUSE))
    line.lift(Fault.DOWN)
    assert is_refused(line)
    line.lift(Fault.REFUSE)
    assert not is_refused(line)


@pytest.mark.parametrize("direction", [UP, DOWN])
def test_a_slow_close_arrives_late(line: Line, server: socket.socket, direction: Direction) -> None:
    with connection(line, server) as ends:
        line.set(toxic(Fault.SLOW_CLOSE, delay=0.2, direction=direction))
        closing, other = ends if direction is UP else reversed(ends)
        closing.sendall(b"bye")
        with lasting(0.2):
            closing.close()
            assert exactly(other, 3) == b"bye"
            assert other.recv(1) == b""


def test_a_close_in_the_other_direction_arrives_at_once(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.SLOW_CLOSE, delay=60.0, direction=UP))
        theirs.close()
        assert ours.recv(1) == b""


def test_a_slow_close_ends_when_it_is_lifted(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.SLOW_CLOSE, delay=60.0, direction=UP))
        ours.close()
        theirs.settimeout(0.1)
        with pytest.raises(TimeoutError):
            theirs.recv(1)
        line.lift(Fault.SLOW_CLOSE)
        assert theirs.recv(1) == b""


def test_reset_peer_resets_open_connections_and_new_ones(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.RESET_PEER))
        for end in (ours, theirs):
            with pytest.raises(ConnectionResetError):
                end.recv(1)
    where = (line.address.host, line.address.port)
    with pytest.raises(ConnectionResetError), socket.create_connection(where, 5) as new:
        new.recv(1)
    line.lift(Fault.RESET_PEER)
    with connection(line, server) as (ours, theirs):
        assert arrives(ours, theirs)


def test_reset_peer_may_come_later(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.RESET_PEER, delay=0.2))
        with lasting(0.2):
            assert arrives(ours, theirs)
            with pytest.raises(ConnectionResetError):
                ours.recv(1)


def test_a_reset_that_was_lifted_does_not_come(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.RESET_PEER, delay=0.1))
        line.lift(Fault.RESET_PEER)
        ours.settimeout(0.3)
        with pytest.raises(TimeoutError):
            ours.recv(1)
        assert arrives(ours, theirs)


def test_limit_data_closes_a_connection_in_the_middle(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        assert arrives(theirs, ours)
        line.set(toxic(Fault.LIMIT_DATA, bytes=12))
        assert arrives(theirs, ours)
        theirs.sendall(b"0123456789")
        assert exactly(ours, 10) == b"01"
        assert theirs.recv(1) == b""


def test_limit_data_counts_for_each_connection(line: Line, server: socket.socket) -> None:
    line.set(toxic(Fault.LIMIT_DATA, bytes=4, direction=UP))
    for _ in range(2):
        with connection(line, server) as (ours, theirs):
            ours.sendall(b"0123456789")
            assert exactly(theirs, 10) == b"0123"


# --- silence -------------------------------------------------------------------------------------


def test_timeout_drops_all_bytes_and_closes_when_it_is_lifted(
    line: Line, server: socket.socket
) -> None:
    line.set(toxic(Fault.TIMEOUT, direction=BOTH))
    with connection(line, server) as (ours, theirs):
        assert swallows(ours, theirs)
        assert swallows(theirs, ours)
        line.lift(Fault.TIMEOUT)
        assert ours.recv(1) == theirs.recv(1) == b""
    with connection(line, server) as (ours, theirs):
        assert arrives(theirs, ours)


def test_timeout_with_a_delay_closes_the_connection(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.TIMEOUT, delay=0.2))
        theirs.sendall(b"dropped")
        with lasting(0.1):
            assert ours.recv(1) == b""
        assert theirs.recv(1) == b""


@pytest.mark.parametrize("direction", [UP, DOWN])
def test_a_half_open_connection_swallows_one_direction(
    line: Line, server: socket.socket, direction: Direction
) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.HALF_OPEN, direction=direction))
        source, target = (ours, theirs) if direction is UP else (theirs, ours)
        assert swallows(source, target)
        assert arrives(target, source)


def test_new_connections_work_beside_half_open_ones(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs):
        line.set(toxic(Fault.HALF_OPEN))
        assert swallows(ours, theirs)
        assert swallows(theirs, ours)
        with connection(line, server) as (new, its):
            assert arrives(new, its)


# --- which connections ---------------------------------------------------------------------------


def test_a_toxic_may_be_about_one_connection(line: Line, server: socket.socket) -> None:
    with connection(line, server) as (ours, theirs), connection(line, server) as (other, its):
        port = port_of(ours)
        assert line.set(toxic(Fault.LIMIT_DATA, port, bytes=2)) == {port}
        theirs.sendall(b"0123")
        assert exactly(ours, 4) == b"01"
        assert arrives(its, other)
        with connection(line, server) as (new, newest):
            assert arrives(newest, new)


def test_a_line_says_which_connections_its_toxics_close(line: Line, server: socket.socket) -> None:
    cut: list[int] = []
    line.cut = cut.append
    with connection(line, server) as (ours, _), connection(line, server) as (other, its):
        its.close()
        assert other.recv(1) == b""
        line.set(toxic(Fault.DOWN))
        assert ours.recv(1) == b""
        assert cut == [port_of(ours)]
