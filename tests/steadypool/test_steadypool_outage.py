"""The pool on a real server that is slow, cut off, killed and restarted."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pymysql
import pytest

from poolspec.servers import Server, Tenant
from poolspec.servers.private import PrivateServer
from steadypool import (
    Config,
    ConflictError,
    ConnectionFailedError,
    ConnectionPool,
    ConnectionPoolError,
    Connector,
    HealthStatus,
    LogEvent,
    expect_one,
)

DEADLINE = 10.0


def becomes(true: Callable[[], object]) -> bool:
    deadline = time.monotonic() + DEADLINE
    while not true():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.005)
    return True


@contextmanager
def pool_of(config: Config, **options: Any) -> Iterator[ConnectionPool]:
    settings: dict[str, Any] = {"size": 3, "max_overflow": 0, "config": config}
    pool = ConnectionPool(**(settings | options))
    try:
        yield pool
    finally:
        pool.close()


def run(pool: ConnectionPool, *statements: str) -> tuple[tuple[Any, ...], ...]:
    with pool.transaction() as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return tuple(cursor.fetchall())


# --- time limits ----------------------------------------------------------------------------------


class Dribbler:
    """A server that sends its greeting one byte at a time."""

    def __init__(self, path: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(path)
        self._socket.listen()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        client, _ = self._socket.accept()
        with client:
            try:
                client.sendall(b"\x4a\x00\x00\x00\x0a")
                while True:
                    client.sendall(b"1")
                    threading.Event().wait(0.05)
            except OSError:
                return  # the client has disconnected

    def stop(self) -> None:
        self._thread.join(DEADLINE)
        self._socket.close()


def test_the_connect_timeout_covers_the_whole_handshake(tmp_path: Any) -> None:
    path = str(tmp_path / "slow.sock")
    dribbler = Dribbler(path)
    began = time.monotonic()
    with pytest.raises(pymysql.OperationalError, match="timed out"):
        Connector(Config(unix_socket=path, connect_timeout=0.3))()
    assert 0.25 < time.monotonic() - began < 2
    dribbler.stop()


def test_the_timeouts_are_as_documented_unless_set() -> None:
    assert (Config().connect_timeout, Config().reading_timeout) == (10, 5)
    assert Config(query_timeout=2, read_timeout=9).reading_timeout == 9
    assert Config(query_timeout=None).writing_timeout is None


def test_the_remaining_connect_timeout_does_not_limit_queries(config: Config) -> None:
    connection = Connector(replace(config, connect_timeout=5.0, query_timeout=5.0))()
    connection.query("SELECT 1")
    assert connection._sock.gettimeout() == 5.0
    connection.close()


def test_a_query_beyond_its_timeout_fails_and_its_connection_is_closed(config: Config) -> None:
    with pool_of(replace(config, query_timeout=0.2), size=1) as pool:
        with pytest.raises(pymysql.OperationalError, match="timed out"), pool as connection:
            connection.query("SELECT SLEEP(3)")
        assert run(pool, "SELECT 1") == ((1,),)
        assert pool.stats().created == 2


# --- session state and units of work --------------------------------------------------------------


def test_a_session_reset_clears_variables_tables_and_locks(config: Config) -> None:
    set_up = "SET @mine = 'setup'"
    with pool_of(
        config, size=1, reset="session", setup=lambda connection: connection.query(set_up)
    ) as pool:
        leave = ("CREATE TEMPORARY TABLE x (i INT)", "SET SESSION sql_mode = ''")
        run(pool, "SET @mine = 7, @other = 8", "SELECT GET_LOCK('l', 1)", *leave)
        question = "SELECT @mine, @other, IS_FREE_LOCK('l'), @@sql_mode <> '', @@autocommit"
        assert run(pool, question) == (("setup", None, 1, 1, 0),)
        with pytest.raises(pymysql.ProgrammingError, match="doesn't exist"):
            run(pool, "SELECT * FROM x")
        assert run(pool, "SELECT @@character_set_client") == (("utf8mb4",),)
        assert pool.stats().created == 1


def test_validation_is_a_ping_and_a_killed_connection_fails_it(
    config: Config, server: Server, tenant: Tenant
) -> None:
    with pool_of(config, size=1, validate_after=0.0) as pool:
        assert run(pool, "SELECT 1") == ((1,),)
        for connection_id in server.connection_ids(tenant):
            server.kill_connection(connection_id)
        assert run(pool, "SELECT 2") == ((2,),)
        assert pool.stats().validation_failures == 1


@pytest.mark.parametrize("autocommit", [False, True])
def test_a_unit_of_work_is_all_or_nothing(config: Config, autocommit: bool) -> None:
    with pool_of(replace(config, autocommit=autocommit)) as pool:
        run(pool, "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB", "SELECT 1")
        with pytest.raises(pymysql.IntegrityError):
            run(pool, "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1)")
        assert run(pool, "SELECT * FROM t") == ()
        run(pool, "INSERT INTO t VALUES (1), (2)")
        assert len(run(pool, "SELECT * FROM t")) == 2


def test_optimistic_locking_loses_no_concurrent_update(config: Config) -> None:
    table = "CREATE TABLE t (id INT PRIMARY KEY, n INT, version INT) ENGINE=InnoDB"
    together = threading.Barrier(3)

    def update(pool: ConnectionPool) -> bool:
        try:
            with pool.transaction() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT n, version FROM t")
                ((n, version),) = cursor.fetchall()
                together.wait(DEADLINE)
                cursor.execute(
                    "UPDATE t SET n = %s, version = version + 1 WHERE version = %s",
                    (n + 1, version),
                )
                expect_one(cursor)
        except ConflictError:
            return False
        return True

    with pool_of(config) as pool, ThreadPoolExecutor(3) as executor:
        run(pool, table, "INSERT INTO t VALUES (1, 0, 0)")
        outcomes = [f.result() for f in [executor.submit(update, pool) for _ in range(3)]]
        assert sorted(outcomes) == [False, False, True]
        assert run(pool, "SELECT n, version FROM t") == ((1, 1),)


# --- the end of a pool, and of a server -----------------------------------------------------------


def test_a_connection_still_on_loan_at_the_end_of_a_drain_is_cut_off(
    config: Config, server: Server, tenant: Tenant
) -> None:
    pool = ConnectionPool(size=1, max_overflow=0, config=config)
    asking = threading.Event()
    errors: list[BaseException] = []

    def client() -> None:
        with pytest.raises(pymysql.OperationalError) as caught, pool as connection:
            asking.set()
            connection.query("SELECT SLEEP(4)")
        errors.append(caught.value)

    thread = threading.Thread(target=client)
    thread.start()
    assert asking.wait(DEADLINE)
    pool.close(drain=0.1)
    thread.join(DEADLINE)
    assert len(errors) == 1
    assert pool.stats().total_connections == 0
    assert becomes(lambda: not server.connection_ids(tenant))


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Callable[[], set[str]]:
    caplog.set_level(logging.INFO, "steadypool")
    return lambda: {vars(record)["event"] for record in caplog.records}


class Writer:
    """Inserts numbers; records the committed ones and all errors."""

    def __init__(self, pool: ConnectionPool, number: int, stop: threading.Event) -> None:
        self.committed: list[int] = []
        self.errors: list[BaseException] = []
        self._pool, self._next, self._stop = pool, number, stop

    def has_done(self, count: int) -> bool:
        return len(self.committed) >= count

    def work(self) -> None:
        while not self._stop.is_set():
            self._next += 1000
            try:
                run(self._pool, f"INSERT INTO t VALUES ({self._next})")
                self.committed.append(self._next)
            except Exception as error:
                self.errors.append(error)
                self._stop.wait(0.01)


def test_an_outage_under_load_is_detected_and_logged_and_ends(
    server: PrivateServer, config: Config, log: Callable[[], set[str]]
) -> None:
    with pool_of(config, size=5, max_overflow=5, timeout=10) as pool:
        run(pool, "CREATE TABLE t (id INT PRIMARY KEY) ENGINE=InnoDB")
        stop = threading.Event()
        writers = [Writer(pool, number, stop) for number in range(20)]
        threads = [threading.Thread(target=writer.work) for writer in writers]
        for thread in threads:
            thread.start()
        assert becomes(lambda: all(writer.committed for writer in writers))
        server.crash()
        assert becomes(lambda: pool.health().status is HealthStatus.UNHEALTHY)
        assert becomes(lambda: LogEvent.SERVER_UNAVAILABLE in log())
        server.restart()
        done = [len(writer.committed) for writer in writers]
        assert becomes(
            lambda: all(len(w.committed) > n for w, n in zip(writers, done, strict=True))
        )
        stop.set()
        for thread in threads:
            thread.join(DEADLINE)
        assert pool.health().is_healthy
        rows = {row for (row,) in run(pool, "SELECT id FROM t")}
        assert all(rows >= set(writer.committed) for writer in writers)
        assert log() >= {LogEvent.CONNECT_FAILED, LogEvent.SERVER_RECOVERED}
        stats = pool.stats()
        assert (stats.in_use, stats.waiting, stats.acquired) == (0, 0, stats.released)
    errors = [error for writer in writers for error in writer.errors]
    assert all(isinstance(error, ConnectionPoolError | pymysql.Error) for error in errors)


def test_health_reports_an_outage_and_the_pool_works_after_it(
    server: PrivateServer, config: Config
) -> None:
    with pool_of(config, size=2, connect_attempts=2) as pool:
        server.crash()
        assert becomes(lambda: pool.health().status is HealthStatus.UNHEALTHY)
        with pytest.raises(ConnectionFailedError):
            pool.acquire()
        server.restart()
        assert becomes(lambda: pool.health().is_healthy)
        assert run(pool, "SELECT 1") == ((1,),)
