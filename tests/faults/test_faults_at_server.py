"""Each toxic of a line as the database server and a second client see it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from pymysql.constants.COMMAND import COM_QUERY
from tests.faults.ends import lasting

from poolspec.drivers.pymysql import PyMySQLDriver
from poolspec.faults.network import Line, Toxic
from poolspec.faults.terms import FaultTerms
from poolspec.invariants.observer import settle
from poolspec.servers import Server, Tenant, start_server
from poolspec.vocabulary import Direction, Fault


@pytest.fixture(scope="module")
def database() -> Iterator[Server]:
    server = start_server()
    yield server
    server.stop()


@pytest.fixture
def tenant(database: Server) -> Iterator[Tenant]:
    tenant = database.create_tenant()
    yield tenant
    database.drop_tenant(tenant)


@pytest.fixture
def line(tenant: Tenant) -> Iterator[Line]:
    line = Line(tenant.address)
    yield line
    line.close()


@pytest.fixture
def over(tenant: Tenant, line: Line) -> Iterator[Any]:
    """A connection over the line."""
    connection = connect(replace(tenant, address=line.address))
    yield connection
    with suppress(pymysql.err.Error):  # a toxic has closed it
        connection.close()


@pytest.fixture
def second(tenant: Tenant) -> Iterator[Any]:
    """A second client, which connects directly."""
    connection = connect(tenant)
    yield connection
    connection.close()


def connect(tenant: Tenant) -> Any:
    return PyMySQLDriver().plain(tenant)()


def ask(connection: Any, sql: str = "SELECT 1") -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def toxic(fault: Fault, **terms: object) -> Toxic:
    given: FaultTerms = terms  # type: ignore[assignment]
    return Toxic.of(fault, None, given)


def listed(database: Server, tenant: Tenant, number: int) -> bool:
    """Whether the server's process list has a connection, once the server has noticed a change."""
    return number in settle(
        lambda: database.connection_ids(tenant), lambda seen: number not in seen
    )


def is_listed(database: Server, tenant: Tenant, number: int) -> bool:
    """Whether the server's process list has a connection now."""
    return number in database.connection_ids(tenant)


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.RESET_PEER])
def test_the_server_ends_a_connection_that_the_line_closes(
    database: Server, tenant: Tenant, line: Line, over: Any, second: Any, fault: Fault
) -> None:
    number = over.thread_id()
    assert is_listed(database, tenant, number)
    line.set(toxic(fault))
    assert not listed(database, tenant, number)
    with pytest.raises(pymysql.err.OperationalError):
        ask(over)
    assert ask(second) == 1


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.REFUSE])
def test_a_closed_line_refuses_a_second_client(tenant: Tenant, line: Line, fault: Fault) -> None:
    line.set(toxic(fault))
    with pytest.raises(pymysql.err.OperationalError, match="refused"):
        connect(replace(tenant, address=line.address))
    line.lift(fault)
    connect(replace(tenant, address=line.address)).close()


def test_the_server_keeps_a_connection_beside_refused_ones(
    database: Server, tenant: Tenant, line: Line, over: Any
) -> None:
    line.set(toxic(Fault.REFUSE))
    assert ask(over, "SELECT CONNECTION_ID()") == over.thread_id()
    assert is_listed(database, tenant, over.thread_id())


def test_latency_delays_one_client_and_not_the_other(line: Line, over: Any, second: Any) -> None:
    line.set(toxic(Fault.LATENCY, delay=0.2))
    with lasting(0.2):
        assert ask(over) == 1
    with lasting(0.0, 0.2):
        assert ask(second) == 1


def test_the_server_runs_a_statement_whose_answer_is_lost(
    line: Line, over: Any, second: Any
) -> None:
    second.autocommit(True)
    with second.cursor() as cursor:
        cursor.execute("CREATE TABLE written (id INT)")
    line.set(toxic(Fault.HALF_OPEN, direction=Direction.DOWNSTREAM))
    over._execute_command(COM_QUERY, "INSERT INTO written VALUES (1)")
    over._execute_command(COM_QUERY, "COMMIT")
    written = settle(lambda: ask(second, "SELECT COUNT(*) FROM written"), bool)
    assert written == 1
    over._force_close()


def test_the_server_counts_a_half_open_connection_until_the_client_closes_it(
    database: Server, tenant: Tenant, line: Line, over: Any
) -> None:
    number = over.thread_id()
    line.set(toxic(Fault.HALF_OPEN))
    assert is_listed(database, tenant, number)
    over.close()
    assert not listed(database, tenant, number)


def test_the_server_learns_late_of_a_slow_close(
    database: Server, tenant: Tenant, line: Line, over: Any
) -> None:
    number = over.thread_id()
    line.set(toxic(Fault.SLOW_CLOSE, delay=60.0, direction=Direction.UPSTREAM))
    over._force_close()
    assert is_listed(database, tenant, number)
    line.lift(Fault.SLOW_CLOSE)
    assert not listed(database, tenant, number)


def test_the_server_ends_a_connection_whose_answer_is_cut(
    database: Server, tenant: Tenant, line: Line, over: Any
) -> None:
    number = over.thread_id()
    line.set(toxic(Fault.LIMIT_DATA, bytes=20))
    with pytest.raises(pymysql.err.OperationalError):
        ask(over, "SELECT 'an answer that is longer than the limit'")
    assert not listed(database, tenant, number)


def test_an_answer_in_slices_is_whole(line: Line, over: Any) -> None:
    line.set(toxic(Fault.SLICER, size=1, direction=Direction.BOTH))
    assert ask(over, "SELECT 'whole'") == "whole"


def test_a_large_answer_takes_its_time_on_a_narrow_line(line: Line, over: Any) -> None:
    line.set(toxic(Fault.BANDWIDTH, rate=50))
    with lasting(0.1):
        assert len(ask(over, f"SELECT '{'x' * 10_000}'")) == 10_000


def test_the_server_ends_a_connection_after_a_timeout(
    database: Server, tenant: Tenant, line: Line, over: Any
) -> None:
    number = over.thread_id()
    line.set(toxic(Fault.TIMEOUT, delay=0.1))
    with lasting(0.05), pytest.raises(pymysql.err.OperationalError):
        ask(over)
    assert not listed(database, tenant, number)
