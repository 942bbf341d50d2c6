"""Each driver for asyncio does for the lab what its contract says, on a real server."""

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from poolspec.drivers.contract import AsyncDriver
from poolspec.lab.event_loop.clock import LoopClock
from poolspec.lab.event_loop.loop import LabLoop
from poolspec.servers import Server, Tenant
from poolspec.testing import AiomysqlDriver, AsyncmyDriver
from poolspec.vocabulary import Call, ErrorKind

DRIVERS: dict[str, AsyncDriver] = {"aiomysql": AiomysqlDriver(), "asyncmy": AsyncmyDriver()}
Open = Callable[[], Awaitable[Any]]
Run = Callable[[Callable[[Open], Awaitable[None]]], None]


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> AsyncDriver:
    return DRIVERS[request.param]


@pytest.fixture
def run(driver: AsyncDriver, tenant: Tenant) -> Run:
    """Run a test in an event loop, with a function that opens connections."""

    async def with_connections(test: Callable[[Open], Awaitable[None]]) -> None:
        connections: list[Any] = []

        async def open_one() -> Any:
            connections.append(await driver.opener(tenant)())
            return connections[-1]

        try:
            await test(open_one)
        finally:
            for connection in connections:
                with suppress(Exception):
                    driver.end(connection)
            await asyncio.sleep(0)  # a transport closes its socket in the loop's next turn

    return lambda test: asyncio.run(with_connections(test))


