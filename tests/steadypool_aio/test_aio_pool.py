"""Borrowing from the asyncio pool and giving back, on the virtual clock."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from tests.steadypool_aio.context import Bench, play

from steadypool import (
    AsyncConnectionPool,
    NotBorrowedError,
    PoolClosedError,
    PoolConfigError,
    PoolEvent,
    PoolTimeoutError,
    WrongLoopError,
)
from steadypool.testing_aio import AsyncGate


def test_the_pool_starts_with_size_connections() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(size=3)
        assert (pool.stats().pool_size, bench.connect.open_now) == (3, 3)

    play(body)


def test_acquire_and_release_move_the_figures() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        connection = await pool.acquire()
        assert (pool.stats().acquired, pool.stats().in_use) == (1, 1)
        await pool.release(connection)
        figures = pool.get_stats()
        assert (figures["released"], figures["pool_size"], figures["max_size"]) == (1, 1, 1)

    play(body)


def test_an_acquire_on_a_full_pool_fails_exactly_at_its_timeout() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        async with pool:
            with pytest.raises(PoolTimeoutError) as caught:
                await pool.acquire()
            assert bench.clock.now() == caught.value.waited == 30.0
            assert (caught.value.active, caught.value.waiting) == (1, 1)
            with pytest.raises(PoolTimeoutError):
                await pool.acquire(timeout=5)
            assert bench.clock.now() == 35.0
        assert (pool.stats().timeouts, pool.stats().waiting) == (2, 0)

    play(body)


def test_timeout_zero_does_not_wait_but_may_connect() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(min_size=0)
        connection = await pool.acquire(timeout=0)
        with pytest.raises(PoolTimeoutError):
            await pool.acquire(timeout=0)
        assert bench.clock.now() == 0.0
        await pool.release(connection)

    play(body)


def test_waiters_are_served_in_order_and_a_releaser_goes_to_the_back() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        served: list[str] = []

        async def client(name: str) -> None:
            async with pool:
                served.append(name)
                await bench.clock.sleep(1)

        async def greedy() -> None:
            for _ in range(2):
                await client("greedy")

        tasks = await bench.start(greedy(), client("first"), client("second"))
        await bench.join(*tasks)
        assert served == ["greedy", "first", "second", "greedy"]

    play(body)


def test_a_hand_over_at_the_very_moment_of_the_timeout_is_taken() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        held = await pool.acquire()

        async def release_at_the_last_moment() -> None:
            await bench.clock.sleep(5)
            await pool.release(held)

        tasks = await bench.start(release_at_the_last_moment(), pool.acquire(timeout=5))
        assert (await bench.join(*tasks))[1] is held
        assert bench.clock.now() == 5.0
        await pool.release(held)

    play(body)


def test_a_waiter_cancelled_at_the_moment_of_his_turn_leaves_it_to_the_next() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        held = await pool.acquire()
        first, second = await bench.start(pool.acquire(), pool.acquire())
        await pool.release(held)
        first.cancel()
        assert (await bench.join(second))[0] is held
        assert first.cancelled()
        await pool.release(held)

    play(body)


def test_a_slow_connect_delays_nobody_else() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(max_overflow=1)
        gate = AsyncGate(bench.clock)
        bench.connect.then(gate)
        held = await pool.acquire()
        slow, waiting = await bench.start(pool.acquire(), pool.acquire())
        await pool.release(held)
        assert (await bench.join(waiting))[0] is held
        gate.open()
        for connection in (held, (await bench.join(slow))[0]):
            await pool.release(connection)

    play(body)


def test_a_connect_is_cut_short_by_the_timeout_of_its_acquire() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(min_size=0)
        bench.connect.then(60.0)
        with pytest.raises(PoolTimeoutError):
            await pool.acquire(timeout=10)
        assert bench.clock.now() == 10.0
        assert (pool.stats().timeouts, pool.stats().connect_failures) == (1, 1)
        async with pool:
            assert bench.connect.attempts == 2

    play(body)


def test_an_outer_deadline_is_honoured_whatever_the_driver_does() -> None:
    """A connect that swallows its cancellation holds its slot, and nobody else."""

    async def body(bench: Bench) -> None:
        let_go = asyncio.Event()

        async def connect() -> Any:
            while not let_go.is_set():
                with suppress(asyncio.CancelledError):
                    await let_go.wait()
            return await bench.connect()

        pool = await bench.pool(min_size=0, connect=connect)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await pool.acquire()
        assert pool._core.pending == 1
        let_go.set()
        async with pool as connection:
            assert connection.number == 2
        assert (pool.stats().created, pool.stats().closed) == (2, 1)

    play(body)


def test_a_cancelled_acquire_leaves_at_once_though_its_connection_is_slow_to_close() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(validate_after=0)
        bench.connect.opened[0].on_rollback = 1000.0
        bench.connect.opened[0].on_close = 5.0
        task = (await bench.start(pool.acquire()))[0]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert bench.clock.now() == 0.0
        async with pool:
            assert bench.clock.now() == 5.0

    play(body)


def test_an_open_transaction_is_rolled_back_and_a_closed_connection_dropped() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        async with pool as connection:
            connection.in_transaction = True
        assert connection.rollbacks == 1
        async with pool as same:
            assert same is connection
            same.abort()
        async with pool as another:
            assert another is not same

    play(body)


def test_a_block_that_was_broken_off_costs_a_connection_that_cannot_say_what_is_left() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        for error, stays in [(LookupError, True), (TimeoutError, False)]:
            with pytest.raises(error):
                async with pool as connection:
                    raise error
            assert connection.closed is not stays
            with pytest.raises(error):
                async with pool.connection() as connection:
                    raise error
            assert connection.closed is not stays

    play(body)


def test_blocks_nest_and_belong_to_their_task() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(size=4)

        async def client() -> None:
            async with pool as outer:
                await bench.clock.sleep(1)
                async with pool as inner:
                    assert inner is not outer
                    await bench.clock.sleep(1)

        await bench.join(*await bench.start(client(), client()))
        assert pool.stats().in_use == 0

    play(body)


def test_releasing_none_counts_nothing_and_twice_is_refused() -> None:
    async def body(bench: Bench) -> None:
        pool, other = await bench.pool(), await bench.pool()
        await pool.release(None)
        connection = await pool.acquire()
        with pytest.raises(NotBorrowedError):
            await other.release(connection)
        await pool.release(connection)
        with pytest.raises(NotBorrowedError):
            await pool.release(connection)
        assert pool.stats().released == 1

    play(body)


def test_another_task_may_release() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        connection = await pool.acquire()
        await bench.join(*await bench.start(pool.release(connection)))
        assert pool.stats().pool_size == 1

    play(body)


def test_close_tells_waiters_and_connecting_tasks_at_once() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool(max_overflow=1)
        bench.connect.then(60.0)
        held = await pool.acquire()
        tasks = await bench.start(pool.acquire(), pool.acquire())
        await pool.close()
        for task in tasks:
            with pytest.raises(PoolClosedError):
                await task
        assert bench.clock.now() == 0.0
        with pytest.raises(PoolClosedError):
            await pool.acquire()
        await pool.release(held)
        assert held.closed

    play(body)


def test_close_does_not_wait_for_a_rollback_that_hangs() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        connection = await pool.acquire()
        connection.in_transaction = True
        connection.on_rollback = AsyncGate(bench.clock)
        task = (await bench.start(pool.release(connection)))[0]
        await pool.close()
        await task
        assert connection.closed

    play(body)


def test_a_pool_that_was_not_started_says_so() -> None:
    async def body(bench: Bench) -> None:
        pool = AsyncConnectionPool(connect=bench.connect, clock=bench.clock)
        with pytest.raises(WrongLoopError, match="not started"):
            await pool.acquire()
        await pool.close()
        with pytest.raises(PoolClosedError):
            await pool.acquire()

    play(body)


def test_another_event_loop_is_refused() -> None:
    async def begin() -> AsyncConnectionPool:
        bench = Bench()
        return await AsyncConnectionPool.open(min_size=0, connect=bench.connect, clock=bench.clock)

    pool = asyncio.run(begin())
    with pytest.raises(WrongLoopError, match="another event loop"):
        asyncio.run(pool.acquire())


def test_a_thread_without_an_event_loop_is_refused() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        for call in (pool.suspend, pool.resume, pool.loans):
            with pytest.raises(WrongLoopError, match="belongs to another event loop"):
                await asyncio.to_thread(call)
        assert not pool.suspended

    play(body)


def test_starting_twice_does_nothing_more() -> None:
    async def body(bench: Bench) -> None:
        pool = await bench.pool()
        await pool.start()
        assert bench.connect.attempts == 1

    play(body)


def test_a_wrong_option_is_named() -> None:
    with pytest.raises(PoolConfigError, match="max_overflow"):
        AsyncConnectionPool(max_overflow=-2, config="mysql://nobody@localhost/nothing")


def test_events_are_those_of_the_threads_pool() -> None:
    async def body(bench: Bench) -> None:
        events: list[PoolEvent] = []
        pool = await bench.pool(listeners=[events.append])
        held = await pool.acquire()
        waiting = (await bench.start(pool.acquire()))[0]
        await pool.release(held)
        await pool.release((await bench.join(waiting))[0])
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

    play(body)
