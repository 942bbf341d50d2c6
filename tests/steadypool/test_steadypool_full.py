"""A full server: acquires wait for a connection of the pool, and the pool grows when it can."""

import random
from collections.abc import Callable
from typing import Any

import pymysql
import pytest

from steadypool import (
    ConnectionFailedError,
    ConnectionPool,
    HealthStatus,
    PoolInitializationError,
    PoolTimeoutError,
)
from steadypool._drivers.refusals import is_full
from steadypool.testing import ScriptedConnection, ScriptedConnector, VirtualClock

Actors = Any
ERRORS = (
    pymysql.OperationalError(1040, "Too many connections"),
    pymysql.OperationalError(1203, "User 'app' already has more than 'max_user_connections'"),
    pymysql.OperationalError(1226, "User 'app' has exceeded the 'max_user_connections' resource"),
)


class FullServer(ScriptedConnector):
    """A server with room for a number of connections."""

    def __init__(self, room: int, clock: VirtualClock) -> None:
        super().__init__(clock=clock)
        self.room = room
        self.error: Exception = ERRORS[0]

    def make(self, number: int) -> ScriptedConnection:
        if sum(not connection.closed for connection in self.opened) >= self.room:
            raise self.error
        return super().make(number)


@pytest.fixture
def connect(clock: VirtualClock) -> FullServer:
    return FullServer(2, clock)


@pytest.fixture
def pool(make_pool: Callable[..., ConnectionPool]) -> ConnectionPool:
    return make_pool(size=6, min_size=0, timeout=30, breaker_failures=1)


class Borrower:
    """Borrows a connection, keeps it for some seconds, and notes when it got it."""

    def __init__(self, pool: ConnectionPool, keeps: float, got: list[str], name: str) -> None:
        self._pool, self._keeps, self._got, self._name = pool, keeps, got, name

    def __call__(self) -> None:
        connection = self._pool.acquire()
        self._got.append(self._name)
        self._pool._clock.sleep(self._keeps)
        self._pool.release(connection)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error.args[0]))
def test_an_acquire_waits_for_a_connection_of_the_pool(
    pool: ConnectionPool,
    clock: VirtualClock,
    actors: Actors,
    connect: FullServer,
    error: Exception,
) -> None:
    connect.error = error
    held = [pool.acquire(), pool.acquire()]
    actors.queue(pool, Borrower(pool, 0, [], "waiter"))
    clock.sleep(9)
    assert pool.stats().waiting == 1
    assert pool._core.breaker.failures == 0
    pool.release(held[0])
    actors.join()
    assert clock.now() == 9
    pool.release(held[1])
    assert pool.stats().timeouts == 0


def test_waiters_are_served_in_the_order_in_which_they_asked(
    pool: ConnectionPool, clock: VirtualClock, actors: Actors
) -> None:
    got: list[str] = []
    held = [pool.acquire(), pool.acquire()]
    actors.queue(pool, *(Borrower(pool, 1, got, name) for name in "abcde"))
    clock.sleep(7)
    pool.release(held[0])
    actors.join()
    assert got == list("abcde")
    pool.release(held[1])


def test_a_waiter_connects_when_the_server_has_room_although_nothing_returns(
    pool: ConnectionPool, clock: VirtualClock, actors: Actors, connect: FullServer
) -> None:
    got: list[str] = []
    held = [pool.acquire(), pool.acquire()]
    actors.queue(pool, *(Borrower(pool, 20, got, name) for name in "abc"))
    clock.sleep(5)
    connect.room = 4
    clock.sleep(0.5)
    assert got == ["a", "b"]
    connect.room = 9
    clock.sleep(0.5)
    assert got == ["a", "b", "c"]
    for connection in held:
        pool.release(connection)
    actors.join()


def test_a_full_server_is_asked_by_one_connect_at_a_time_and_at_most_twice_a_second(
    pool: ConnectionPool, clock: VirtualClock, actors: Actors, connect: FullServer
) -> None:
    held = [pool.acquire(), pool.acquire()]
    actors.queue(pool, *(Borrower(pool, 0, [], "x") for _ in range(20)))
    before = connect.attempts
    clock.sleep(10)
    assert connect.attempts - before <= 22
    for connection in held:
        pool.release(connection)
    actors.join()


def test_the_waiter_that_looks_again_is_replaced_when_it_gives_up(
    pool: ConnectionPool, clock: VirtualClock, actors: Actors, connect: FullServer
) -> None:
    held = [pool.acquire(), pool.acquire()]
    got: list[str] = []

    def impatient() -> None:
        with pytest.raises(PoolTimeoutError):
            pool.acquire(timeout=3)

    actors.queue(pool, Borrower(pool, 0, got, "patient"), impatient)
    clock.sleep(4)
    connect.room = 3
    actors.join()
    assert got == ["patient"]
    assert clock.now() <= 4.5
    for connection in held:
        pool.release(connection)


def test_a_closed_connection_of_the_pool_makes_room_at_once(
    pool: ConnectionPool, clock: VirtualClock, actors: Actors
) -> None:
    held = [pool.acquire(), pool.acquire()]
    actors.queue(pool, Borrower(pool, 0, [], "waiter"))
    clock.sleep(3.05)
    held[0].die()
    held[0].close()
    pool.release(held[0])
    actors.join()
    assert clock.now() == 3.05
    pool.release(held[1])


def test_an_acquire_that_gives_up_says_that_the_server_is_full(pool: ConnectionPool) -> None:
    held = [pool.acquire(), pool.acquire()]
    for timeout in (1, 2):
        with pytest.raises(PoolTimeoutError, match="The server is full"):
            pool.acquire(timeout=timeout)
    assert pool.stats().waiting == 0
    for connection in held:
        pool.release(connection)


