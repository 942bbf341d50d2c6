"""Faults of a private server, seen by a second client: limits, passwords, time-outs, shutdown."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pymysql
import pytest

from poolspec.servers import PrivateServer, ServerError, ServerKind, Tenant, new_password

Connection = pymysql.connections.Connection
Connect = Callable[..., "Connection[Any]"]


def number_of(error: "pytest.ExceptionInfo[pymysql.err.MySQLError]") -> int:
    code: int = error.value.args[0]
    return code


def run(connection: "Connection[Any]", sql: str) -> tuple[tuple[Any, ...], ...]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        return tuple(cursor.fetchall())


@contextmanager
def setting(server: PrivateServer, name: str, value: int) -> Iterator[None]:
    before = server.setting(name)
    server.set_up(name, value)
    yield
    server.set_up(name, before)


def test_a_changed_password_refuses_connects_and_keeps_open_connections(
    server: PrivateServer, tenant: Tenant, connect: Connect
) -> None:
    early = connect()
    server.change_password(tenant, new_password())
    assert run(early, "SELECT 1") == ((1,),)
    with pytest.raises(pymysql.err.OperationalError, match="Access denied") as refused:
        server.connect(tenant)
    assert number_of(refused) == 1045
    server.change_password(tenant, tenant.password)
    assert run(connect(), "SELECT 1") == ((1,),)


def test_a_server_at_its_limit_refuses_with_1040(
    server: PrivateServer, tenant: Tenant, connect: Connect
) -> None:
    early = connect()
    with setting(server, "max_connections", 10):
        occupants = [server.occupy() for _ in range(10 - server.number_connected())]
        try:
            with pytest.raises(pymysql.err.OperationalError, match="Too many") as refused:
                server.connect(tenant)
        finally:
            for occupant in occupants:
                occupant.close()
        assert number_of(refused) == 1040
        assert run(early, "SELECT 1") == ((1,),)


def test_a_value_that_the_server_changes_is_an_error(server: PrivateServer) -> None:
    if server.kind is ServerKind.EMBEDDED:
        pytest.skip("the embedded server takes any number")
    before = server.setting("max_connections")
    with pytest.raises(ServerError, match="sets max_connections to 10, not to 5"):
        server.set_up("max_connections", 5)
    server.set_up("max_connections", before)


def test_an_idle_connection_ends_by_wait_timeout(
    server: PrivateServer, tenant: Tenant, connect: Connect
) -> None:
    with setting(server, "wait_timeout", 1):
        idle = connect()
        deadline = time.monotonic() + 10
        while server.connection_ids(tenant) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not server.connection_ids(tenant)
        with pytest.raises(pymysql.err.OperationalError) as lost:
            run(idle, "SELECT 1")
        assert number_of(lost) in (2006, 2013, 4031)


def test_an_orderly_shutdown_ends_statements_and_refuses_connects(
    server: PrivateServer, tenant: Tenant, connect: Connect
) -> None:
    busy, idle = connect(), connect()
    run(idle, "CREATE TABLE t (id INT PRIMARY KEY)")
    run(idle, "INSERT INTO t VALUES (1)")
    idle.commit()
    errors: list[int] = []

    def work() -> None:
        with pytest.raises(pymysql.err.OperationalError) as lost:
            run(busy, "SELECT SLEEP(20)")
        errors.append(number_of(lost))

    worker = threading.Thread(target=work)
    worker.start()
    number = busy.thread_id()  # type: ignore[no-untyped-call]  # the stub has no hints
    while not server.runs_statement(number):
        time.sleep(0.005)
    server.shut_down()
    worker.join()
    assert errors == [1053 if server.kind is ServerKind.EMBEDDED else 2013]
    with pytest.raises(pymysql.err.OperationalError) as lost:
        run(idle, "SELECT 1")
    assert number_of(lost) in (2006, 2013)
    with pytest.raises(pymysql.err.OperationalError) as refused:
        server.connect(tenant)
    assert number_of(refused) == 2003
    server.restart()
    assert run(connect(), "SELECT id FROM t") == ((1,),)
