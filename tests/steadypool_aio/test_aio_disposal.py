"""A pool whose event loop is closed, does not run, or runs in another thread can be closed."""

import asyncio
import gc
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import aiomysql
import pytest

from poolspec.servers import Server, Tenant
from steadypool import (
    AsyncConnectionPool,
    Config,
    EventKind,
    NotBorrowedError,
    PoolClosedError,
    PoolEvent,
    WrongLoopError,
)
from steadypool.testing_aio import AsyncGate, AsyncScriptedConnector

TIMEOUT = 10.0


def gone(server: Server, tenant: Tenant) -> bool:
    deadline = time.monotonic() + TIMEOUT
    while server.connection_ids(tenant):
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.005)
    return True


def close_in_another_loop(pool: AsyncConnectionPool) -> None:
    asyncio.run(pool.close())


def dispose(pool: AsyncConnectionPool) -> None:
    pool.dispose()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@contextmanager
def no_warnings() -> Iterator[None]:
    """Turn a warning of a finalizer into an error, which pytest reports."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
        gc.collect()


async def borrowed(config: Config, **options: Any) -> tuple[AsyncConnectionPool, Any]:
    pool = await AsyncConnectionPool.open(size=3, config=config, **options)
    return pool, await pool.acquire()


CLOSES = [close_in_another_loop, dispose]


@pytest.mark.parametrize("close", CLOSES)
def test_a_closed_loop_leaves_no_connection(
    server: Server,
    tenant: Tenant,
    config: Config,
    loop: asyncio.AbstractEventLoop,
    close: Callable[[AsyncConnectionPool], None],
) -> None:
    with no_warnings():
        pool, connection = loop.run_until_complete(borrowed(config))
        number, sockets = connection._writer.get_extra_info("socket").fileno(), len(open_files())
        loop.close()
        assert len(server.connection_ids(tenant)) == 3
        close(pool)
        assert gone(server, tenant)
        assert number not in open_files()
        assert len(open_files()) < sockets
        stats = pool.stats()
        assert (stats.total_connections, stats.in_use, stats.pool_size) == (0, 0, 0)
        assert (stats.created, stats.closed, stats.acquired, stats.released) == (3, 3, 1, 1)
        assert pool.closed
        close(pool)  # a second time
        del pool, connection


def open_files() -> set[int]:
    return {int(file.name) for file in Path("/proc/self/fd").iterdir()}


@pytest.mark.parametrize("close", CLOSES)
def test_a_loop_that_does_not_run_can_continue(
    server: Server,
    tenant: Tenant,
    config: Config,
    loop: asyncio.AbstractEventLoop,
    close: Callable[[AsyncConnectionPool], None],
) -> None:
    async def borrow_all(pool: AsyncConnectionPool) -> tuple[list[Any], asyncio.Task[Any]]:
        held = [await pool.acquire() for _ in range(3)]
        waiter = asyncio.create_task(pool.acquire())
        await asyncio.sleep(0)
        return held, waiter

    async def continue_(pool: AsyncConnectionPool, held: list[Any], waiter: Any) -> None:
        with pytest.raises(PoolClosedError):
            await waiter
        for connection in held:
            await pool.release(connection)
        with pytest.raises(NotBorrowedError):
            await pool.release(object())
        with pytest.raises(PoolClosedError):
            await pool.acquire()
        await pool.close()

    with no_warnings():
        pool = loop.run_until_complete(
            AsyncConnectionPool.open(size=3, max_overflow=0, config=config)
        )
        held, waiter = loop.run_until_complete(borrow_all(pool))
        close(pool)
        assert gone(server, tenant)
        assert pool.stats().total_connections == 0
        loop.run_until_complete(continue_(pool, held, waiter))
        del pool, held, waiter


@contextmanager
def in_a_thread(loop: asyncio.AbstractEventLoop) -> Iterator[Callable[[Any], Any]]:
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield lambda work: asyncio.run_coroutine_threadsafe(work, loop).result(TIMEOUT)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(TIMEOUT)


def test_a_loop_in_another_thread_closes_the_pool_itself(
    server: Server, tenant: Tenant, config: Config, loop: asyncio.AbstractEventLoop
) -> None:
    with in_a_thread(loop) as run:
        pool, connection = run(borrowed(config))
        with pytest.raises(WrongLoopError, match="runs in another thread"):
            pool.dispose()
        asyncio.run(pool.close())
        assert pool.stats().total_connections == pool.stats().in_use == 1
        run(pool.release(connection))
        assert gone(server, tenant)


def test_a_drain_works_from_another_loop(
    server: Server, tenant: Tenant, config: Config, loop: asyncio.AbstractEventLoop
) -> None:
    with in_a_thread(loop) as run:
        pool, _ = run(borrowed(config))
        asyncio.run(pool.close(drain=0.05))
        assert gone(server, tenant)


def test_a_loop_that_stops_meanwhile_is_not_waited_for(
    server: Server, tenant: Tenant, config: Config, loop: asyncio.AbstractEventLoop
) -> None:
    with in_a_thread(loop) as run:
        pool, _ = run(borrowed(config))
        busy = threading.Event()
        loop.call_soon_threadsafe(busy.wait, TIMEOUT)

        async def close() -> None:
            closing = asyncio.create_task(pool.close())
            await asyncio.sleep(0.01)
            loop.call_soon_threadsafe(loop.stop)
            busy.set()
            await closing

        asyncio.run(close())
    assert gone(server, tenant)
    assert pool.stats().total_connections == 0
    loop.run_forever()  # until the second stop
    loop.run_until_complete(asyncio.sleep(0.01))


def test_work_that_a_closed_loop_left_behind_is_given_up(
    loop: asyncio.AbstractEventLoop,
) -> None:
    async def begin() -> tuple[AsyncConnectionPool, AsyncScriptedConnector]:
        connect = AsyncScriptedConnector(None, None, AsyncGate())
        pool = await AsyncConnectionPool.open(size=3, min_size=2, max_overflow=0, connect=connect)
        held = [await pool.acquire() for _ in range(2)]
        held[0].in_transaction = True
        held[0].on_rollback = AsyncGate()
        tasks.append(asyncio.create_task(pool.release(held[0])))  # its reset hangs
        tasks.append(asyncio.create_task(pool.acquire()))  # its connect hangs
        await asyncio.sleep(0.01)
        tasks.append(asyncio.create_task(pool.acquire()))  # waits
        await asyncio.sleep(0.01)
        return pool, connect

    tasks: list[asyncio.Task[Any]] = []
    pool, connect = loop.run_until_complete(begin())
    loop.close()
    pool.dispose()
    assert pool.stats().total_connections == pool.stats().waiting == 0
    assert connect.open_now == 0
    for task in tasks:  # of the test, which nothing will end
        task._log_destroy_pending = False  # type: ignore[attr-defined]
        with suppress(Exception):
            task.get_coro().close()


def test_connections_of_another_driver_are_cut_off(
    server: Server, tenant: Tenant, config: Config, loop: asyncio.AbstractEventLoop
) -> None:
    def connect() -> Any:
        return aiomysql.connect(
            unix_socket=config.unix_socket, user=config.user, password=config.password
        )

    with no_warnings():
        opening = AsyncConnectionPool.open(size=2, connect=connect)
        pool = loop.run_until_complete(opening)
        loop.close()
        pool.dispose()
        assert gone(server, tenant)
        del pool


def test_listeners_learn_of_every_connection(loop: asyncio.AbstractEventLoop) -> None:
    events: list[PoolEvent] = []
    opening = AsyncConnectionPool.open(
        size=2, connect=AsyncScriptedConnector(), listeners=[events.append]
    )
    pool = loop.run_until_complete(opening)
    loop.run_until_complete(pool.acquire())
    loop.close()
    events.clear()
    pool.dispose()
    assert [event.kind for event in events] == [
        EventKind.POOL_CLOSED,
        EventKind.CHECKED_IN,
        EventKind.CONNECTION_CLOSED,
        EventKind.CONNECTION_CLOSED,
    ]
    assert all(event.total == 0 for event in events)


def test_a_pool_that_was_not_started_can_be_disposed_of() -> None:
    pool = AsyncConnectionPool(connect=AsyncScriptedConnector())
    pool.dispose()
    assert pool.closed


def test_a_running_loop_can_dispose_of_its_own_pool(
    server: Server, tenant: Tenant, config: Config
) -> None:
    async def body() -> None:
        pool, connection = await borrowed(config)
        pool.dispose()
        assert pool.stats().total_connections == 0
        await pool.release(connection)

    asyncio.run(body())
    assert gone(server, tenant)
