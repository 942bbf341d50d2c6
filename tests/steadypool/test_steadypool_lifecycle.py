"""The lifetime of connections, hooks and resets; resizing, suspending and closing a pool."""

from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    CloseReason,
    ConnectionFailedError,
    ConnectionPool,
    EventKind,
    PoolClosedError,
    PoolConfigError,
    PoolEvent,
    PoolExhaustedError,
    PoolInitializationError,
    PoolTimeoutError,
)
from steadypool.testing import Gate, ScriptedConnection, ScriptedConnector, VirtualClock

MakePool = Callable[..., ConnectionPool]


def closings(events: list[PoolEvent]) -> list[object]:
    return [event.reason for event in events if event.kind is EventKind.CONNECTION_CLOSED]


# --- uses, age, idleness --------------------------------------------------------------------------


def test_a_connection_is_closed_after_its_last_use(make_pool: MakePool) -> None:
    events: list[PoolEvent] = []
    pool = make_pool(max_uses=2, listeners=[events.append])
    seen = []
    for _ in range(5):
        with pool as connection:
            seen.append(connection.number)
    assert seen == [1, 1, 2, 2, 3]
    assert closings(events) == [CloseReason.USED_UP] * 2


def test_a_used_up_connection_frees_its_slot_for_a_waiter(make_pool: MakePool, actors: Any) -> None:
    pool = make_pool(max_uses=1)
    held = pool.acquire()
    got: list[int] = []

    def client() -> None:
        with pool as connection:
            got.append(connection.number)

    actors.queue(pool, client)
    pool.release(held)
    actors.join()
    assert got == [2]


def test_a_release_closes_connections_unused_for_long(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=3, min_size=1, max_idle_time=60)
    held = [pool.acquire() for _ in range(3)]
    for connection in held:
        pool.release(connection)
    for _ in range(10):
        clock.sleep(10)
        with pool:
            pass
    assert (pool.stats().pool_size, connect.open_now) == (1, 1)


def test_maintenance_closes_unused_connections_down_to_the_minimum(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    events: list[PoolEvent] = []
    pool = make_pool(size=4, max_idle_time=60, min_size=2, listeners=[events.append])
    held = [pool.acquire() for _ in range(4)]
    for connection in held:
        pool.release(connection)
    clock.sleep(59)
    pool.maintain()
    assert pool.stats().pool_size == 4
    clock.sleep(1)
    pool.maintain()
    assert pool.stats().pool_size == 2
    assert closings(events) == [CloseReason.IDLE] * 2


def test_connections_closed_for_their_age_do_not_count_when_unused_ones_are_closed(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=4, max_idle_time=10, min_size=2, recycle=100)
    clock.sleep(95)
    held = [pool.acquire() for _ in range(4)]
    for connection in held:
        pool.release(connection)
    clock.sleep(10)
    pool.maintain()
    assert (pool.stats().recycled, len(connect.opened), pool.stats().pool_size) == (2, 4, 2)


def test_maintenance_replaces_old_and_dead_connections(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2, recycle=100)
    connect.opened[0].die()
    pool.maintain()
    assert (connect.opened[0].closed, pool.stats().pool_size) == (True, 2)
    clock.sleep(100)
    pool.maintain()
    assert pool.stats().pool_size == connect.open_now == 2
    assert len(connect.opened) == 5
    assert (pool.stats().recycled, pool.stats().validation_failures) == (2, 1)


def test_maintenance_restores_the_minimum_after_an_outage(
    make_pool: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=3)
    for connection in connect.opened:
        connection.die()
    connect.then(OSError("down"))
    pool.maintain()
    assert pool.stats().total_connections == 0
    clock.sleep(1)
    pool.maintain()
    assert pool.stats().pool_size == 3


def test_maintenance_serves_a_waiter_with_the_connection_it_opens(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=2, min_size=1, max_overflow=0)
    pool.clear()
    gate = Gate(clock)
    connect.then(gate)
    actors.start(pool.maintain)
    assert gate.arrived.wait(10)
    held = pool.acquire()
    got: list[object] = []
    actors.queue(pool, lambda: got.append(pool.acquire()))
    gate.open()
    actors.join()
    assert len(got) == 1
    pool.release(held)
    pool.release(got[0])


def test_jitter_shortens_each_connections_age_by_its_own_share(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    dice = iter([0.0, 0.5, 1.0])
    pool = make_pool(size=3, recycle=100, recycle_jitter=0.2, random=lambda: next(dice, 0.0))
    recycled: list[int] = []
    for _ in range(3):
        clock.sleep(10 if recycled else 80)
        pool.maintain()
        recycled.append(pool.stats().recycled)
    assert recycled == [1, 2, 3]


@pytest.mark.parametrize(("order", "expected"), [("lifo", [2, 2, 2]), ("fifo", [1, 2, 1])])
def test_the_order_determines_which_idle_connection_is_used(
    make_pool: MakePool, order: str, expected: list[int]
) -> None:
    pool = make_pool(size=2, order=order)
    seen = []
    for _ in range(3):
        with pool as connection:
            seen.append(connection.number)
    assert seen == expected


# --- hooks ----------------------------------------------------------------------------------------


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


# --- checks and resets ----------------------------------------------------------------------------


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


# --- size and suspension --------------------------------------------------------------------------


def test_a_larger_pool_serves_its_waiters_at_once(make_pool: MakePool, actors: Any) -> None:
    pool = make_pool()
    held = pool.acquire()
    got: list[object] = []
    actors.queue(pool, lambda: got.append(pool.acquire()))
    pool.resize(size=2)
    actors.join()
    assert pool.max_size == pool.stats().total_connections == 2
    for connection in (held, *got):
        pool.release(connection)


def test_a_smaller_pool_closes_idle_connections_now_and_borrowed_ones_later(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=4)
    held = [pool.acquire() for _ in range(3)]
    pool.resize(size=1)
    assert connect.open_now == 3
    pool.release(held[0])
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=1)
    pool.release(held[1])
    pool.release(held[2])
    assert (connect.open_now, pool.stats().pool_size) == (1, 1)
    with pool:
        pass
    assert pool._core._fast


def test_resizing_keeps_values_that_are_not_given_and_refuses_wrong_ones(
    make_pool: MakePool,
) -> None:
    pool = make_pool(size=2, max_overflow=3)
    pool.resize(max_overflow=1)
    assert (pool.size, pool.max_size) == (2, 3)
    with pytest.raises(PoolConfigError, match="max_overflow"):
        pool.resize(max_overflow=-3)


def test_a_suspended_pool_makes_acquires_wait_and_accepts_releases(
    make_pool: MakePool, actors: Any, clock: VirtualClock
) -> None:
    pool = make_pool(size=2)
    held = pool.acquire()
    pool.suspend()
    served: list[str] = []

    def client(name: str) -> Callable[[], None]:
        def work() -> None:
            with pool:
                served.append(name)

        return work

    actors.queue(pool, client("first"), client("second"), client("third"))
    pool.release(held)
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=2)
    assert (served, pool.stats().pool_size) == ([], 2)
    pool.resume()
    actors.join()
    assert sorted(served) == ["first", "second", "third"]
    assert clock.now() == 2


