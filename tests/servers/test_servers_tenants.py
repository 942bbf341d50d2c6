"""Tenants: their isolation, their counted connections, and their removal."""

import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest

from poolspec import processes
from poolspec.servers import Barred, PrivateServer, Tenant

NAMESPACE = Path("/proc/self/ns/pid")

Connect = Callable[..., "pymysql.connections.Connection[Any]"]


def wait_until(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.002)
    return holds()


def run(connection: "pymysql.connections.Connection[Any]", sql: str) -> tuple[tuple[Any, ...], ...]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        return tuple(cursor.fetchall())


def test_a_tenant_reads_back_what_it_wrote(connect: Connect) -> None:
    connection = connect()
    run(connection, "CREATE TABLE t (id INT PRIMARY KEY, name VARCHAR(20))")
    run(connection, "INSERT INTO t VALUES (1, 'ä''b')")
    connection.commit()
    assert run(connect(), "SELECT id, name FROM t") == ((1, "ä'b"),)


def test_a_tenant_cannot_enter_the_database_of_another(
    server: PrivateServer, connect: Connect, tenant: Tenant
) -> None:
    other = server.create_tenant()
    try:
        with pytest.raises(pymysql.err.OperationalError) as refused:
            connect(database=other.database)
        assert refused.value.args[0] == 1044
        with pytest.raises(pymysql.err.MySQLError) as denied:
            run(connect(), f"SELECT * FROM {other.database}.t")
        assert denied.value.args[0] in (1044, 1142)
        assert len(server.connection_ids(other)) == 0
    finally:
        server.drop_tenant(other)


@pytest.mark.parametrize(
    ("why", "code"), [(Barred.LOCKED, 4151), (Barred.EXPIRED, 1862), (Barred.PLUGIN, 1524)]
)
def test_an_account_that_is_barred_is_refused_and_can_be_dropped(
    server: PrivateServer, connect: Connect, why: Barred, code: int
) -> None:
    other = server.create_tenant()
    server.bar(other, why)
    with pytest.raises(pymysql.err.OperationalError) as refused:
        connect(other)
    assert refused.value.args[0] == code
    server.drop_tenant(other)
    assert server.orphans() == ()


def test_a_tenant_may_not_make_users(connect: Connect) -> None:
    with pytest.raises(pymysql.err.OperationalError) as refused:
        run(connect(), "CREATE USER 'x'@'%' IDENTIFIED BY 'y'")
    assert refused.value.args[0] == 1227


def test_an_unknown_database_is_refused(connect: Connect) -> None:
    with pytest.raises(pymysql.err.OperationalError) as refused:
        connect(database="nowhere")
    assert refused.value.args[0] in (1044, 1049)


def test_a_wrong_password_is_refused(connect: Connect) -> None:
    with pytest.raises(pymysql.err.OperationalError) as refused:
        connect(password="wrong")
    assert refused.value.args[0] == 1045
    assert "wrong" not in str(refused.value)


def test_an_unknown_user_is_refused(connect: Connect) -> None:
    with pytest.raises(pymysql.err.OperationalError) as refused:
        connect(user="unknown", database=None)
    assert refused.value.args[0] == 1045


def test_the_administrator_without_password_is_refused_over_tcp(connect: Connect) -> None:
    with pytest.raises(pymysql.err.OperationalError) as refused:
        connect(user="root", password="", database=None, unix_socket=None)
    assert refused.value.args[0] in (1045, 1130, 1698)


def test_a_tenant_can_sign_in_over_tcp(connect: Connect, server: PrivateServer) -> None:
    assert server.address.port < 32768
    assert run(connect(unix_socket=None), "SELECT 1") == ((1,),)


def test_each_connection_is_counted_by_the_server(
    server: PrivateServer, tenant: Tenant, connect: Connect
) -> None:
    ids = {run(connect(), "SELECT CONNECTION_ID()")[0][0] for _ in range(3)}
    assert server.connection_ids(tenant) == ids


def test_each_tenant_is_counted_separately(
    server: PrivateServer, tenant: Tenant, connect: Connect
) -> None:
    other = server.create_tenant()
    connect()
    connect()
    connect(other)
    assert len(server.connection_ids(tenant)) == 2
    assert len(server.connection_ids(other)) == 1
    server.drop_tenant(other)


