"""Silent lines in the asyncio pool: what a missing answer says about the other connections."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import aiomysql
import pymysql
import pytest
from tests.steadypool_aio.context import PoolContext, run_test
from tests.steadypool_aio.database import run

from poolspec.drivers.aiomysql import AiomysqlDriver
from poolspec.faults.network import Line, Toxic
from poolspec.servers import Tenant
from poolspec.vocabulary import Fault
from steadypool import AsyncConnectionPool, Config

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


def silence(line: Line, pool: AsyncConnectionPool, *others: Any) -> None:
    """Silence all idle connections of a pool, and others."""
    for connection in (*(entry.connection for entry in pool._core.idle), *others):
        port = AiomysqlDriver().local_port(connection)
        assert line.set(Toxic.of(Fault.HALF_OPEN, frozenset({port}), {})) == {port}


@contextmanager
def lasting(low: float, high: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert low <= time.monotonic() - began < high


def on_pool(body: Callable[[AsyncConnectionPool], Awaitable[None]], **options: Any) -> None:
    """Run a test body in a new event loop, with a pool that is closed afterwards."""

    async def main() -> None:
        async with asyncio.timeout(20):
            pool = await AsyncConnectionPool.open(**{"size": 3, "max_overflow": 0} | options)
            try:
                await body(pool)
            finally:
                await pool.close()

    asyncio.run(main())


async def answers_at_once(pool: AsyncConnectionPool) -> None:
    with lasting(0, LIMIT):
        connection = await pool.acquire()
        assert await run(connection, "SELECT 1") == ((1,),)
    await pool.release(connection)


def test_a_rollback_without_an_answer_puts_the_others_in_doubt(
    over_line: Config, line: Line
) -> None:
    async def body(pool: AsyncConnectionPool) -> None:
        held = await pool.acquire()
        await held.begin()
        silence(line, pool, held)
        with lasting(LIMIT, 2 * LIMIT):
            await pool.release(held)
        await answers_at_once(pool)

    on_pool(body, config=over_line)


def test_a_hook_that_fails_on_a_silent_connection_puts_the_others_in_doubt(
    over_line: Config, line: Line
) -> None:
    async def body(pool: AsyncConnectionPool) -> None:
        silence(line, pool)
        with pytest.raises(pymysql.OperationalError):
            await pool.acquire()
        await answers_at_once(pool)

    on_pool(body, config=over_line, on_acquire=lambda connection: run(connection, "SELECT 1"))


def test_after_a_cancelled_statement_the_others_are_checked_with_one_wait(
    over_line: Config, line: Line
) -> None:
    async def body(pool: AsyncConnectionPool) -> None:
        held = await pool.acquire()
        silence(line, pool, held)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(LIMIT / 2):
                await run(held, "SELECT 1")
        await pool.release(held)
        with lasting(LIMIT, 2 * LIMIT):
            first = await pool.acquire()
        assert await run(first, "SELECT 1") == ((1,),)
        await answers_at_once(pool)
        await pool.release(first)

    on_pool(body, config=over_line)


def test_a_long_check_that_is_cancelled_puts_the_others_in_doubt(
    over_line: Config, line: Line
) -> None:
    async def body(pool: AsyncConnectionPool) -> None:
        silence(line, pool)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.7):
                await pool.acquire()
        await answers_at_once(pool)

    on_pool(body, config=replace(over_line, query_timeout=5.0), validate_after=0)


def test_borrowers_that_cancel_early_meet_few_silent_connections(
    over_line: Config, line: Line
) -> None:
    async def body(pool: AsyncConnectionPool) -> None:
        silence(line, pool)
        cancelled = 0
        for _ in range(6):
            try:
                async with asyncio.timeout(0.3), pool.connection() as connection:
                    await run(connection, "SELECT 1")
            except TimeoutError:
                cancelled += 1
        assert cancelled == 2  # a statement, then a check

    on_pool(body, config=over_line, size=5)


def test_closing_the_pool_ends_a_round_trip_of_maintenance(over_line: Config, line: Line) -> None:
    async def body(pool: AsyncConnectionPool) -> None:
        silence(line, pool)
        passing = asyncio.create_task(pool.maintain())
        await asyncio.sleep(0.1)
        with lasting(0, LIMIT):
            await pool.close()
            await passing
        assert pool.stats().total_connections == 0

    on_pool(body, config=replace(over_line, query_timeout=10.0), check_after=0)


def test_cancelled_maintenance_leaves_no_connection_reserved(over_line: Config, line: Line) -> None:
    async def body(pool: AsyncConnectionPool) -> None:
        silence(line, pool)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(LIMIT / 2):
                await pool.maintain()
        await pool.clear()
        held = [await pool.acquire() for _ in range(3)]
        for connection in held:
            await pool.release(connection)

    on_pool(body, config=over_line, check_after=0)


def test_connections_of_a_foreign_driver_are_checked_with_one_wait(
    over_line: Config, line: Line
) -> None:
    async def connect() -> Any:
        return await aiomysql.connect(
            host=over_line.host,
            port=over_line.port,
            user=over_line.user,
            password=over_line.password,
            db=over_line.database,
        )

    async def body(pool: AsyncConnectionPool) -> None:
        silence(line, pool)
        with lasting(LIMIT, 2 * LIMIT):  # half of the time that the acquire has
            first = await pool.acquire(timeout=2 * LIMIT)
        await answers_at_once(pool)
        await pool.release(first)

    on_pool(body, connect=connect, validate_after=0)


def test_a_round_trip_of_maintenance_is_limited_for_any_driver() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(size=2, check_after=1)
        context.connect.opened[1].on_rollback = 1000.0
        await context.clock.sleep(2)
        await pool.maintain()
        assert context.clock.now() == 7.0
        assert pool.stats().closed == 2
        assert pool.stats().pool_size == 2

    run_test(body)