def test_a_full_queue_refuses_at_once(
    make_pool: MakePool, actors: Any, clock: VirtualClock
) -> None:
    pool = make_pool(max_waiting=1)
    held = pool.acquire()
    actors.queue(pool, lambda: pool.release(pool.acquire()))
    with pytest.raises(PoolExhaustedError, match="active=1, idle=0, waiting=1") as caught:
        pool.acquire(timeout=30)
    assert clock.now() == 0
    assert (caught.value.total, caught.value.waiting) == (1, 1)
    pool.release(held)
    actors.join()


def test_max_connecting_limits_the_connects_under_way(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=3, min_size=0, max_connecting=1)
    first, second = Gate(clock), Gate(clock)
    connect.then(first, second)
    got: list[int] = []

    def client() -> None:
        connection = pool.acquire()
        got.append(connection.number)

    actors.start(client)
    assert first.arrived.wait(10)
    actors.queue(pool, client)
    assert connect.attempts == 1
    first.open()
    assert second.arrived.wait(10)
    second.open()
    actors.join()
    assert sorted(got) == [1, 2]
    for entry in list(pool._core.in_use.values()):
        pool.release(entry.connection)


def test_a_connect_begun_before_a_clear_is_not_handed_out(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(min_size=0)
    gate = Gate(clock)
    connect.then(gate)
    got: list[int] = []

    def client() -> None:
        with pool as connection:
            got.append(connection.number)

    actors.start(client)
    assert gate.arrived.wait(10)
    pool.clear()
    gate.open()
    actors.join()
    assert (got, connect.opened[0].closed) == ([2], True)


# --- closing with a drain -------------------------------------------------------------------------


def test_a_drain_waits_until_the_last_connection_is_back(
    make_pool: MakePool, actors: Any, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2)
    held = [pool.acquire(), pool.acquire()]

    def return_late() -> None:
        for connection in held:
            clock.sleep(3)
            pool.release(connection)

    actors.start(return_late)
    pool.close(drain=30)
    assert (clock.now(), connect.open_now) == (6, 0)
    actors.join()


def test_a_drain_ends_in_time_and_refuses_acquires(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool()
    held = pool.acquire()
    pool.close(drain=30)
    assert clock.now() == 30
    with pytest.raises(PoolClosedError):
        pool.acquire()
    pool.release(held)
    assert held.closed


def test_a_pool_with_nothing_on_loan_drains_at_once(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool()
    pool.close(drain=30)
    assert clock.now() == 0
