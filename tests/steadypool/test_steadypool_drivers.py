"""Connections over TCP and connections of other drivers."""

import logging
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from poolspec.servers import Server, ServerKind, start_server
from steadypool import Config, ConnectionPool, Connector, LogEvent, PoolInitializationError
from steadypool.testing import ScriptedConnection, VirtualClock

MakePool = Callable[..., ConnectionPool]


@pytest.fixture(scope="module")
def embedded() -> Iterator[Server]:
    server = start_server(ServerKind.EMBEDDED)
    yield server
    server.stop()


def test_a_pool_works_over_tcp(embedded: Server) -> None:
    tenant = embedded.create_tenant()
    config = Config(
        host=tenant.address.host,
        port=tenant.address.port or 0,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
    )
    pool = ConnectionPool(size=1, config=config)
    with pool as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == ((1,),)
        assert connection._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    pool.close()
    embedded.drop_tenant(tenant)


def test_a_refused_port_and_an_unknown_host_are_explained() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(PoolInitializationError, match=rf"127\.0\.0\.1:{port} as user 'u'"):
            ConnectionPool(config=f"mysql://u:secret@127.0.0.1:{port}/d")
    with pytest.raises(PoolInitializationError, match=r"nowhere\.invalid.*Is the server running"):
        ConnectionPool(config="mysql://u:secret@nowhere.invalid/d")


def test_the_connect_timeout_holds_for_a_port_that_does_not_answer() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        config = Config(host="127.0.0.1", port=mute.getsockname()[1], connect_timeout=0.2)
        began = time.monotonic()
        with pytest.raises(Exception, match="timed out"):
            Connector(config)()
        assert time.monotonic() - began < 2


def test_a_driver_without_ping_is_validated_by_a_query(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    queries: list[str] = []
    opened: list[sqlite3.Connection] = []

    def connect() -> sqlite3.Connection:
        opened.append(sqlite3.connect(":memory:"))
        opened[-1].set_trace_callback(queries.append)
        return opened[-1]

    pool = make_pool(connect=connect, validate_after=10)
    with pool:
        assert queries == []
    clock.sleep(10)
    with pool as connection:
        assert connection is opened[0]
    assert queries == ["SELECT 1"]
    opened[0].close()
    clock.sleep(10)
    with pool as connection:
        assert connection is opened[1]
    assert pool.stats().validation_failures == 1


def test_a_hook_that_fails_in_maintenance_is_logged_and_not_raised(
    make_pool: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    failures: list[Exception] = []

    def setup(connection: ScriptedConnection) -> None:
        if failures:
            raise failures.pop()

    pool = make_pool(setup=setup)
    pool.clear()
    failures.append(ValueError("no such variable"))
    with caplog.at_level(logging.WARNING, "steadypool"):
        pool.maintain()
    (record,) = caplog.records
    assert vars(record)["event"] == LogEvent.MAINTENANCE_FAILED
    pool.maintain()
    assert pool.stats().pool_size == 1


def test_a_setup_that_fails_after_a_session_reset_drops_the_connection(
    make_pool: MakePool,
) -> None:
    calls: list[Any] = []

    def setup(connection: ScriptedConnection) -> None:
        calls.append(connection)
        if len(calls) == 2:
            raise ValueError("no")

    pool = make_pool(setup=setup, reset="session")
    with pool as connection:
        pass
    assert connection.closed
    with pool as another:
        assert another is not connection


def test_a_driver_that_cannot_reset_its_session_rolls_back(make_pool: MakePool) -> None:
    pool = make_pool(
        connect=partial(sqlite3.connect, ":memory:", isolation_level="DEFERRED"), reset="session"
    )
    with pool as connection:
        connection.execute("CREATE TABLE t (i)")
        connection.execute("INSERT INTO t VALUES (1)")
    with pool as again:
        assert again is connection
        assert again.execute("SELECT * FROM t").fetchall() == []
