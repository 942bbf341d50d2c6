"""Scripted connections work in pools of other libraries, and do what the test has planned."""

import asyncio
from collections.abc import Callable
from typing import Any

import aiomysql
import asyncmy
import pymysql
import pytest
from dbutils.pooled_db import PooledDB
from sqlalchemy.pool import QueuePool

from poolspec.drivers.contract import AsyncDriver
from poolspec.drivers.links import link_of
from poolspec.faults.calls import CallFaults
from poolspec.lab.aio.clock import RealAsyncClock
from poolspec.lab.threads.clock import RealClock
from poolspec.testing import AiomysqlDriver, AsyncmyDriver, PyMySQLDriver, Replaced
from poolspec.vocabulary import Fault
from steadypool.testing import VirtualClock

DRIVER, ASYNC_DRIVER = PyMySQLDriver(), AiomysqlDriver()
KINDS = pytest.mark.parametrize("minimal", [False, True], ids=["whole", "minimal"])


@pytest.fixture
def faults() -> CallFaults:
    return CallFaults(DRIVER.failure)


Make = Callable[[Any], tuple[Callable[[], Any], Callable[[Any], Any], Callable[[], Any]]]


def queue_pool(connect: Any) -> Any:
    pool = QueuePool(connect, pool_size=1, max_overflow=0, timeout=0)
    return pool.connect, lambda one: one.dbapi_connection, pool.dispose


def pooled_db(connect: Any) -> Any:
    pool = PooledDB(connect, maxcached=1, maxconnections=1)
    return pool.connection, lambda one: one._con._con, pool.close


@KINDS
@pytest.mark.parametrize("make", [queue_pool, pooled_db])
def test_a_pool_of_threads_takes_them(make: Make, faults: CallFaults, minimal: bool) -> None:
    scripted = DRIVER.scripted(RealClock(), faults.plan, minimal)
    acquire, raw, close = make(scripted.open)
    borrowed = acquire()
    connection = raw(borrowed)
    assert DRIVER.number_of(connection) == 1
    assert DRIVER.make_of(connection).driver == "scripted"
    assert DRIVER.run(borrowed, "SELECT 1", ()) == [(1,)]
    assert DRIVER.run(borrowed, "UPDATE t SET a = 1", ()) == []
    assert DRIVER.session_state(connection) == "an open transaction"
    borrowed.close()
    assert DRIVER.session_state(connection) == ""
    assert raw(acquire()) is connection
    assert faults.calls("rollback") >= 1
    assert scripted.alive() == {1}
    del borrowed
    DRIVER.end(connection)
    assert scripted.alive() == set()
    close()


def test_a_dead_one_fails_as_the_driver_would_and_is_replaced(faults: CallFaults) -> None:
    scripted = DRIVER.scripted(RealClock(), faults.plan, False)
    pool = PooledDB(scripted.open, maxcached=1, maxconnections=1)
    first = pool.connection()
    first.close()
    scripted.kill(1)
    assert DRIVER.number_of(pool.connection()._con._con) == 2
    connection = scripted.open()
    scripted.kill(3)
    with pytest.raises(pymysql.OperationalError, match="the server is gone"):
        connection.ping()
    assert not connection.open
    with pytest.raises(pymysql.OperationalError):
        connection.cursor().execute("SELECT 1")


def test_a_planned_failure_is_raised_and_a_planned_delay_takes_time(faults: CallFaults) -> None:
    clock = VirtualClock()
    scripted = DRIVER.scripted(clock, faults.plan, False)
    faults.set(Fault.CONNECT_SLOW, seconds=3.0, times=1)
    connection = scripted.open()
    assert clock.now() == 3.0
    faults.set(Fault.COMMIT_FAILS, seconds=0.0, times=1)
    with pytest.raises(pymysql.OperationalError, match="the commit fails"):
        connection.commit()
    connection.commit()
    faults.set(Fault.CONNECT_REFUSED, seconds=0.0, times=1)
    with pytest.raises(pymysql.OperationalError, match="the connect fails"):
        scripted.open()
    faults.set(Fault.CLOSE_FAILS, seconds=0.0, times=1)
    with pytest.raises(pymysql.OperationalError, match="the close fails"):
        connection.close()
    with pytest.raises(pymysql.Error, match="Already closed"):
        connection.close()
    assert not connection.open


