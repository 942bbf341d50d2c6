"""The network of a lab: a fault that would break nothing is an error, and the end heals all."""

from collections.abc import Iterator

import pytest

from poolspec.adapters import find_pool
from poolspec.faults.network import Line
from poolspec.lab import Direction, Fault, Lab
from poolspec.plugin.forms import ThreadsRun
from poolspec.servers import Server, start_server
from poolspec.vocabulary import Connections, TimeKind


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    server = start_server()
    yield server
    server.stop()


@pytest.fixture
def run(database: Server) -> Iterator[ThreadsRun]:
    adapter = find_pool("steadypool").threads
    assert adapter is not None
    line = Line(database.address)
    run = ThreadsRun(database, adapter, TimeKind.REAL, Connections.DRIVER)
    run.lab.context.lay(line)
    yield run
    run.dispose()


@pytest.fixture
def lab(run: ThreadsRun) -> Lab:
    return run.lab


def test_an_empty_pool_has_no_connection_that_could_fall_silent(lab: Lab) -> None:
    lab.pool(size=1, min_size=0)
    with pytest.raises(AssertionError, match="connections to break are closed"):
        lab.fault(Fault.HALF_OPEN)
    with pytest.raises(AssertionError, match="no such connection to break"):
        lab.fault(Fault.IDLE_SILENCED)


def test_a_fault_is_about_a_connection_that_is_still_open(lab: Lab) -> None:
    pool = lab.pool(size=1)
    held = pool.acquire()
    lab.fault(Fault.DOWN)
    lab.heal(Fault.DOWN)
    with pytest.raises(AssertionError, match="connections to break are closed"):
        lab.fault(Fault.LATENCY, on=held, delay=0.1)


def test_a_pool_that_does_not_use_the_line_is_noticed(lab: Lab, database: Server) -> None:
    pool = lab.pool(size=1)
    held = pool.acquire()
    line, lab.context.network.line = lab.context.network.line, Line(database.address)
    try:
        with pytest.raises(AssertionError, match="not over the lab's line"):
            lab.fault(Fault.SLICER, on=held, size=1)
    finally:
        lab.context.network.close()
        lab.context.network.line = line


def test_two_connections_may_be_named(lab: Lab) -> None:
    pool = lab.pool(size=3)
    a, b, c = (pool.acquire() for _ in range(3))
    lab.fault(Fault.RESET_PEER, on=(a, b))
    c.query("SELECT 1", returns=1)
    lab.expect_server(connections=1)


@pytest.mark.parametrize(
    "fault", [Fault.DOWN, Fault.REFUSE, Fault.RESET_PEER, Fault.LIMIT_DATA, Fault.TIMEOUT]
)
def test_the_end_of_a_test_heals_its_network(run: ThreadsRun, fault: Fault) -> None:
    lab = run.lab

    def body() -> None:
        lab.pool(size=2, timeout=1.0, check_after=0.0)
        lab.fault(fault, bytes=10)

    run.call(body)  # the invariants hold, although the fault is in force


def test_a_late_close_is_over_when_the_server_is_asked_at_the_end(run: ThreadsRun) -> None:
    lab = run.lab

    def body() -> None:
        pool = lab.pool(size=1)
        lab.fault(Fault.SLOW_CLOSE, delay=60.0, direction=Direction.UPSTREAM)
        pool.close_all()

    run.call(body)
