"""Silent lines in the threads pool: what a missing answer says about the other connections."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pymysql
import pytest

from poolspec.drivers.pymysql import PyMySQLDriver
from poolspec.faults.network import Line, Toxic
from poolspec.servers import Tenant
from poolspec.vocabulary import Fault
from steadypool import Config, ConnectionPool
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, Answer, Loss, PoolEntry, Step
from steadypool._core.settings import Order, Settings
from steadypool._drivers import round_trips
from steadypool.testing import ScriptedConnector, VirtualClock

LIMIT = 0.6
"""Seconds for an answer in these tests."""


@pytest.fixture
def line(tenant: Tenant) -> Iterator[Line]:
    line = Line(tenant.address)
    yield line
    line.close()


@pytest.fixture
def over_line(config: Config, line: Line) -> Config:
    where = line.address
    return replace(config, host=where.host, port=where.port, unix_socket=None, query_timeout=LIMIT)


def silence(line: Line, pool: ConnectionPool, *others: Any) -> None:
    """Silence all idle connections of a pool, and others."""
    for connection in (*(entry.connection for entry in pool._core.idle), *others):
        port = PyMySQLDriver().local_port(connection)
        assert line.set(Toxic.of(Fault.HALF_OPEN, frozenset({port}), {})) == {port}


@contextmanager
def lasting(low: float, high: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert low <= time.monotonic() - began < high


def answer(connection: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchone()


def reconnect(connection: Any) -> None:
    """Let the driver connect again if the connection is lost, as a ping with `reconnect` does."""
    try:
        connection.ping(reconnect=False)
    except pymysql.Error:
        connection.connect()


def test_a_rollback_without_an_answer_puts_the_others_in_doubt(
    over_line: Config, line: Line, caplog: pytest.LogCaptureFixture
) -> None:
    pool = ConnectionPool(size=3, max_overflow=0, config=over_line)
    held = pool.acquire()
    held.begin()
    silence(line, pool, held)
    with lasting(LIMIT, 2 * LIMIT):
        pool.release(held)
    with lasting(0, LIMIT):
        assert answer(pool.acquire()) == (1,)
    pool.close()
    (record,) = [one for one in caplog.records if one.__dict__["event"] == "line_silent"]
    assert record.__dict__["closed"] == 2
    assert "closing 2 idle ones" in record.getMessage()


def test_a_hook_that_reconnects_waits_for_one_silent_connection(
    over_line: Config, line: Line
) -> None:
    pool = ConnectionPool(size=4, max_overflow=0, config=over_line, on_acquire=reconnect)
    silence(line, pool)
    with lasting(LIMIT, 2 * LIMIT):
        first = pool.acquire()
    with lasting(0, LIMIT):
        second = pool.acquire()
    assert answer(first) == answer(second) == (1,)
    pool.release(first)
    pool.release(second)
    pool.close()


def test_a_hook_that_fails_on_a_silent_connection_puts_the_others_in_doubt(
    over_line: Config, line: Line
) -> None:
    pool = ConnectionPool(size=3, max_overflow=0, config=over_line, on_acquire=answer)
    silence(line, pool)
    with pytest.raises(pymysql.OperationalError):
        pool.acquire()
    with lasting(0, LIMIT):
        connection = pool.acquire()
    pool.release(connection)
    pool.close()


def test_a_borrower_that_reconnects_after_a_silence_puts_the_others_in_doubt(
    over_line: Config, line: Line
) -> None:
    pool = ConnectionPool(size=3, max_overflow=0, config=over_line)
    held = pool.acquire()
    silence(line, pool, held)
    with pytest.raises(pymysql.OperationalError):
        answer(held)
    reconnect(held)
    pool.release(held)
    with lasting(0, LIMIT):
        assert answer(pool.acquire()) == (1,)
    pool.close()


def test_after_an_unknown_loss_plain_connections_are_checked_with_one_wait(
    over_line: Config, line: Line
) -> None:
    def connect() -> Any:
        return pymysql.connect(
            host=over_line.host,
            port=over_line.port,
            user=over_line.user,
            password=over_line.password,
            database=over_line.database,
            read_timeout=LIMIT,
            ssl_disabled=True,
        )

    pool = ConnectionPool(size=4, max_overflow=0, connect=connect)
    held = pool.acquire()
    silence(line, pool, held)
    with pytest.raises(pymysql.OperationalError):
        answer(held)
    pool.release(held)
    with lasting(LIMIT, 2 * LIMIT):
        first = pool.acquire()
    with lasting(0, LIMIT):
        second = pool.acquire()
    assert answer(first) == answer(second) == (1,)
    pool.release(first)
    pool.release(second)
    pool.close()


def test_a_short_wait_says_nothing_about_other_connections(over_line: Config, line: Line) -> None:
    pool = ConnectionPool(size=2, max_overflow=0, config=over_line)
    silence(line, pool)
    first, second = (entry.connection for entry in pool._core.idle)
    assert round_trips.check(first, 0.01, time.monotonic) is Answer.DEAD
    assert round_trips.check(second, 0.1, time.monotonic) is Answer.SILENT
    pool.close()


def test_a_slow_error_of_an_unlimited_driver_is_silence(
    clock: VirtualClock, connect: ScriptedConnector, make_pool: Callable[..., ConnectionPool]
) -> None:
    class Slow:
        closed = in_transaction = False

        def ping(self) -> None:
            clock.sleep(3.0)
            raise OSError("no answer")

    assert round_trips.check(Slow(), None, clock.now) is Answer.SILENT
    assert round_trips.loss(Slow()) is None


# --- the core ------------------------------------------------------------------------------------


class Bell:
    def wait(self, deadline: float | None) -> bool:
        raise AssertionError("no waiter waits in these tests")

    def wake(self) -> None:
        pass


class Reporting:
    """A connection that reports its last answer."""

    def __init__(self, answered_at: float) -> None:
        self.answered_at = answered_at
        self.silent_since: float | None = None


def core_with(*answered_at: float, order: Order = Order.LIFO, limit: int = 4) -> Core:
    """Return a core with one idle connection for each time; they became idle in this order."""
    core = Core(Settings(name="test", size=4, limit=limit, order=order, check_after=1.0))
    held = []
    for at in answered_at:
        request = AcquireRequest(Bell())
        core.start(request, at)
        request.entry = PoolEntry(Reporting(at), 0, at, 1000.0)
        request.entry.reports_answers = True
        core.opened(request, at)
        core.checkout(request, at)
        held.append((request.entry, at))
    for entry, at in held:
        core.check_in(entry, True, at)
    return core


@pytest.mark.parametrize("order", Order)
def test_a_round_trip_of_maintenance_keeps_the_order(order: Order) -> None:
    core = core_with(1.0, 1.0, 2.0, order=order)
    before = list(core.idle)
    for entry, since in core.unproven(10.0):
        reserved: list[PoolEntry] = []
        core.reserve(entry, since, reserved)
        assert (reserved, core.pending) == ([entry], 1)
        core.probed(entry, Answer.ALIVE, 10.0)
    assert list(core.idle) == before
    assert (core.pending, core.acquired) == (0, 3)


def test_a_connection_that_answers_maintenance_goes_to_the_waiter() -> None:
    core = core_with(1.0, limit=1)
    (entry,) = core.idle
    core.reserve(entry, entry.since, [])
    waiting = AcquireRequest(Bell())
    core.start(waiting, 5.0)
    assert waiting.step is Step.WAIT
    core.probed(entry, Answer.ALIVE, 6.0)
    assert (waiting.step, waiting.entry) == (Step.TAKE, entry)


def test_a_silent_connection_closes_only_those_that_did_not_answer_later() -> None:
    core = core_with(1.0, 5.0, 9.0)
    old, same, later = core.idle
    to_close: list[PoolEntry] = []
    core.doubt(5.0, to_close)
    assert to_close == [old, same]
    assert list(core.idle) == [later]
    assert core.take(9.0) is later


def test_a_connection_on_loan_stays_if_it_answers_before_it_returns() -> None:
    core = core_with(1.0, 1.0)
    held = [core.take(1.5), core.take(1.5)]
    core.doubt(5.0, [])
    for entry, answered_at in zip(held, (3.0, 6.0), strict=True):
        assert entry is not None
        entry.connection.answered_at = answered_at
        core.check_in(entry, True, 7.0)
    assert list(core.idle) == held[1:]


def test_a_connection_that_reports_no_answers_is_doubted_by_its_last_use() -> None:
    core = core_with(1.0, 1.0)
    for entry in core.idle:
        entry.connection, entry.reports_answers = object(), False
    early = core.take(1.5)
    core.doubt(5.0, [])
    assert early is not None
    core.check_in(early, True, 6.0)
    assert early.returning
    assert early.silent
    assert not core.idle


def test_a_loss_by_silence_counts_from_its_loan_at_least() -> None:
    core = core_with(1.0, 4.0)
    lost = core.take(4.0)
    assert lost is not None
    lost.connection.silent_since = -1.0  # a clock that stands still while the borrower waits
    to_close: list[PoolEntry] = []
    core.check_in(lost, False, 4.0)
    core.note_loss(lost, Loss.SILENT, to_close)
    assert len(to_close) == 1
    assert not core.idle
