"""Hooks, validation and resets of connections."""

from collections.abc import Callable

import pytest

from steadypool import (
    ConnectionFailedError,
    ConnectionPool,
    PoolInitializationError,
)
from steadypool.testing import ScriptedConnection, ScriptedConnector, VirtualClock

MakePool = Callable[..., ConnectionPool]


def test_setup_runs_once_for_each_connection_and_on_acquire_at_every_acquire(
    make_pool: MakePool,
) -> None:
    set_up: list[int] = []
    acquired: list[int] = []
    pool = make_pool(
        size=1,
        setup=lambda connection: set_up.append(connection.number),
        on_acquire=lambda connection: acquired.append(connection.number),
    )
    for _ in range(3):
        with pool:
            pass
    pool.clear()
    with pool:
        pass
    assert (set_up, acquired) == ([1, 2], [1, 1, 1, 2])


def test_a_transaction_that_setup_leaves_open_is_rolled_back(make_pool: MakePool) -> None:
    def setup(connection: ScriptedConnection) -> None:
        connection.in_transaction = True

    with make_pool(setup=setup) as connection:
        assert (connection.in_transaction, connection.rollbacks) == (False, 1)


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_a_failing_setup_closes_the_connection_and_lets_the_next_try(
    make_pool: MakePool, connect: ScriptedConnector, error: BaseException
) -> None:
    failures = [error]

    def setup(connection: ScriptedConnection) -> None:
        if failures:
            raise failures.pop()

    pool = make_pool(min_size=0, setup=setup)
    with pytest.raises(type(error)):
        pool.acquire()
    assert connect.open_now == 0
    with pool as connection:
        assert connection.number == 2
    assert (pool.stats().created, pool.stats().closed) == (2, 1)


def test_a_setup_that_fails_at_the_start_is_an_initialization_error(
    connect: ScriptedConnector,
) -> None:
    def setup(connection: ScriptedConnection) -> None:
        raise ValueError("no such variable")

    with pytest.raises(PoolInitializationError, match="no such variable"):
        ConnectionPool(connect=connect, setup=setup)
    assert connect.open_now == 0


def test_a_setup_that_closes_the_connection_is_refused(make_pool: MakePool) -> None:
    pool = make_pool(min_size=0, setup=ScriptedConnection.close)
    with pytest.raises(ConnectionFailedError, match="setup hook"):
        pool.acquire()


def test_a_failing_on_acquire_closes_the_connection_and_frees_its_slot(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    failures = [ValueError("no")]

    def on_acquire(connection: ScriptedConnection) -> None:
        if failures:
            raise failures.pop()

    pool = make_pool(on_acquire=on_acquire)
    with pytest.raises(ValueError, match="no"):
        pool.acquire()
    assert (connect.open_now, pool.stats().acquired) == (0, 0)
    with pool as connection:
        assert connection.number == 2


def test_validation_is_a_round_trip_after_a_longer_idle_time(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool(validate_after=30)
    clock.sleep(29)
    with pool as connection:
        assert connection.pings == 0
    clock.sleep(30)
    with pool as connection:
        assert connection.pings == 1


@pytest.mark.parametrize(
    ("reset", "rollbacks", "resets", "open_after"),
    [("rollback", 1, 0, False), ("session", 0, 1, False), ("none", 0, 0, True)],
)
def test_the_reset_policy_determines_how_a_connection_is_reset(
    make_pool: MakePool, reset: str, rollbacks: int, resets: int, open_after: bool
) -> None:
    pool = make_pool(reset=reset)
    with pool as connection:
        connection.in_transaction = True
    assert (connection.rollbacks, connection.resets) == (rollbacks, resets)
    assert connection.in_transaction is open_after
    assert pool.stats().pool_size == 1


def test_a_session_reset_runs_setup_again(make_pool: MakePool) -> None:
    set_up: list[int] = []
    pool = make_pool(reset="session", setup=lambda connection: set_up.append(connection.number))
    with pool:
        pass
    assert set_up == [1, 1]
