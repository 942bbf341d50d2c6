"""The pool on a real server: the state in the driver's attributes matches the server's."""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pymysql
import pytest
from pymysql.cursors import SSCursor

from poolspec.servers import Server, Tenant
from steadypool import (
    Config,
    ConnectionFailedError,
    ConnectionPool,
    Connector,
    PoolInitializationError,
)
from steadypool._core.entries import ConnectionState
from steadypool._drivers.dbapi import state


@pytest.fixture
def pool(config: Config) -> Iterator[ConnectionPool]:
    with ConnectionPoolUntilClosed(config) as pool:
        with pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute("CREATE TABLE t (id INT PRIMARY KEY, n INT) ENGINE=InnoDB")
            cursor.execute("INSERT INTO t VALUES (1, 0)")
            connection.commit()
        yield pool


class ConnectionPoolUntilClosed:
    def __init__(self, config: Config) -> None:
        self.pool = ConnectionPool(size=1, max_overflow=0, timeout=10, config=config)

    def __enter__(self) -> ConnectionPool:
        return self.pool

    def __exit__(self, *details: object) -> None:
        self.pool.close()


def server_count_becomes(server: Server, tenant: Tenant, count: int) -> bool:
    deadline = time.monotonic() + 10
    while len(server.connection_ids(tenant)) != count:
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.005)
    return True


Spoil = Callable[[pymysql.connections.Connection], object]


