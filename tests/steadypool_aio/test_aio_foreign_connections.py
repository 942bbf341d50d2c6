"""Connections of foreign drivers: the pool assumes the worst about anything they do not report."""

import asyncio
import sys
from typing import Any

import pytest
from tests.steadypool_aio.context import PoolContext, run_test

from steadypool import AsyncConnectionPool, EventKind, PoolConfigError, PoolEvent
from steadypool._core.entries import ConnectionState
from steadypool._drivers import async_dbapi as aio_connections
from steadypool._drivers.async_dbapi import abort, alive, close, state


class Silent:
    """A connection that reports no state."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def rollback(self) -> None:
        self.calls.append("rollback")

    async def close(self) -> None:
        self.calls.append("close")


class Hanging(Silent):
    """A connection whose close never ends and which has no `abort`."""

    async def close(self) -> None:
        self.calls.append("close")
        await asyncio.get_running_loop().create_future()


class Raising(Silent):
    """A connection that raises when its state is read."""

    @property
    def closed(self) -> bool:
        raise OSError("do not ask")


class Reporting(Silent):
    """A connection that reports transactions and whether it is connected."""

    def __init__(self, in_transaction: bool, connected: bool) -> None:
        super().__init__()
        self.in_transaction = in_transaction
        self.connected = connected


class Disconnected(Silent):
    """A connection with an invalid descriptor."""

    def fileno(self) -> int:
        return -1


def test_a_connection_that_reports_no_state_counts_as_in_a_transaction() -> None:
    assert state(Silent()) is ConnectionState.IN_TRANSACTION


def test_the_state_that_a_connection_reports_is_used() -> None:
    assert state(Reporting(False, True)) is ConnectionState.CLEAN
    assert state(Reporting(True, True)) is ConnectionState.IN_TRANSACTION
    assert state(Reporting(False, False)) is ConnectionState.CLOSED


def test_a_connection_that_raises_when_inspected_counts_as_closed() -> None:
    assert state(Raising()) is ConnectionState.CLOSED
    assert not alive(Raising())


def test_a_connection_without_a_descriptor_counts_as_alive() -> None:
    assert alive(Silent())
    assert not alive(Disconnected())


def test_a_connection_that_reports_no_state_is_rolled_back_and_closed() -> None:
    async def body(context: PoolContext) -> None:
        made: list[Silent] = []

        async def connect() -> Silent:
            made.append(Silent())
            return made[-1]

        pool = await context.pool(connect=connect)
        for _ in range(2):
            async with pool:
                pass
        await pool.close()
        assert made[0].calls == ["rollback", "rollback", "close"]
        assert len(made) == 1

    run_test(body)


def test_a_hanging_rollback_delays_the_release_only_for_the_reset_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stuck(Silent):
        async def rollback(self) -> None:
            await asyncio.get_running_loop().create_future()

    async def body(context: PoolContext) -> None:
        made: list[Silent] = []

        async def connect() -> Silent:
            made.append(Silent() if made else Stuck())
            return made[-1]

        pool = await context.pool(size=1, max_overflow=0, connect=connect)
        stuck = await pool.acquire()
        async with asyncio.timeout(5):
            await pool.release(stuck)
        assert stuck.calls == ["close"]
        async with pool as other:
            assert other is not stuck

    monkeypatch.setattr(aio_connections, "RESET_LIMIT", 0.01)
    run_test(body)


def test_a_unit_of_work_accepts_plain_methods() -> None:
    class Prompt:
        def __init__(self) -> None:
            self.calls: list[str] = []

        def get_autocommit(self) -> bool:
            return True

        def begin(self) -> None:
            self.calls.append("begin")

        def commit(self) -> None:
            self.calls.append("commit")

        def rollback(self) -> None:
            self.calls.append("rollback")

        def close(self) -> None:
            self.calls.append("close")

    async def body(context: PoolContext) -> None:
        async def connect() -> Prompt:
            return Prompt()

        pool = await context.pool(connect=connect)
        async with pool.transaction() as connection:
            assert connection.calls == ["begin"]
        assert connection.calls == ["begin", "commit", "rollback"]

    run_test(body)


def test_a_hanging_close_ends_at_the_close_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aio_connections, "CLOSE_LIMIT", 0.01)
    connection = Hanging()
    asyncio.run(close(connection))
    assert connection.calls == ["close"]


def test_cancelling_a_close_aborts_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    class Abortable(Hanging):
        def abort(self) -> None:
            self.calls.append("abort")

    async def body(connection: Abortable) -> None:
        task = asyncio.create_task(close(connection))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    connection = Abortable()
    asyncio.run(body(connection))
    assert connection.calls == ["close", "abort"]


def test_abort_never_raises() -> None:
    abort(object())


def test_an_interrupt_in_a_listener_is_raised_after_the_release() -> None:
    class Stop(BaseException):
        pass

    async def body(context: PoolContext) -> None:
        def listen(event: PoolEvent) -> None:
            if event.kind is EventKind.CHECKED_IN and not first.rollbacks:
                raise Stop

        pool = await context.pool(listeners=[listen])
        first = await pool.acquire()
        first.in_transaction = True
        with pytest.raises(Stop):
            await pool.release(first)
        async with pool as second:
            assert (second is first, first.rollbacks) == (True, 1)

    run_test(body)


def test_without_the_driver_a_configured_pool_names_the_extra_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("async_connector", "async_mysql"):
        monkeypatch.delitem(sys.modules, f"steadypool._drivers.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "aiomysql", None)
    monkeypatch.setitem(sys.modules, "aiomysql.connection", None)
    with pytest.raises(PoolConfigError, match="install steadypool with its extra `asyncio`"):
        AsyncConnectionPool(config="mysql://app@localhost/shop")


def test_connections_of_asyncmy_can_be_pooled(config: Any) -> None:
    asyncmy = pytest.importorskip("asyncmy")

    async def connect() -> Any:
        return await asyncmy.connect(
            unix_socket=config.unix_socket,
            user=config.user,
            password=config.password,
            database=config.database,
        )

    async def body() -> None:
        pool = await AsyncConnectionPool.open(
            size=1, max_overflow=0, connect=connect, validate_after=0
        )
        for _ in range(2):
            async with pool as connection, connection.cursor() as cursor:
                await cursor.execute("SELECT 7")
                assert tuple(await cursor.fetchall()) == ((7,),)
        assert pool.stats().created == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), pool as connection, connection.cursor() as cursor:
                await cursor.execute("SELECT SLEEP(5)")
        assert (pool.stats().closed, pool.stats().total_connections) == (1, 0)
        await pool.close()

    asyncio.run(body())


def test_a_cancelled_scope_of_anyio_returns_a_clean_connection(config: Any) -> None:
    anyio = pytest.importorskip("anyio")

    async def body() -> None:
        pool = await AsyncConnectionPool.open(size=1, max_overflow=0, config=config)
        with anyio.move_on_after(0.01):
            async with pool as connection, connection.cursor() as cursor:
                await cursor.execute("SELECT 7")
                await anyio.sleep(5)
        async with pool as again:
            assert again is connection
            assert again.pool_state() is ConnectionState.CLEAN
        await pool.close()

    anyio.run(body)
