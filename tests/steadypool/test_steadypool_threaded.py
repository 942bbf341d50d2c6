"""The pool for threads, in virtual time and with scripted connections."""

import math
import threading
from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    ConnectionFailedError,
    ConnectionPool,
    NotBorrowedError,
    PoolClosedError,
    PoolConfigError,
    PoolInitializationError,
    PoolTimeoutError,
)
from steadypool.testing import (
    ClockStuckError,
    Gate,
    ScriptedConnection,
    ScriptedConnector,
    VirtualClock,
)

MakePool = Callable[..., ConnectionPool]


def test_the_pool_starts_with_size_connections(make_pool: MakePool) -> None:
    stats = make_pool(size=3, max_overflow=2).stats()
    assert (stats.created, stats.pool_size, stats.total_connections, stats.max_size) == (3, 3, 3, 5)


def test_min_size_connections_are_opened_at_the_start(make_pool: MakePool) -> None:
    assert make_pool(size=3, min_size=1).stats().created == 1


def test_the_statistics_have_the_agreed_names(make_pool: MakePool) -> None:
    assert set(make_pool().get_stats()) == {
        "created",
        "closed",
        "recycled",
        "acquired",
        "released",
        "timeouts",
        "total_connections",
        "pool_size",
        "max_size",
        "in_use",
        "waiting",
        "validation_failures",
        "connect_failures",
        "connect_retries",
        "leaks_suspected",
    }


def test_acquire_and_release_move_the_figures(make_pool: MakePool) -> None:
    pool = make_pool()
    connection = pool.acquire()
    assert (pool.stats().in_use, pool.stats().pool_size) == (1, 0)
    pool.release(connection)
    assert (pool.stats().in_use, pool.stats().pool_size, pool.stats().released) == (0, 1, 1)


def test_an_acquire_on_a_full_pool_fails_exactly_at_its_timeout(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool(timeout=30)
    pool.acquire()
    with pytest.raises(PoolTimeoutError) as caught:
        pool.acquire()
    assert clock.now() == 30
    error = caught.value
    assert (error.total, error.active, error.idle, error.waiting, error.waited) == (1, 1, 0, 1, 30)
    assert "raise size or max_overflow" in str(error)
    assert pool.stats().timeouts == 1
    assert pool.stats().waiting == 0


@pytest.mark.parametrize("timeout", [0.25, 60])
def test_an_acquire_may_override_the_timeout(
    make_pool: MakePool, clock: VirtualClock, timeout: float
) -> None:
    pool = make_pool(timeout=30)
    pool.acquire()
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=timeout)
    assert clock.now() == timeout


def test_timeout_zero_does_not_wait(make_pool: MakePool, clock: VirtualClock) -> None:
    pool = make_pool()
    pool.acquire(timeout=0)
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=0)
    assert clock.now() == 0


def test_timeout_zero_still_opens_a_connection_below_the_limit(make_pool: MakePool) -> None:
    pool = make_pool(min_size=0)
    assert pool.acquire(timeout=0) is not None


def test_a_release_wakes_the_waiter(make_pool: MakePool, clock: VirtualClock, actors: Any) -> None:
    pool = make_pool()
    held = pool.acquire()
    got: list[object] = []
    actors.start(lambda: got.append(pool.acquire()))
    clock.sleep(5)
    pool.release(held)
    actors.join()
    assert got == [held]
    assert clock.now() == 5
    pool.release(held)


def test_waiters_are_served_in_order_and_a_releaser_goes_to_the_back(
    make_pool: MakePool, actors: Any
) -> None:
    pool = make_pool()
    held = pool.acquire()
    served: list[str] = []

    def client(name: str) -> Callable[[], None]:
        def work() -> None:
            with pool:
                served.append(name)

        return work

    actors.queue(pool, client("first"), client("second"), client("third"))
    pool.release(held)
    with pool:
        served.append("releaser")
    actors.join()
    assert served == ["first", "second", "third", "releaser"]


def test_a_hand_over_at_the_moment_of_the_timeout_counts(
    make_pool: MakePool, clock: VirtualClock, actors: Any
) -> None:
    pool = make_pool()
    held = pool.acquire()

    class LateWaiter:
        """Reports its deadline although it was woken meanwhile."""

        def wait(self, deadline: float | None) -> bool:
            pool.release(held)
            return False

        def wake(self) -> None:
            pass

    pool._engine._waiter = LateWaiter
    assert pool.acquire() is held
    assert pool.stats().timeouts == 0
    pool.release(held)


