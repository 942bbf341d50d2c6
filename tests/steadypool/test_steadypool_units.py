"""Units of work, loans and leaks."""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    ConflictError,
    ConnectionPool,
    EventKind,
    HealthStatus,
    PoolEvent,
    expect_one,
)
from steadypool.testing import VirtualClock

MakePool = Callable[..., ConnectionPool]


def test_a_unit_of_work_is_committed_at_its_end(make_pool: MakePool) -> None:
    pool = make_pool()
    with pool.transaction() as connection:
        connection.in_transaction = True
    assert (connection.commits, connection.rollbacks) == (1, 0)
    assert pool.stats().pool_size == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_unit_of_work_that_raises_is_rolled_back(
    make_pool: MakePool, error: type[BaseException]
) -> None:
    pool = make_pool()
    with pytest.raises(error), pool.transaction() as connection:
        connection.in_transaction = True
        raise error
    assert (connection.commits, connection.rollbacks) == (0, 1)
    assert pool.stats().pool_size == 1


def test_a_failed_commit_is_rolled_back_and_raised(make_pool: MakePool) -> None:
    def fail() -> None:
        raise OSError("lost")

    pool = make_pool()
    with pytest.raises(OSError, match="lost"), pool.transaction() as connection:
        connection.in_transaction = True
        connection.commit = fail
    assert connection.rollbacks == 1


def test_a_connection_that_can_neither_commit_nor_roll_back_is_closed(make_pool: MakePool) -> None:
    pool = make_pool(reset="none")
    with pytest.raises(ValueError, match="mine"), pool.transaction() as connection:
        connection.in_transaction = True
        connection.on_rollback = OSError("gone")
        raise ValueError("mine")
    assert connection.closed
    assert pool.stats().total_connections == 0


class Cursor:
    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


def test_an_update_that_changed_one_row_is_no_conflict() -> None:
    expect_one(Cursor(1))


@pytest.mark.parametrize(("rows", "message"), [(0, "order 7 was changed"), (2, "changed 2 rows")])
def test_an_update_that_changed_no_row_or_several_is_a_conflict(rows: int, message: str) -> None:
    with pytest.raises(ConflictError, match=message):
        expect_one(Cursor(rows), "order 7")


def test_loans_show_each_connection_and_the_time_of_its_acquire(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool(size=2)
    first = pool.acquire()
    clock.sleep(5)
    second = pool.acquire()
    clock.sleep(1)
    assert [(loan.since, loan.seconds) for loan in pool.loans()] == [(0, 6), (5, 1)]
    pool.release(first)
    pool.release(second)
    assert pool.loans() == ()


def test_a_pool_with_leak_after_knows_the_borrower_and_the_place(make_pool: MakePool) -> None:
    pool = make_pool(leak_after=10)
    with pool:
        (loan,) = pool.loans()
    assert loan.holder == threading.current_thread().name
    assert loan.where[0].endswith("test_a_pool_with_leak_after_knows_the_borrower_and_the_place")


def test_a_long_loan_is_reported_once(
    make_pool: MakePool, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[PoolEvent] = []
    pool = make_pool(size=2, leak_after=10, listeners=[events.append])
    held = pool.acquire()
    clock.sleep(10)
    with caplog.at_level(logging.WARNING, "steadypool"):
        for _ in range(3):
            pool.maintain()
            with pool:
                pass
    (event,) = [event for event in events if event.kind is EventKind.LEAK_SUSPECTED]
    assert event.loan is not None
    assert (event.loan.seconds, event.loan.holder) == (10, threading.current_thread().name)
    (record,) = caplog.records
    assert (vars(record)["event"], vars(record)["seconds"]) == ("leak_suspected", 10)
    assert pool.stats().leaks_suspected == 1
    assert pool.health().status is HealthStatus.DEGRADED
    pool.release(held)
    assert pool.health().is_healthy


def test_the_next_loan_of_the_same_connection_is_reported_again(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool(leak_after=10)
    for _ in range(2):
        with pool:
            clock.sleep(11)
            pool.maintain()
    assert pool.stats().leaks_suspected == 2


def test_an_acquire_that_waits_for_a_leaked_connection_reports_the_leak(
    make_pool: MakePool, clock: VirtualClock, actors: Any
) -> None:
    pool = make_pool(leak_after=10)
    held = pool.acquire()
    clock.sleep(20)
    actors.queue(pool, lambda: pool.release(pool.acquire()))
    assert pool.stats().leaks_suspected == 1
    pool.release(held)
    actors.join()
