"""Each driver does for the lab what its contract says, on a real server."""

import gc
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from tests.drivers.settling import settled

from poolspec.drivers.contract import Driver
from poolspec.invariants.connection import Sockets
from poolspec.servers import Server, Tenant
from poolspec.testing import ConnectorDriver, PyMySQLDriver
from poolspec.vocabulary import Call, ErrorKind

DRIVERS: dict[str, Driver] = {"pymysql": PyMySQLDriver(), "connector": ConnectorDriver()}
Open = Callable[[], Any]


@pytest.fixture(params=DRIVERS)
def driver(request: pytest.FixtureRequest) -> Driver:
    return DRIVERS[request.param]


@pytest.fixture
def opened(driver: Driver, tenant: Tenant) -> Iterator[Open]:
    """Open connections that are closed after the test."""
    connections: list[Any] = []

    def open_one() -> Any:
        connections.append(driver.opener(tenant)())
        return connections[-1]

    yield open_one
    for connection in connections:
        with suppress(Exception):
            driver.end(connection)


def nothing() -> None:
    """Do nothing."""


def test_the_number_is_that_of_the_process_list(
    driver: Driver, opened: Open, server: Server, tenant: Tenant
) -> None:
    connection = opened()
    assert server.connection_ids(tenant) == {driver.number_of(connection)}


def test_a_statement_returns_its_rows_as_tuples(driver: Driver, opened: Open) -> None:
    assert driver.run(opened(), "SELECT %s, 'b'", (1,)) == [(1, "b")]
    assert driver.run(opened(), "DO 0", ()) == []


def test_work_is_kept_by_a_commit_only(driver: Driver, opened: Open) -> None:
    writer, reader = opened(), opened()
    driver.run(writer, "CREATE TABLE t (a INT)", ())
    driver.run(writer, "INSERT INTO t VALUES (%s)", (1,))
    assert driver.run(reader, "SELECT a FROM t", ()) == []
    driver.commit(reader)
    driver.commit(writer)
    assert driver.run(reader, "SELECT a FROM t", ()) == [(1,)]


def test_a_change_is_checked_by_its_cursor(driver: Driver, opened: Open) -> None:
    connection = opened()
    driver.run(connection, "CREATE TABLE t (a INT)", ())
    counts: list[int] = []
    statement = "INSERT INTO t VALUES (%s), (2)"
    driver.change_one(connection, statement, (1,), lambda cursor: counts.append(cursor.rowcount))
    assert counts == [2]


def test_a_session_shows_its_open_transaction_and_its_unread_result(
    driver: Driver, opened: Open
) -> None:
    connection = opened()
    driver.run(connection, "CREATE TABLE t (a INT)", ())
    assert driver.session_state(connection) == ""
    driver.run(connection, "INSERT INTO t VALUES (1)", ())
    assert driver.session_state(connection) == "an open transaction"
    driver.commit(connection)
    assert driver.session_state(connection) == ""
    unread = opened()
    driver.leave_unread(unread, "SELECT %s UNION SELECT 2", (1,))
    assert driver.session_state(unread) == "an unread result"


def test_the_end_of_a_connection_is_seen_by_the_watcher_and_by_the_server(
    driver: Driver, opened: Open, server: Server, tenant: Tenant
) -> None:
    connection, seen = opened(), []
    driver.watch(connection, lambda: seen.append("gone"), nothing)
    driver.end(connection)
    assert "gone" in seen
    assert settled(lambda: server.connection_ids(tenant), frozenset()) == frozenset()
    assert driver.local_port(connection) == 0


def test_a_close_by_the_pool_is_seen_by_the_watcher(driver: Driver, opened: Open) -> None:
    connection, seen = opened(), []
    driver.watch(connection, lambda: seen.append("gone"), nothing)
    connection.close()
    assert "gone" in seen


def test_a_killed_connection_is_lost_and_is_opened_again_in_place(
    driver: Driver, opened: Open, server: Server, tenant: Tenant
) -> None:
    connection = opened()
    seen: list[object] = []
    number = driver.number_of(connection)
    driver.watch(
        connection,
        lambda: seen.append("gone"),
        lambda: seen.append(driver.number_of(connection)),
    )
    server.kill_connection(number)
    with pytest.raises(Exception) as lost:  # noqa: PT011 - its class is the driver's
        driver.run(connection, "SELECT 1", ())
    assert driver.kind_of(lost.value) is ErrorKind.LOST
    driver.reconnect(connection)
    other = driver.number_of(connection)
    assert other != number
    assert seen[-1] == other
    assert driver.run(connection, "SELECT 1", ()) == [(1,)]
    assert settled(lambda: server.connection_ids(tenant), {other}) == {other}
    seen.clear()
    driver.end(connection)
    assert "gone" in seen


def test_a_live_connection_stays_when_it_is_reconnected(driver: Driver, opened: Open) -> None:
    connection, seen = opened(), []
    number = driver.number_of(connection)
    driver.watch(connection, lambda: seen.append("gone"), lambda: seen.append("reopened"))
    driver.reconnect(connection)
    assert driver.number_of(connection) == number
    assert seen == []


def test_errors_have_their_kinds(driver: Driver, opened: Open, tenant: Tenant) -> None:
    with pytest.raises(Exception) as refused:  # noqa: PT011 - its class is the driver's
        driver.run(opened(), "SELECT nothing FROM nowhere", ())
    assert driver.kind_of(refused.value) is ErrorKind.QUERY
    nowhere = replace(tenant, address=replace(tenant.address, port=1, unix_socket=None))
    with pytest.raises(Exception) as unreached:  # noqa: PT011 - its class is the driver's
        driver.opener(nowhere)()
    assert driver.kind_of(unreached.value) is ErrorKind.CONNECT
    with pytest.raises(Exception) as denied:  # noqa: PT011 - its class is the driver's
        driver.opener(replace(tenant, password="wrong"))()
    assert driver.kind_of(denied.value) is ErrorKind.CONNECT
    assert driver.kind_of(ValueError()) is None


def test_a_failing_call_raises_an_error_of_the_driver(driver: Driver) -> None:
    assert driver.kind_of(driver.failure(Call.CONNECT, "refused")) is ErrorKind.CONNECT
    error = driver.failure(Call.COMMIT, "the commit fails")
    assert driver.kind_of(error) is ErrorKind.LOST
    assert "the commit fails" in str(error)


def test_a_connection_shows_its_socket(driver: Driver, opened: Open, tenant: Tenant) -> None:
    make = driver.make_of(opened())
    assert make.socket == "unix"
    over_tcp = replace(tenant, address=replace(tenant.address, unix_socket=None))
    connection = driver.plain(over_tcp)()
    assert driver.make_of(connection).socket == "tcp"
    assert driver.make_of(connection).driver == make.driver
    assert driver.local_port(connection) > 0
    driver.end(connection)


def test_watching_keeps_no_connection_alive(driver: Driver, server: Server, tenant: Tenant) -> None:
    connection = driver.opener(tenant)()
    sockets = Sockets(lambda kind, number, was=None: None)
    sockets.opened(driver.number_of(connection), connection, driver.make_of(connection))
    driver.watch(connection, sockets.end_of(connection), nothing)
    gc.disable()
    try:
        del connection
        assert sockets.numbers() == frozenset()
    finally:
        gc.enable()
    assert settled(lambda: server.connection_ids(tenant), frozenset()) == frozenset()