def test_the_pool_grows_to_its_limit_and_keeps_size_connections(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2, max_overflow=2)
    held = [pool.acquire() for _ in range(4)]
    assert connect.open_now == 4
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=1)
    for connection in held:
        pool.release(connection)
    assert (pool.stats().pool_size, connect.open_now) == (2, 2)


def test_size_zero_keeps_nothing(make_pool: MakePool, connect: ScriptedConnector) -> None:
    pool = make_pool(size=0, max_overflow=1)
    with pool:
        assert connect.open_now == 1
    assert connect.open_now == 0


def test_unlimited_means_unlimited(make_pool: MakePool) -> None:
    pool = make_pool(size=1, max_overflow=-1)
    held = [pool.acquire() for _ in range(200)]
    assert pool.stats().total_connections == 200
    for connection in held:
        pool.release(connection)


def test_a_connection_as_old_as_recycle_is_replaced_before_it_is_handed_out(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(recycle=3600)
    clock.sleep(3600)
    with pool as connection:
        assert connection.number == 2
    assert connect.opened[0].closed
    stats = pool.stats()
    assert (stats.recycled, stats.created, stats.closed) == (1, 2, 1)


def test_a_connection_younger_than_recycle_is_kept(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool(recycle=3600)
    clock.sleep(3599)
    with pool as connection:
        assert connection.number == 1


def test_recycle_zero_means_no_age_limit(make_pool: MakePool, clock: VirtualClock) -> None:
    pool = make_pool(recycle=0)
    clock.sleep(1e9)
    with pool as connection:
        assert connection.number == 1


def test_a_waiter_gets_a_replacement_for_an_expired_connection(
    make_pool: MakePool, clock: VirtualClock, actors: Any
) -> None:
    pool = make_pool(recycle=10)
    held = pool.acquire()
    got: list[ScriptedConnection] = []

    def client() -> None:
        with pool as connection:
            got.append(connection)

    actors.queue(pool, client)
    clock.sleep(10)
    pool.release(held)
    actors.join()
    assert [connection.number for connection in got] == [2]


def test_a_failed_replacement_frees_its_slot_for_the_next_waiter(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(recycle=10, connect_attempts=1)
    clock.sleep(10)
    connect.then(OSError("refused"))
    with pytest.raises(ConnectionFailedError, match="refused") as caught:
        pool.acquire()
    assert isinstance(caught.value.__cause__, OSError)
    with pool as connection:
        assert connection.number == 2


def test_a_dead_idle_connection_is_replaced(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool()
    clock.sleep(1)
    connect.opened[0].die()
    with pool as connection:
        assert connection.number == 2
    assert connect.open_now == 1


def test_a_living_idle_connection_passes_the_check(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    pool = make_pool()
    clock.sleep(1)
    with pool as connection:
        assert connection.number == 1


def test_an_open_transaction_is_rolled_back_on_return(make_pool: MakePool) -> None:
    pool = make_pool()
    connection = pool.acquire()
    connection.in_transaction = True
    pool.release(connection)
    assert connection.rollbacks == 1
    assert pool.acquire() is connection
    pool.release(connection)


@pytest.mark.parametrize("spoil", ["close", "rollback fails"])
def test_closing_a_returned_connection_wakes_a_waiter(
    make_pool: MakePool, actors: Any, spoil: str
) -> None:
    pool = make_pool()
    held = pool.acquire()
    got: list[int] = []

    def client() -> None:
        with pool as connection:
            got.append(connection.number)

    actors.queue(pool, client)
    if spoil == "close":
        held.close()
    else:
        held.in_transaction = True
        held.on_rollback = OSError("gone")
    pool.release(held)
    actors.join()
    assert got == [2]
    assert pool.stats().total_connections == 1


def test_a_failed_connect_lets_the_next_waiter_try(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(min_size=0, connect_attempts=1)
    gate = Gate(clock)
    connect.then(gate, OSError("refused"))
    outcomes: list[str] = []

    def client() -> None:
        try:
            with pool:
                outcomes.append("served")
        except ConnectionFailedError:
            outcomes.append("failed")

    def leaver() -> None:
        with pool as connection:
            connection.close()
        outcomes.append("left")

    actors.start(leaver)
    assert gate.arrived.wait(10)
    actors.queue(pool, client, client)
    gate.open()
    actors.join()
    assert sorted(outcomes) == ["failed", "left", "served"]


def test_the_pool_still_grows_after_failed_connects(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2, max_overflow=1, min_size=0, connect_attempts=1, breaker_failures=None)
    connect.then(*[OSError("down")] * 10)
    for _ in range(10):
        with pytest.raises(ConnectionFailedError):
            pool.acquire()
    held = [pool.acquire() for _ in range(3)]
    for connection in held:
        pool.release(connection)


def test_a_slow_connect_delays_no_other_acquire(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=2)
    held = [pool.acquire(), pool.acquire()]
    held[0].close()
    pool.release(held[0])
    gate = Gate(clock)
    connect.then(gate)
    got: list[int] = []

    def client() -> None:
        with pool as connection:
            got.append(connection.number)

    actors.start(client)
    assert gate.arrived.wait(10)
    pool.release(held[1])
    with pool as connection:
        assert connection is held[1]
    assert clock.now() == 0
    gate.open()
    actors.join()
    assert got == [3]


def test_a_turn_that_comes_too_late_to_connect_is_a_timeout(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(min_size=0)
    connect.then(20.0, 20.0)
    with pool:
        assert clock.now() == 20
        with pytest.raises(PoolTimeoutError):
            pool.acquire(timeout=5)
    assert clock.now() == 25


def test_a_connect_that_fails_after_the_deadline_is_a_timeout(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    def connect() -> object:
        clock.sleep(7)
        raise OSError("timed out")

    pool = make_pool(connect=connect, min_size=0)
    with pytest.raises(PoolTimeoutError) as caught:
        pool.acquire(timeout=5)
    assert isinstance(caught.value.__cause__, OSError)


def test_close_all_empties_the_pool_and_it_stays_usable(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2)
    held = pool.acquire()
    pool.close_all()
    assert (pool.stats().pool_size, connect.open_now) == (0, 1)
    pool.release(held)
    assert (held.closed, pool.stats().total_connections) == (True, 0)
    with pool as connection:
        assert connection.number == 3


def test_close_all_frees_slots_for_waiters(make_pool: MakePool, actors: Any) -> None:
    pool = make_pool()
    held = pool.acquire()
    got: list[int] = []

    def client() -> None:
        with pool as connection:
            got.append(connection.number)

    actors.queue(pool, client)
    pool.close_all()
    pool.release(held)
    actors.join()
    assert got == [2]


def test_close_ends_all_waits_at_once(
    make_pool: MakePool, actors: Any, clock: VirtualClock
) -> None:
    pool = make_pool()
    held = pool.acquire()
    failures: list[float] = []

    def client() -> None:
        with pytest.raises(PoolClosedError):
            pool.acquire()
        failures.append(clock.now())

    actors.queue(pool, client, client)
    pool.close()
    actors.join()
    assert failures == [0, 0]
    pool.release(held)
    assert held.closed


def test_a_closed_pool_refuses_acquires_and_may_be_closed_again(make_pool: MakePool) -> None:
    pool = make_pool()
    pool.close()
    pool.close()
    with pytest.raises(PoolClosedError):
        pool.acquire()
    assert pool.closed


def test_a_connect_that_ends_after_close_leaves_nothing_open(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(min_size=0)
    gate = Gate(clock)
    connect.then(gate)

    def client() -> None:
        with pytest.raises(PoolClosedError):
            pool.acquire()

    actors.start(client)
    assert gate.arrived.wait(10)
    pool.close()
    gate.open()
    actors.join()
    assert connect.open_now == 0
    assert (pool.stats().created, pool.stats().closed) == (1, 1)


def test_releasing_none_counts_nothing(make_pool: MakePool) -> None:
    pool = make_pool()
    pool.release(None)
    assert pool.stats().released == 0


def test_releasing_twice_is_refused_and_changes_nothing(make_pool: MakePool) -> None:
    pool = make_pool()
    connection = pool.acquire()
    pool.release(connection)
    before = pool.stats()
    with pytest.raises(NotBorrowedError):
        pool.release(connection)
    assert pool.stats() == before


def test_releasing_a_foreign_connection_is_refused(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    pool = make_pool()
    foreign = ScriptedConnection(99)
    with pytest.raises(NotBorrowedError):
        pool.release(foreign)
    assert not foreign.closed
    with pytest.raises(NotBorrowedError):
        pool.release(object())


def test_another_thread_may_release(make_pool: MakePool, actors: Any) -> None:
    pool = make_pool()
    connection = pool.acquire()
    actors.start(lambda: pool.release(connection))
    actors.join()
    assert pool.stats().pool_size == 1


class Interrupt(BaseException):
    """An exception that is not an `Exception`."""


@pytest.mark.parametrize("error", [ValueError, Interrupt])
def test_an_exception_in_a_with_block_releases_the_connection(
    make_pool: MakePool, error: type[BaseException]
) -> None:
    pool = make_pool()
    with pytest.raises(error), pool:
        raise error
    assert (pool.stats().pool_size, pool.stats().in_use) == (1, 0)


def test_contexts_nest(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    with pool as outer, pool as inner:
        assert outer is not inner
    assert pool.stats().released == 2


def test_connection_is_a_with_block_with_a_timeout(make_pool: MakePool) -> None:
    pool = make_pool()
    with pool.connection(), pytest.raises(PoolTimeoutError), pool.connection(timeout=1):
        pass
    assert pool.stats().in_use == 0


def test_a_failed_start_closes_the_connections_it_opened(connect: ScriptedConnector) -> None:
    connect.then(None, None, OSError("refused"))
    with pytest.raises(PoolInitializationError, match="refused"):
        ConnectionPool(size=5, connect=connect)
    assert (len(connect.opened), connect.open_now) == (2, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": -1}, "size must be a whole number, at least 0; given: -1"),
        ({"size": 1.5}, "size must be"),
        ({"size": True}, "size must be"),
        ({"size": 0, "max_overflow": 0}, "could open no connection"),
        ({"max_overflow": -2}, "max_overflow must be a whole number, at least -1"),
        ({"timeout": -1}, "timeout must be"),
        ({"timeout": math.nan}, "timeout must be"),
        ({"timeout": "30"}, "timeout must be"),
        ({"recycle": -5}, "recycle must be"),
        ({"min_size": 6}, "min_size must be a whole number, at least 0 and at most 5"),
        ({"check_after": -1}, "check_after must be"),
        ({"recycle_jitter": 2}, "recycle_jitter must be a number from 0 to 1; given: 2"),
        ({"max_uses": 0}, "max_uses must be a whole number, at least 1"),
        ({"max_waiting": -1}, "max_waiting must be a whole number, at least 0"),
        ({"connect_attempts": 0}, "connect_attempts must be"),
        ({"reset": "all"}, "reset must be one of rollback, session, none; given: 'all'"),
        ({"order": None}, "order must be one of lifo, fifo"),
    ],
)
def test_the_error_for_a_wrong_option_names_it(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PoolConfigError, match=message):
        ConnectionPool(**({"connect": ScriptedConnector()} | options))


def test_the_error_for_a_wrong_timeout_of_an_acquire_names_it(make_pool: MakePool) -> None:
    with pytest.raises(PoolConfigError, match="timeout must be"):
        make_pool().acquire(timeout=-1)


def test_a_pool_without_timeout_waits_for_ever(
    make_pool: MakePool, actors: Any, clock: VirtualClock
) -> None:
    pool = make_pool(timeout=None)
    held = pool.acquire()
    actors.queue(pool, lambda: pool.release(pool.acquire()))
    clock.sleep(1e7)
    pool.release(held)
    actors.join()
    assert pool.stats().timeouts == 0


@pytest.mark.parametrize("timeout", [None, math.inf])
def test_a_wait_without_timeout_never_gives_up(make_pool: MakePool, timeout: float | None) -> None:
    pool = make_pool(size=1, max_overflow=0, timeout=timeout)
    held = pool.acquire()
    with pytest.raises(ClockStuckError):  # no other thread could release it
        pool.acquire()
    pool.release(held)


def test_a_connection_of_unknown_state_is_rolled_back(make_pool: MakePool) -> None:
    class Mute:
        rollbacks = 0

        def rollback(self) -> None:
            self.rollbacks += 1

        def close(self) -> None:
            pass

    pool = make_pool(connect=Mute)
    with pool as connection:
        pass
    assert connection.rollbacks == 1
    assert pool.stats().pool_size == 1


def test_threads_on_real_time_never_share_a_connection() -> None:
    connect = ScriptedConnector()
    pool = ConnectionPool(size=3, max_overflow=2, timeout=60, connect=connect)
    holders: dict[int, int] = {}
    clashes: list[int] = []
    start = threading.Barrier(20)

    def client(number: int) -> None:
        start.wait(30)
        for turn in range(100):
            with pool as connection:
                if holders.setdefault(connection.number, number) != number:
                    clashes.append(connection.number)
                if turn % 10 == 0:
                    connection.in_transaction = True
                if turn % 25 == number:
                    connection.close()
                del holders[connection.number]

    threads = [threading.Thread(target=client, args=(n,), daemon=True) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    stats = pool.stats()
    pool.close()
    assert clashes == []
    assert stats.acquired == stats.released == 2000
    assert stats.total_connections == stats.pool_size <= 3
    assert (stats.waiting, stats.in_use, stats.timeouts) == (0, 0, 0)
    assert connect.open_now == 0