def uncommitted(connection: pymysql.connections.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE t SET n = n + 1")


def snapshot(connection: pymysql.connections.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM t")


def streamed(connection: pymysql.connections.Connection) -> None:
    with connection.cursor(SSCursor) as cursor:
        cursor.execute("SELECT * FROM t")
        cursor.fetchall()


def failed(connection: pymysql.connections.Connection) -> None:
    with connection.cursor() as cursor, pytest.raises(pymysql.err.IntegrityError):
        cursor.execute("INSERT INTO t VALUES (1, 1)")


def committed(connection: pymysql.connections.Connection) -> None:
    uncommitted(connection)
    connection.commit()


@pytest.mark.parametrize("spoil", [uncommitted, snapshot, streamed, failed])
def test_an_open_transaction_is_detected(pool: ConnectionPool, spoil: Spoil) -> None:
    with pool as connection:
        spoil(connection)
        assert state(connection) is ConnectionState.IN_TRANSACTION
    with pool as again:
        assert again is connection
        assert state(again) is ConnectionState.CLEAN


@pytest.mark.parametrize("spoil", [uncommitted, snapshot, streamed, failed])
def test_a_plain_pymysql_connection_has_the_same_states(
    pool: ConnectionPool, tenant: Tenant, spoil: Spoil
) -> None:
    connection = pymysql.connect(
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
    )
    spoil(connection)
    assert state(connection) is ConnectionState.IN_TRANSACTION
    connection.close()


def test_after_a_commit_nothing_is_left_to_roll_back(pool: ConnectionPool) -> None:
    with pool as connection:
        committed(connection)
        assert state(connection) is ConnectionState.CLEAN


def test_uncommitted_work_and_its_locks_are_gone_after_a_release(
    pool: ConnectionPool, config: Config
) -> None:
    with pool as connection:
        uncommitted(connection)
    other = Connector(replace(config, read_timeout=5))()
    with other.cursor() as cursor:
        cursor.execute("UPDATE t SET n = 5")
        other.commit()
        cursor.execute("SELECT n FROM t")
        assert cursor.fetchall() == ((5,),)
    other.close()


def test_an_unread_result_closes_the_connection(
    pool: ConnectionPool, server: Server, tenant: Tenant
) -> None:
    with pool as connection:
        cursor = connection.cursor(SSCursor)
        cursor.execute("SELECT 1 UNION SELECT 2")
        assert state(connection) is ConnectionState.UNREAD
    with pool as another:
        assert another is not connection
    assert server_count_becomes(server, tenant, 1)
    cursor.close()  # which would read any remaining rows


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_statement_still_running_in_another_thread_closes_the_connection(
    config: Config, autocommit: bool
) -> None:
    pool = ConnectionPool(size=1, max_overflow=0, config=replace(config, autocommit=autocommit))
    with ThreadPoolExecutor(1) as executor:
        with pool as connection:
            straggler = executor.submit(connection.query, "SELECT SLEEP(5)")
            while not connection.answer_pending:
                threading.Event().wait(0.001)
        with pool as another, another.cursor() as cursor:
            assert another is not connection
            cursor.execute("SELECT 7")
            assert cursor.fetchall() == ((7,),)
        assert straggler.exception(timeout=2) is not None
    pool.close()


@pytest.mark.filterwarnings("ignore:Previous unbuffered result")
def test_an_interrupted_unit_of_work_reads_no_more_rows(pool: ConnectionPool) -> None:
    with pytest.raises(LookupError), pool.transaction() as connection:
        cursor = connection.cursor(SSCursor)
        cursor.execute("SELECT 1 UNION SELECT 2")
        raise LookupError
    assert pool.stats().closed == 1


def test_a_connection_killed_by_the_server_is_replaced_before_it_is_handed_out(
    pool: ConnectionPool, server: Server, tenant: Tenant
) -> None:
    for connection_id in server.connection_ids(tenant):
        server.kill_connection(connection_id)
    assert server_count_becomes(server, tenant, 0)
    pool._core.idle[-1].good_until = 0  # as after half a second
    with pool as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert pool.stats().created == 2


def test_a_borrower_can_reconnect_a_connection_that_the_server_killed(
    pool: ConnectionPool, server: Server
) -> None:
    with pool as connection:
        server.kill_connection(connection.thread_id())
        with pytest.raises(pymysql.MySQLError):
            connection.ping(reconnect=False)
        connection.connect()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchall() == ((1,),)


def test_the_server_and_the_pool_count_the_same_connections(
    config: Config, server: Server, tenant: Tenant
) -> None:
    pool = ConnectionPool(size=3, max_overflow=2, config=config)
    assert server_count_becomes(server, tenant, 3)
    held = [pool.acquire() for _ in range(5)]
    assert server_count_becomes(server, tenant, 5)
    for connection in held:
        pool.release(connection)
    assert server_count_becomes(server, tenant, 3)
    pool.close_all()
    assert server_count_becomes(server, tenant, 0)
    pool.close()


def test_threads_lose_no_write(pool: ConnectionPool) -> None:
    def client() -> None:
        for _ in range(20):
            with pool as connection:
                uncommitted(connection)
                connection.commit()

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with pool as connection, connection.cursor() as cursor:
        cursor.execute("SELECT n FROM t")
        assert cursor.fetchone() == (160,)
    stats = pool.stats()
    assert (stats.acquired - stats.released, stats.total_connections) == (0, 1)


def test_a_forked_child_leaves_the_parents_session_alone(pool: ConnectionPool) -> None:
    with pool as connection, connection.cursor() as cursor:
        cursor.execute("SET @mine = 7")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                with pool as own, own.cursor() as asking:
                    asking.execute("SELECT @mine")
                    code = 0 if asking.fetchone() == (None,) else 2
                pool.release(connection)
                pool.close()
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        cursor.execute("SELECT @mine")
        assert cursor.fetchone() == (7,)


def test_the_error_for_a_wrong_password_explains_it_without_showing_it(config: Config) -> None:
    with pytest.raises(PoolInitializationError, match="refused user or password") as caught:
        ConnectionPool(config=replace(config, password="not-the-one"))
    assert "not-the-one" not in str(caught.value)


def test_an_unknown_database_is_explained(config: Config) -> None:
    with pytest.raises(PoolInitializationError, match=r"user .*, database 'nowhere'"):
        ConnectionPool(config=replace(config, database="nowhere"))


def test_autocommit_follows_the_configuration(config: Config) -> None:
    for wanted in (False, True):
        connection = Connector(replace(config, autocommit=wanted))()
        assert connection.get_autocommit() is wanted
        connection.close()


def test_connecting_to_a_silent_server_times_out(tmp_path: Path) -> None:
    path = str(tmp_path / "mute.sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as mute:
        mute.bind(path)
        mute.listen()
        config = Config(unix_socket=path, connect_timeout=0.2)
        pool = ConnectionPool(size=1, min_size=0, config=config)
        started = time.monotonic()
        with pytest.raises(ConnectionFailedError, match=r"mute\.sock"):
            pool.acquire()
        assert time.monotonic() - started < 5
        pool.close()