def test_the_count_falls_when_a_client_quits(
    server: PrivateServer, tenant: Tenant, connect: Connect
) -> None:
    connect().close()
    assert wait_until(lambda: not server.connection_ids(tenant))


def test_the_count_falls_when_a_client_drops_its_socket(
    server: PrivateServer, tenant: Tenant, connect: Connect
) -> None:
    connection = connect()
    connection._force_close()  # type: ignore[attr-defined]
    assert wait_until(lambda: not server.connection_ids(tenant))


def test_a_killed_connection_is_gone(
    server: PrivateServer, tenant: Tenant, connect: Connect
) -> None:
    connection = connect()
    (number,) = server.connection_ids(tenant)
    server.kill_connection(number)
    assert wait_until(lambda: not server.connection_ids(tenant))
    with pytest.raises((pymysql.err.OperationalError, pymysql.err.InternalError)):
        run(connection, "SELECT 1")


def test_killing_a_connection_that_has_ended_is_no_error(server: PrivateServer) -> None:
    server.kill_connection(2**31)


def test_the_uncommitted_work_of_a_killed_connection_is_undone(
    server: PrivateServer, tenant: Tenant, connect: Connect
) -> None:
    victim, other = connect(), connect()
    run(other, "CREATE TABLE t (id INT PRIMARY KEY)")
    victim.begin()
    run(victim, "INSERT INTO t VALUES (1)")
    server.kill_connection(run(victim, "SELECT CONNECTION_ID()")[0][0])
    assert wait_until(lambda: len(server.connection_ids(tenant)) == 1)
    run(other, "INSERT INTO t VALUES (1)")


def test_dropping_a_tenant_ends_its_connections_and_frees_its_locks(
    server: PrivateServer,
) -> None:
    tenant = server.create_tenant()
    connection = pymysql.connect(
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
        ssl_disabled=True,
    )
    run(connection, "CREATE TABLE t (id INT PRIMARY KEY)")
    connection.begin()
    run(connection, "INSERT INTO t VALUES (1)")
    server.drop_tenant(tenant)
    assert wait_until(lambda: not server.connection_ids(tenant))
    with pytest.raises((pymysql.err.OperationalError, pymysql.err.InternalError)):
        run(connection, "SELECT 1")
    connection._force_close()  # type: ignore[attr-defined]
    server.drop_tenant(tenant)


def test_a_tenant_shows_no_password(tenant: Tenant, server: PrivateServer) -> None:
    assert tenant.password not in repr(tenant)
    assert tenant.password not in repr(server)


def test_a_tenant_of_a_live_process_is_not_an_orphan(server: PrivateServer, tenant: Tenant) -> None:
    assert server.orphans() == ()


def test_a_tenant_of_an_ended_process_is_an_orphan(server: PrivateServer, tenant: Tenant) -> None:
    _, machine, _, run_mark, _ = tenant.database.split("_")
    name = f"ps_{machine}_4194399_{run_mark}_1"  # beyond the largest process id
    server._admin.run(f"CREATE DATABASE {name}")
    assert server.orphans() == (name,)
    assert server.drop_orphans() == (name,)
    assert server.orphans() == ()


@pytest.mark.skipif(not NAMESPACE.is_symlink(), reason="Linux only")
def test_a_tenant_of_another_container_of_the_same_name_is_not_an_orphan(
    server: PrivateServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, machine, _, run_mark, _ = tenant.database.split("_")
    name = f"ps_{machine}_4194399_{run_mark}_1"
    server._admin.run(f"CREATE DATABASE {name}")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "readlink", lambda path: Path("pid:[1]"))
        processes.machine.cache_clear()
        assert server.orphans() == ()
    processes.machine.cache_clear()
    assert server.drop_orphans() == (name,)


def test_a_client_that_never_signs_in_is_not_counted_for_a_tenant(
    server: PrivateServer, tenant: Tenant
) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(server.address.unix_socket))
        assert silent.recv(4)
        assert server.connection_ids(tenant) == frozenset()