@pytest.mark.parametrize("attempts", [1, 3])
def test_without_a_connection_that_could_return_the_error_is_the_servers(
    make_pool: Callable[..., ConnectionPool],
    clock: VirtualClock,
    connect: FullServer,
    attempts: int,
) -> None:
    connect.room = 0
    pool = make_pool(min_size=0, connect_attempts=attempts, breaker_failures=1)
    for number in (1, 2):
        with pytest.raises(ConnectionFailedError, match=r"1040.*Too many connections"):
            pool.acquire(timeout=5)
        assert connect.attempts == number * attempts
    assert pool.health().status is HealthStatus.UNHEALTHY
    connect.room = 1
    clock.sleep(0.5)
    assert pool.health().status is HealthStatus.HEALTHY


def test_requests_that_connect_together_wait_for_the_one_that_got_in(
    make_pool: Callable[..., ConnectionPool],
    clock: VirtualClock,
    actors: Actors,
    connect: FullServer,
) -> None:
    connect.room = 1
    connect.then(*[0.1] * 8)
    pool = make_pool(size=8, min_size=0, connect_attempts=1, timeout=60)
    actors.start(*(Borrower(pool, 1, [], "x") for _ in range(8)))
    actors.join()
    assert pool.stats().acquired == 8
    assert pool.stats().created == 1


def test_requests_in_their_backoff_wait_in_their_place_once_one_got_in(
    make_pool: Callable[..., ConnectionPool],
    clock: VirtualClock,
    actors: Actors,
    connect: FullServer,
) -> None:
    connect.room = 0
    got: list[str] = []
    pool = make_pool(size=3, min_size=0, timeout=60, random=lambda: 0.0, connect_attempts=9)
    actors.start(Borrower(pool, 1, got, "first"))
    clock.sleep(0.2)  # it has failed twice; its second backoff ends at 0.3 s
    connect.room = 1
    actors.start(Borrower(pool, 1, got, "second"))
    clock.sleep(0.01)
    actors.queue(pool, Borrower(pool, 1, got, "third"))
    actors.join()
    assert got == ["second", "first", "third"]


def test_a_full_server_ends_an_outage(
    make_pool: Callable[..., ConnectionPool], clock: VirtualClock, connect: FullServer
) -> None:
    pool = make_pool(size=3, min_size=0, breaker_failures=1, connect_attempts=1)
    held = [pool.acquire(), pool.acquire()]
    connect.then(OSError("down"))
    with pytest.raises(ConnectionFailedError):
        pool.acquire()
    assert pool._core.breaker.is_open
    clock.sleep(1)
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=1)
    assert not pool._core.breaker.is_open
    for connection in held:
        pool.release(connection)


def test_health_is_degraded_while_the_server_is_full_and_no_connection_is_idle(
    pool: ConnectionPool, connect: FullServer
) -> None:
    held = [pool.acquire(), pool.acquire()]
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=0.3)
    health = pool.health()
    assert health.status is HealthStatus.DEGRADED
    assert "the server is full and refused the last connect" in health.reasons[0]
    pool.release(held.pop())
    assert pool.health().is_healthy
    pool.release(held.pop())


def test_a_pool_that_a_full_server_refuses_at_the_start_is_not_made(
    make_pool: Callable[..., ConnectionPool], connect: FullServer
) -> None:
    with pytest.raises(PoolInitializationError, match="1040"):
        make_pool(size=3)
    assert connect.open_now == 0


def test_maintenance_that_a_full_server_refuses_is_no_outage(
    make_pool: Callable[..., ConnectionPool], clock: VirtualClock, connect: FullServer
) -> None:
    connect.room = 3
    pool = make_pool(size=3, breaker_failures=1)
    pool.clear()
    connect.room = 2
    for _ in range(3):
        pool.maintain()
    assert pool.stats().total_connections == 2
    assert pool._core.breaker.failures == 0
    connect.room = 3
    clock.sleep(1)
    pool.maintain()
    assert pool.stats().total_connections == 3


@pytest.mark.parametrize("seed", range(5))
def test_no_loan_fails_while_connections_circulate_and_the_room_changes(
    pool: ConnectionPool, clock: VirtualClock, actors: Actors, connect: FullServer, seed: int
) -> None:
    chance = random.Random(seed)

    def client(number: int) -> None:
        own = random.Random(seed * 100 + number)
        for _ in range(8):
            connection = pool.acquire()
            clock.sleep(own.random() / 10)
            if own.random() < 0.2:
                connection.close()
            pool.release(connection)

    held = pool.acquire()
    actors.start(*(lambda number=number: client(number) for number in range(20)))
    for _ in range(20):
        clock.sleep(chance.random() / 4)
        connect.room = chance.randint(1, 7)
    actors.join()
    pool.release(held)
    stats = pool.stats()
    assert (stats.acquired, stats.released, stats.timeouts) == (161, 161, 0)


class OtherDriversError(Exception):
    """An error with a number, as mysql.connector's."""

    def __init__(self, errno: int) -> None:
        self.errno = errno
        super().__init__(f"error {errno}")


def test_the_error_of_any_mysql_driver_shows_a_full_server() -> None:
    wrapped = RuntimeError("cannot connect")
    wrapped.__cause__ = ERRORS[0]
    for full in (*ERRORS, OtherDriversError(1203), wrapped):
        assert is_full(full)
    for other in (pymysql.OperationalError(2003, "down"), OSError(1040, "x"), ValueError(1040)):
        assert not is_full(other)
