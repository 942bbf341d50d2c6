"""Pools that take no clock wait, expire and hand over in virtual time, without a change to them."""

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from dbutils.pooled_db import PooledDB
from sqlalchemy.exc import TimeoutError as AlchemyTimeoutError
from sqlalchemy.pool import QueuePool
from tests.lab.virtual_fixtures import Running, at_once

from poolspec.virtual import virtual_modules
from steadypool.testing import ScriptedConnector, VirtualClock

SQLALCHEMY = ("sqlalchemy.pool.base", "sqlalchemy.pool.impl", "sqlalchemy.util.queue")
DBUTILS = ("dbutils.pooled_db", "dbutils.steady_db")
HOUR = 3600


class Module:
    """A DB-API module, as DBUtils wants one."""

    threadsafety = 2
    Error = OperationalError = InternalError = InterfaceError = Exception

    def __init__(self, connect: Callable[[], object]) -> None:
        self.connect = connect


@contextmanager
def made(*modules: str) -> Iterator[tuple[VirtualClock, Any]]:
    """Make pools within the block."""
    clock = VirtualClock()
    with at_once(), virtual_modules(clock, *modules):
        yield clock, ScriptedConnector(clock=clock)


def test_an_acquire_from_sqlalchemy_times_out_after_exactly_its_seconds() -> None:
    with made(*SQLALCHEMY) as (clock, connect):
        pool = QueuePool(connect, pool_size=1, max_overflow=0, timeout=30)
        held = pool.connect()
        with pytest.raises(AlchemyTimeoutError):
            pool.connect()
        assert clock.now() == 30
        held.close()
        pool.dispose()


def test_a_waiter_of_sqlalchemy_is_served_by_a_release() -> None:
    with made(*SQLALCHEMY) as (clock, connect):
        pool = QueuePool(connect, pool_size=1, max_overflow=0, timeout=30)
        actors, served = Running(clock), list[float]()

        def work() -> None:
            with pool.connect():
                served.append(clock.now())
                clock.sleep(3)

        held = pool.connect()
        actors.queue(work, work)
        clock.sleep(10)
        held.close()
        actors.join()
        assert served == [10.0, 13.0]
        pool.dispose()


def test_sqlalchemy_replaces_a_connection_after_an_hour() -> None:
    with made(*SQLALCHEMY) as (clock, connect):
        pool = QueuePool(connect, pool_size=1, recycle=HOUR)
        pool.connect().close()
        clock.sleep(HOUR)
        pool.connect().close()
        assert connect.attempts == 1
        clock.sleep(0.001)
        pool.connect().close()
        assert connect.attempts == 2
        pool.dispose()


def test_a_slow_connect_of_sqlalchemy_takes_its_time_on_the_clock() -> None:
    with made(*SQLALCHEMY) as (clock, connect):
        connect.then(20.0)
        pool = QueuePool(connect, pool_size=1, max_overflow=0, timeout=30)
        actors, waited = Running(clock), list[float]()

        def work() -> None:
            with pytest.raises(AlchemyTimeoutError):
                pool.connect()
            waited.append(clock.now())

        def first() -> None:
            with pool.connect():
                clock.sleep(60)

        actors.queue(first, work)
        actors.join()
        assert waited == [30.0]
        pool.dispose()


def test_a_waiter_of_dbutils_is_served_by_a_release() -> None:
    with made(*DBUTILS) as (clock, connect):
        pool: Any = PooledDB(Module(connect), maxconnections=1, blocking=True, ping=0)
        actors, served = Running(clock), list[float]()

        def work() -> None:
            connection = pool.connection()
            served.append(clock.now())
            clock.sleep(3)
            connection.close()

        held = pool.connection()
        actors.queue(work, work)
        clock.sleep(10)
        held.close()
        actors.join()
        assert served == [10.0, 13.0]
        pool.close()


def test_a_connection_collected_by_a_thread_of_the_test_run_is_returned() -> None:
    """The finalizer of a lost connection runs in any thread, and takes the pool's locks."""
    with made(*SQLALCHEMY) as (clock, connect):
        pool = QueuePool(connect, pool_size=1, max_overflow=0, timeout=30)
        lost: list[Any] = [pool.connect()]

        def lose() -> None:
            lost.clear()
            gc.collect()

        thread = threading.Thread(target=lose)
        thread.start()
        thread.join()
        pool.connect().close()
        assert clock.now() == 0
        pool.dispose()
