"""The hooks `setup` and `on_acquire` of the asyncio pool."""

from typing import Any

import pytest
from tests.steadypool_aio.context import PoolContext, run_test

from steadypool import (
    PoolInitializationError,
    PoolTimeoutError,
    Reset,
)


@pytest.mark.parametrize("manner", ["plain", "async"])
def test_hooks_may_be_plain_or_async(manner: str) -> None:
    async def body(context: PoolContext) -> None:
        calls: list[str] = []

        async def setup(connection: Any) -> None:
            await context.clock.sleep(1)
            calls.append("setup")

        async def on_acquire(connection: Any) -> None:
            await context.clock.sleep(1)
            calls.append("acquire")

        hooks: dict[str, Any] = {"setup": setup, "on_acquire": on_acquire}
        if manner == "plain":
            hooks = {
                "setup": lambda connection: calls.append("setup"),
                "on_acquire": lambda connection: calls.append("acquire"),
            }
        pool = await context.pool(**hooks)
        for _ in range(2):
            async with pool:
                pass
        assert calls == ["setup", "acquire", "acquire"]

    run_test(body)


def test_a_failing_hook_drops_the_connection_and_wakes_the_next() -> None:
    async def body(context: PoolContext) -> None:
        async def on_acquire(connection: Any) -> None:
            if connection.number == 1:
                raise LookupError

        pool = await context.pool(on_acquire=on_acquire)
        with pytest.raises(LookupError):
            await pool.acquire()
        async with pool as connection:
            assert connection.number == 2

    run_test(body)


def test_a_hanging_hook_ends_at_the_timeout_of_the_acquire() -> None:
    async def body(context: PoolContext) -> None:
        async def on_acquire(connection: Any) -> None:
            await context.clock.sleep(1000)

        pool = await context.pool(on_acquire=on_acquire)
        with pytest.raises(PoolTimeoutError):
            await pool.acquire(timeout=3)
        assert context.clock.now() == 3.0

    run_test(body)


def test_a_timeout_error_raised_by_a_hook_passes_unchanged() -> None:
    async def body(context: PoolContext) -> None:
        async def on_acquire(connection: Any) -> None:
            raise TimeoutError("the hook's own")

        pool = await context.pool(on_acquire=on_acquire)
        with pytest.raises(TimeoutError, match="the hook's own"):
            await pool.acquire()

    run_test(body)


def test_a_setup_hook_that_fails_at_the_start_leaves_nothing_open() -> None:
    async def body(context: PoolContext) -> None:
        async def setup(connection: Any) -> None:
            if connection.number == 2:
                raise LookupError

        with pytest.raises(PoolInitializationError):
            await context.pool(size=2, setup=setup)
        assert context.connect.open_now == 0

    run_test(body)


def test_a_session_reset_runs_setup_again() -> None:
    async def body(context: PoolContext) -> None:
        calls: list[Any] = []
        pool = await context.pool(reset=Reset.SESSION, setup=calls.append)
        async with pool as connection:
            pass
        assert connection.resets == 1
        assert calls == [connection, connection]

    run_test(body)