async def settled(look: Callable[[], Any], expected: Any) -> Any:
    """Return what `look` returns, once it is as expected or after 2 s."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 2
    while (seen := look()) != expected and loop.time() < deadline:
        await asyncio.sleep(0.001)
    return seen


def nothing() -> None:
    """Do nothing."""


def test_the_number_is_that_of_the_process_list(
    driver: AsyncDriver, run: Run, server: Server, tenant: Tenant
) -> None:
    async def test(opened: Open) -> None:
        connection = await opened()
        assert server.connection_ids(tenant) == {driver.number_of(connection)}

    run(test)


def test_a_statement_returns_its_rows_as_tuples(driver: AsyncDriver, run: Run) -> None:
    async def test(opened: Open) -> None:
        connection = await opened()
        assert await driver.run(connection, "SELECT %s, 'b'", (1,)) == [(1, "b")]

    run(test)


def test_work_is_kept_by_a_commit_only(driver: AsyncDriver, run: Run) -> None:
    async def test(opened: Open) -> None:
        writer, reader = await opened(), await opened()
        await driver.run(writer, "CREATE TABLE t (a INT)", ())
        await driver.run(writer, "INSERT INTO t VALUES (%s)", (1,))
        assert await driver.run(reader, "SELECT a FROM t", ()) == []
        await driver.commit(reader)
        await driver.commit(writer)
        assert await driver.run(reader, "SELECT a FROM t", ()) == [(1,)]

    run(test)


def test_a_change_is_checked_by_its_cursor(driver: AsyncDriver, run: Run) -> None:
    counts: list[int] = []

    async def test(opened: Open) -> None:
        connection = await opened()
        await driver.run(connection, "CREATE TABLE t (a INT)", ())
        statement = "INSERT INTO t VALUES (%s), (2)"
        await driver.change_one(
            connection, statement, (1,), lambda cursor: counts.append(cursor.rowcount)
        )

    run(test)
    assert counts == [2]


def test_a_session_shows_its_open_transaction_and_its_unread_result(
    driver: AsyncDriver, run: Run
) -> None:
    async def test(opened: Open) -> None:
        connection = await opened()
        await driver.run(connection, "CREATE TABLE t (a INT)", ())
        assert driver.session_state(connection) == ""
        await driver.run(connection, "INSERT INTO t VALUES (1)", ())
        assert driver.session_state(connection) == "an open transaction"
        await driver.commit(connection)
        assert driver.session_state(connection) == ""
        unread = await opened()
        await driver.leave_unread(unread, "SELECT %s UNION SELECT 2", (1,))
        assert driver.session_state(unread) == "an unread result"

    run(test)


def test_the_end_of_a_connection_is_seen_by_the_watcher_and_by_the_server(
    driver: AsyncDriver, run: Run, server: Server, tenant: Tenant
) -> None:
    async def test(opened: Open) -> None:
        connection, seen = await opened(), []
        driver.watch(connection, lambda: seen.append("gone"), nothing)
        driver.end(connection)
        assert "gone" in seen
        left = await settled(lambda: server.connection_ids(tenant), frozenset())
        assert left == frozenset()
        assert driver.local_port(connection) == 0

    run(test)


def test_a_close_by_the_pool_is_seen_by_the_watcher(driver: AsyncDriver, run: Run) -> None:
    async def test(opened: Open) -> None:
        for name in ("close", "ensure_closed"):
            connection, seen = await opened(), []
            driver.watch(connection, lambda: seen.append("gone"), nothing)  # noqa: B023
            done = getattr(connection, name)()
            if done is not None:
                await done
            assert "gone" in seen

    run(test)


def test_a_killed_connection_is_lost_and_is_opened_again_in_place(
    driver: AsyncDriver, run: Run, server: Server, tenant: Tenant
) -> None:
    async def test(opened: Open) -> None:
        connection = await opened()
        seen: list[object] = []
        number = driver.number_of(connection)
        driver.watch(
            connection,
            lambda: seen.append("gone"),
            lambda: seen.append(driver.number_of(connection)),
        )
        server.kill_connection(number)
        with pytest.raises(Exception) as lost:  # noqa: PT011 - its class is the driver's
            await driver.run(connection, "SELECT 1", ())
        assert driver.kind_of(lost.value) is ErrorKind.LOST
        await driver.reconnect(connection)
        other = driver.number_of(connection)
        assert other != number
        assert seen[-1] == other
        assert await driver.run(connection, "SELECT 1", ()) == [(1,)]
        assert await settled(lambda: server.connection_ids(tenant), {other}) == {other}
        seen.clear()
        driver.end(connection)
        assert "gone" in seen

    run(test)


def test_a_live_connection_stays_when_it_is_reconnected(driver: AsyncDriver, run: Run) -> None:
    async def test(opened: Open) -> None:
        connection, seen = await opened(), []
        number = driver.number_of(connection)
        driver.watch(connection, lambda: seen.append("gone"), lambda: seen.append("reopened"))
        await driver.reconnect(connection)
        assert driver.number_of(connection) == number
        assert seen == []

    run(test)


def test_errors_have_their_kinds(driver: AsyncDriver, run: Run, tenant: Tenant) -> None:
    async def test(opened: Open) -> None:
        connection = await opened()
        with pytest.raises(Exception) as refused:  # noqa: PT011 - its class is the driver's
            await driver.run(connection, "SELECT nothing FROM nowhere", ())
        assert driver.kind_of(refused.value) is ErrorKind.QUERY
        nowhere = replace(tenant, address=replace(tenant.address, port=1, unix_socket=None))
        with pytest.raises(Exception) as unreached:  # noqa: PT011 - its class is the driver's
            await driver.opener(nowhere)()
        assert driver.kind_of(unreached.value) is ErrorKind.CONNECT
        with pytest.raises(Exception) as denied:  # noqa: PT011 - its class is the driver's
            await driver.opener(replace(tenant, password="wrong"))()
        assert driver.kind_of(denied.value) is ErrorKind.CONNECT

    run(test)
    assert driver.kind_of(ValueError()) is None


def test_a_failing_call_raises_an_error_of_the_driver(driver: AsyncDriver) -> None:
    assert driver.kind_of(driver.failure(Call.CONNECT, "refused")) is ErrorKind.CONNECT
    error = driver.failure(Call.COMMIT, "the commit fails")
    assert driver.kind_of(error) is ErrorKind.LOST
    assert "the commit fails" in str(error)


def test_a_connection_shows_its_socket(driver: AsyncDriver, run: Run, tenant: Tenant) -> None:
    async def test(opened: Open) -> None:
        make = driver.make_of(await opened())
        assert make.socket == "unix"
        over_tcp = replace(tenant, address=replace(tenant.address, unix_socket=None))
        connection = await driver.plain(over_tcp)()
        assert driver.make_of(connection).socket == "tcp"
        assert driver.make_of(connection).driver == make.driver
        assert driver.local_port(connection) > 0
        driver.end(connection)
        await asyncio.sleep(0)

    run(test)


@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")  # of aiomysql
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_watching_keeps_no_connection_alive(driver: Any, tenant: Tenant) -> None:
    async def test() -> None:
        connection = await driver.opener(tenant)()
        transport = driver.transport_of(connection)
        weak = weakref.ref(connection)
        driver.watch(connection, nothing, nothing)
        gc.disable()
        try:
            del connection
            assert weak() is None
        finally:
            gc.enable()
        transport.close()
        await asyncio.sleep(0)

    asyncio.run(test())


def test_its_connects_and_statements_take_no_virtual_time(
    driver: AsyncDriver, tenant: Tenant
) -> None:
    async def test() -> None:
        clock = LoopClock()
        async with asyncio.timeout(0.001):
            connection = await driver.opener(tenant)()
            assert await driver.run(connection, "SELECT SLEEP(0.05)", ()) == [(0,)]
        assert clock.now() == 0
        driver.end(connection)
        await asyncio.sleep(0)

    with asyncio.Runner(loop_factory=LabLoop) as runner:
        runner.run(test())
