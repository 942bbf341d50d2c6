"""The life of the asyncio pool: start, release, close, event loops and events."""

import asyncio

import pytest
from tests.steadypool_aio.context import PoolContext, run_test

from steadypool import (
    AsyncConnectionPool,
    NotBorrowedError,
    PoolClosedError,
    PoolConfigError,
    PoolEvent,
    WrongLoopError,
)
from steadypool.testing_aio import AsyncGate


def test_the_pool_starts_with_size_connections() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(size=3)
        assert (pool.stats().pool_size, context.connect.open_now) == (3, 3)

    run_test(body)


def test_acquire_and_release_update_the_statistics() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        connection = await pool.acquire()
        assert (pool.stats().acquired, pool.stats().in_use) == (1, 1)
        await pool.release(connection)
        figures = pool.get_stats()
        assert (figures["released"], figures["pool_size"], figures["max_size"]) == (1, 1, 1)

    run_test(body)


def test_an_open_transaction_is_rolled_back_and_a_closed_connection_dropped() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        async with pool as connection:
            connection.in_transaction = True
        assert connection.rollbacks == 1
        async with pool as same:
            assert same is connection
            same.abort()
        async with pool as another:
            assert another is not same

    run_test(body)


def test_an_interrupted_context_drops_a_connection_that_may_owe_an_answer() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        for error, kept in [(LookupError, True), (TimeoutError, False)]:
            with pytest.raises(error):
                async with pool as connection:
                    raise error
            assert connection.closed is not kept
            with pytest.raises(error):
                async with pool.connection() as connection:
                    raise error
            assert connection.closed is not kept

    run_test(body)


def test_contexts_nest_and_belong_to_their_task() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(size=4)

        async def client() -> None:
            async with pool as outer:
                await context.clock.sleep(1)
                async with pool as inner:
                    assert inner is not outer
                    await context.clock.sleep(1)

        await context.join(*await context.start(client(), client()))
        assert pool.stats().in_use == 0

    run_test(body)


def test_releasing_none_is_ignored_and_releasing_twice_is_refused() -> None:
    async def body(context: PoolContext) -> None:
        pool, other = await context.pool(), await context.pool()
        await pool.release(None)
        connection = await pool.acquire()
        with pytest.raises(NotBorrowedError):
            await other.release(connection)
        await pool.release(connection)
        with pytest.raises(NotBorrowedError):
            await pool.release(connection)
        assert pool.stats().released == 1

    run_test(body)


def test_another_task_may_release() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        connection = await pool.acquire()
        await context.join(*await context.start(pool.release(connection)))
        assert pool.stats().pool_size == 1

    run_test(body)


def test_close_fails_waiters_and_connecting_tasks_at_once() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool(max_overflow=1)
        context.connect.then(60.0)
        held = await pool.acquire()
        tasks = await context.start(pool.acquire(), pool.acquire())
        await pool.close()
        for task in tasks:
            with pytest.raises(PoolClosedError):
                await task
        assert context.clock.now() == 0.0
        with pytest.raises(PoolClosedError):
            await pool.acquire()
        await pool.release(held)
        assert held.closed

    run_test(body)


def test_close_does_not_wait_for_a_hanging_rollback() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        connection = await pool.acquire()
        connection.in_transaction = True
        connection.on_rollback = AsyncGate(context.clock)
        task = (await context.start(pool.release(connection)))[0]
        await pool.close()
        await task
        assert connection.closed

    run_test(body)


def test_a_pool_that_was_not_started_raises_wrong_loop_error() -> None:
    async def body(context: PoolContext) -> None:
        pool = AsyncConnectionPool(connect=context.connect, clock=context.clock)
        with pytest.raises(WrongLoopError, match="not started"):
            await pool.acquire()
        await pool.close()
        with pytest.raises(PoolClosedError):
            await pool.acquire()

    run_test(body)


def test_another_event_loop_is_refused() -> None:
    async def begin() -> AsyncConnectionPool:
        context = PoolContext()
        return await AsyncConnectionPool.open(
            min_size=0, connect=context.connect, clock=context.clock
        )

    pool = asyncio.run(begin())
    with pytest.raises(WrongLoopError, match="another event loop"):
        asyncio.run(pool.acquire())


def test_a_thread_without_an_event_loop_is_refused() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        for call in (pool.suspend, pool.resume, pool.loans):
            with pytest.raises(WrongLoopError, match="belongs to another event loop"):
                await asyncio.to_thread(call)
        assert not pool.suspended

    run_test(body)


def test_starting_twice_has_no_effect() -> None:
    async def body(context: PoolContext) -> None:
        pool = await context.pool()
        await pool.start()
        assert context.connect.attempts == 1

    run_test(body)


def test_the_error_names_a_wrong_option() -> None:
    with pytest.raises(PoolConfigError, match="max_overflow"):
        AsyncConnectionPool(max_overflow=-2, config="mysql://app@localhost/shop")


def test_the_events_match_those_of_the_threads_pool() -> None:
    async def body(context: PoolContext) -> None:
        events: list[PoolEvent] = []
        pool = await context.pool(listeners=[events.append])
        held = await pool.acquire()
        waiting = (await context.start(pool.acquire()))[0]
        await pool.release(held)
        await pool.release((await context.join(waiting))[0])
        await pool.close()
        assert [event.kind.value for event in events] == [
            "pool_created",
            "connection_created",
            "checkout_started",
            "checked_out",
            "checkout_started",
            "checkout_queued",
            "checked_in",
            "checkout_granted",
            "checked_out",
            "checked_in",
            "pool_closed",
            "connection_closed",
        ]

    run_test(body)