def test_one_shows_its_transaction_as_pymysql_does(faults: CallFaults) -> None:
    connection = DRIVER.scripted(RealClock(), faults.plan, False).open()
    assert connection.server_status & 1 == 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert (cursor.fetchone(), cursor.fetchone()) == ((1,), None)
    assert connection.server_status & 1 == 1
    connection.rollback()
    connection.autocommit(True)
    connection.query("UPDATE t SET a = 1")
    assert (connection.server_status & 1, connection.get_autocommit()) == (0, True)
    connection.begin()
    assert connection.in_transaction
    connection.close()


def test_a_minimal_one_has_the_methods_of_db_api_only(faults: CallFaults) -> None:
    connection = DRIVER.scripted(RealClock(), faults.plan, True).open()
    public = {name for name in dir(connection) if name[0] in "abcdefghijklmnopqrstuvwxyz"}
    assert public == {"cursor", "commit", "rollback", "close", "link"}
    connection.close()


POOLS: dict[str, tuple[AsyncDriver, Any]] = {
    "aiomysql": (AiomysqlDriver(), aiomysql.create_pool),
    "asyncmy": (AsyncmyDriver(), asyncmy.create_pool),
}


@KINDS
@pytest.mark.parametrize("name", POOLS)
def test_a_pool_of_asyncio_takes_them_though_it_takes_no_callable(
    name: str, faults: CallFaults, minimal: bool
) -> None:
    connects = Replaced(f"{name}.pool")
    driver, create_pool = POOLS[name]

    async def test() -> None:
        scripted = driver.scripted(RealAsyncClock(), faults.plan, minimal)
        pool = await create_pool(minsize=1, maxsize=1, **connects(scripted.open))
        connection = await pool.acquire()
        assert driver.number_of(connection) == 1
        assert await driver.run(connection, "SELECT 1", ()) == [(1,)]
        await driver.commit(connection)
        await pool.release(connection)
        assert await pool.acquire() is connection
        await driver.run(connection, "UPDATE t SET a = 1", ())
        assert driver.session_state(connection) == "an open transaction"
        await pool.release(connection)  # the pool closes one with an open transaction
        assert scripted.alive() == set()
        other = await pool.acquire()
        await pool.release(other)
        scripted.kill(2)
        third = await pool.acquire()  # the pool sees the end of the second one's stream
        assert driver.number_of(third) == 3
        await pool.release(third)
        pool.close()
        await pool.wait_closed()
        assert scripted.alive() == set()

    asyncio.run(test())


def test_a_replaced_connect_function_still_opens_other_connections() -> None:
    connects = Replaced("aiomysql.pool")
    assert list(connects(print)) == ["poolspec_connect"]
    connects(print)

    async def test() -> None:
        with pytest.raises(pymysql.OperationalError):
            await aiomysql.create_pool(minsize=1, host="127.0.0.1", port=1)

    asyncio.run(test())


def test_a_close_that_is_planned_to_take_time_takes_it_when_awaited(faults: CallFaults) -> None:
    async def test() -> None:
        scripted = ASYNC_DRIVER.scripted(RealAsyncClock(), faults.plan, False)
        faults.set(Fault.CLOSE_SLOW, seconds=0.01, times=2)
        loop = asyncio.get_running_loop()
        waited, began = await scripted.open(), loop.time()
        await waited.close()
        assert loop.time() - began >= 0.009
        at_once = await scripted.open()
        at_once.close()
        assert at_once.closed
        faults.set(Fault.CLOSE_FAILS, seconds=0.0, times=1)
        failing = await scripted.open()
        with pytest.raises(pymysql.OperationalError, match="the close fails"):
            failing.close()
        assert failing.closed
        assert faults.calls("close") == 3
        failing.close()
        assert faults.calls("close") == 3

    asyncio.run(test())


def test_a_closed_one_reports_that_it_is_gone(faults: CallFaults) -> None:
    connection = DRIVER.scripted(RealClock(), faults.plan, False).open()
    seen: list[str] = []
    DRIVER.watch(connection, lambda: seen.append("gone"), lambda: None)
    connection.close()
    assert seen == ["gone"]
    assert link_of(connection) is not None
    assert link_of(object()) is None
