"""Sessions from loan to loan: reconnects by the driver, modes, and read-only servers."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from pymysql.constants import CLIENT

from poolspec.servers import PrivateServer, Server, Tenant
from steadypool import (
    Config,
    Connection,
    ConnectionFailedError,
    ConnectionPool,
    Connector,
    EventKind,
    LogEvent,
    PoolEvent,
    Reset,
)
from steadypool._core.allowance import Allowance
from steadypool._core.entries import ConnectionState
from steadypool._drivers import session
from steadypool._drivers.dbapi import state
from steadypool.testing import VirtualClock

MakePool = Callable[..., ConnectionPool]
Connect = Callable[[], Any]


@pytest.fixture
def make_pool(config: Config) -> Iterator[MakePool]:
    pools: list[ConnectionPool] = []

    def make(**options: Any) -> ConnectionPool:
        settings: dict[str, Any] = {"size": 1, "max_overflow": 0, "timeout": 10, "config": config}
        pools.append(ConnectionPool(**(settings | options)))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()
        assert pool.stats().pool_size == 0


@pytest.fixture
def plain(tenant: Tenant) -> Connect:
    """Opens connections of PyMySQL itself."""

    def connect() -> Any:
        return pymysql.connect(
            unix_socket=tenant.address.unix_socket,
            user=tenant.user,
            password=tenant.password,
            database=tenant.database,
        )

    return connect


@pytest.fixture
def table(config: Config) -> None:
    connection = Connector(config)()
    ask(connection, "CREATE TABLE t (n INT)")
    connection.close()


def ask(connection: Any, *statements: str) -> Any:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall()


def mark(connection: Any) -> None:
    ask(connection, "SET @set_up = 1")


def is_set_up(connection: Any) -> bool:
    return bool(ask(connection, "SELECT @set_up = 1") == ((1,),))


def reconnect(connection: Any) -> None:
    """Let PyMySQL connect again, as programs do that do not trust their connection."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        connection.ping(reconnect=True)


@contextmanager
def read_only(server: Server) -> Iterator[None]:
    assert isinstance(server, PrivateServer)
    server.refuse_writes(True)
    try:
        yield
    finally:
        server.refuse_writes(False)


# --- reconnects ----------------------------------------------------------------------------------


def test_a_reconnected_connection_stays_in_a_pool_without_setup(
    make_pool: MakePool, server: Server
) -> None:
    pool = make_pool()
    with pool as first:
        server.kill_connection(first.thread_id())
        reconnect(first)
    with pool as second:
        assert second is first
    assert pool.stats().created == 1


def test_a_connection_of_another_driver_that_reconnected_is_closed(
    make_pool: MakePool, server: Server, plain: Connect
) -> None:
    pool = make_pool(connect=plain, config=None)
    with pool as first:
        server.kill_connection(first.thread_id())
        reconnect(first)
    with pool as second:
        assert second is not first
    assert (pool.stats().created, pool.stats().closed) == (2, 1)


@pytest.mark.parametrize("reset", Reset)
def test_a_session_that_replaced_a_live_one_is_noticed(make_pool: MakePool, reset: Reset) -> None:
    pool = make_pool(setup=mark, reset=reset)
    with pool as connection:
        connection.connect()
        assert not is_set_up(connection)
    with pool as connection:
        assert is_set_up(connection)


@pytest.mark.parametrize("reset", Reset)
def test_a_session_that_the_borrower_reset_is_noticed(make_pool: MakePool, reset: Reset) -> None:
    pool = make_pool(setup=mark, reset=reset)
    with pool as connection:
        connection.reset_session()
        assert not is_set_up(connection)
    with pool as connection:
        assert is_set_up(connection)


def test_a_session_reset_keeps_the_connection_and_sets_it_up(make_pool: MakePool) -> None:
    pool = make_pool(setup=mark, reset=Reset.SESSION)
    for _ in range(3):
        with pool as connection:
            assert is_set_up(connection)
    assert pool.stats().created == 1


class Numbered:
    """A connection of some driver that reconnects behind the pool's back."""

    def __init__(self) -> None:
        self.number = 1

    def thread_id(self) -> int:
        return self.number

    def rollback(self) -> None:
        """End nothing."""

    def close(self) -> None:
        """Close nothing."""


@pytest.mark.parametrize("reset", Reset)
def test_a_reconnect_of_any_driver_shows_in_the_number_at_the_server(
    make_pool: MakePool, reset: Reset
) -> None:
    pool = make_pool(connect=Numbered, config=None, reset=reset)
    with pool as first:
        pass
    with pool as again:
        assert again is first
        again.number = 2
    with pool as second:
        assert second is not first


def test_a_reconnect_leaves_no_second_connection_at_the_server(
    make_pool: MakePool, server: Server, tenant: Tenant
) -> None:
    pool = make_pool()
    with pool as connection:
        before = connection.thread_id()
        connection.connect()
        assert connection.thread_id() != before
        ask(connection, "DO SLEEP(0.1)")  # the server notices a closed socket a moment later
        assert server.connection_ids(tenant) == {connection.thread_id()}


def test_a_session_reset_restores_the_first_settings_after_a_reconnect(
    make_pool: MakePool, config: Config
) -> None:
    pool = make_pool(reset=Reset.SESSION)
    with pool as first:
        first.autocommit(True)
        first.set_character_set("latin1")
        first.connect()
    with pool as second:
        assert second is first
        found = ask(second, "SELECT DATABASE(), @@autocommit, @@character_set_client")
        assert found == ((config.database, 0, "utf8mb4"),)


def test_a_transaction_begun_after_a_reconnect_is_rolled_back(
    make_pool: MakePool, table: None
) -> None:
    pool = make_pool()
    with pool as first:
        first.connect()
        ask(first, "INSERT INTO t VALUES (1)")
    with pool as second:
        assert second is first
        assert ask(second, "SELECT COUNT(*) FROM t") == ((0,),)


def test_without_a_reset_a_transaction_begun_after_a_reconnect_stays(
    make_pool: MakePool, table: None
) -> None:
    pool = make_pool(reset=Reset.NONE)
    with pool as first:
        first.connect()
        ask(first, "INSERT INTO t VALUES (1)")
    with pool as second:
        assert second is first
        assert ask(second, "SELECT COUNT(*) FROM t") == ((1,),)


def test_the_driver_connects_again_over_the_unix_socket(
    config: Config, make_pool: MakePool
) -> None:
    unreachable = replace(config, host="127.0.0.1", port=1)
    assert unreachable.unix_socket
    with make_pool(config=unreachable) as connection:
        connection.connect()
        assert ask(connection, "SELECT 1") == ((1,),)


def test_the_driver_connects_again_over_tcp_with_the_same_limits(
    config: Config, make_pool: MakePool
) -> None:
    over_tcp = replace(config, unix_socket=None, query_timeout=0.2)
    with make_pool(config=over_tcp) as connection:
        connection.connect()
        with pytest.raises(pymysql.err.OperationalError, match="timed out"):
            ask(connection, "SELECT SLEEP(5)")


def test_a_failed_reconnect_closes_the_connection_and_skews_no_count(
    make_pool: MakePool, server: Server
) -> None:
    pool = make_pool(setup=mark)
    assert isinstance(server, PrivateServer)
    connection = pool.acquire()
    server.crash()
    with pytest.raises(pymysql.err.OperationalError):
        connection.connect()
    pool.release(connection)
    server.restart()
    with pool as another:
        assert is_set_up(another)
    stats = pool.stats()
    assert (stats.created, stats.closed, stats.in_use) == (2, 1, 0)


def test_setup_runs_once_more_if_the_driver_reconnects_in_it(
    make_pool: MakePool, server: Server
) -> None:
    calls = []

    def setup(connection: Any) -> None:
        mark(connection)
        calls.append(connection.thread_id())
        if len(calls) == 1:
            server.kill_connection(connection.thread_id())
        reconnect(connection)

    with make_pool(setup=setup) as connection:
        assert is_set_up(connection)
        assert calls[-1] == connection.thread_id()
    assert len(calls) == 2


@pytest.mark.parametrize("driver", ["own", "plain"])
def test_a_setup_that_reconnects_each_time_is_refused(
    make_pool: MakePool, plain: Connect, driver: str
) -> None:
    def setup(connection: Any) -> None:
        connection.close()
        connection.connect()

    way = {"connect": plain, "config": None} if driver == "plain" else {}
    pool = make_pool(setup=setup, min_size=0, **way)
    with pytest.raises(ConnectionFailedError, match=r"setup hook .* do not let the hook reconnect"):
        pool.acquire()
    assert pool.stats().total_connections == 0


@pytest.mark.parametrize("driver", ["own", "plain"])
def test_an_on_acquire_hook_that_reconnects_a_new_connection_is_refused(
    make_pool: MakePool, plain: Connect, driver: str
) -> None:
    def prepare(connection: Any) -> None:
        connection.close()
        connection.connect()

    way = {"connect": plain, "config": None} if driver == "plain" else {}
    pool = make_pool(setup=mark, on_acquire=prepare, min_size=0, **way)
    with pytest.raises(ConnectionFailedError, match=r"on_acquire hook .* do not let the hook"):
        pool.acquire()
    assert pool.stats().total_connections == 0


def test_without_setup_an_on_acquire_hook_may_reconnect(make_pool: MakePool) -> None:
    def prepare(connection: Any) -> None:
        connection.connect()

    pool = make_pool(on_acquire=prepare)
    for _ in range(2):
        with pool as connection:
            assert ask(connection, "SELECT 1") == ((1,),)
    assert pool.stats().created == 1


# --- modes of the next transaction ---------------------------------------------------------------

SETS_MODE = [
    "SET TRANSACTION READ ONLY",
    "set transaction read only;",
    "\n\t SET  TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
    "/* why */ SET TRANSACTION READ ONLY",
    "-- why\nSET TRANSACTION READ ONLY",
    "# why\nSET TRANSACTION READ ONLY",
    "SET/**/TRANSACTION/**/READ/**/ONLY",
    "/*! SET TRANSACTION READ ONLY */",
    "/*M!100100 SET TRANSACTION READ ONLY */",
    "SET @@tx_read_only = 1",
    "SET @a = 1, @@tx_read_only = ON",
    "SET @@`tx_read_only` = 1",
    "EXECUTE IMMEDIATE 'SET TRANSACTION READ ONLY'",
    "EXECUTE IMMEDIATE CONCAT('SET TRANS', 'ACTION READ ONLY')",
    "BEGIN NOT ATOMIC SET TRANSACTION READ ONLY; END",
    "BEGIN NOT ATOMIC EXECUTE IMMEDIATE CONCAT('SET TRANS', 'ACTION READ ONLY'); END",
]


@pytest.mark.parametrize("autocommit", [True, False])
@pytest.mark.parametrize("statement", SETS_MODE)
def test_a_mode_for_the_next_transaction_ends_with_the_loan(
    make_pool: MakePool, config: Config, table: None, statement: str, autocommit: bool
) -> None:
    pool = make_pool(config=replace(config, autocommit=autocommit))
    with pool as connection:
        ask(connection, statement)
        assert state(connection) is ConnectionState.IN_TRANSACTION
    with pool as again:
        assert again is connection
        ask(again, "INSERT INTO t VALUES (1)")


def test_a_mode_in_one_of_several_statements_ends_with_the_loan(
    make_pool: MakePool, tenant: Tenant, table: None
) -> None:
    def connect() -> Connection:
        return Connection(
            unix_socket=tenant.address.unix_socket,
            user=tenant.user,
            password=tenant.password,
            database=tenant.database,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )

    pool = make_pool(connect=connect, config=None)
    with pool as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1; SET TRANSACTION READ ONLY")
        while cursor.nextset():
            pass
    with pool as again:
        assert again is connection
        ask(again, "INSERT INTO t VALUES (1)")


@pytest.mark.parametrize("then", ["SELECT 1", "SET @a = 1", "SHOW WARNINGS"])
def test_a_mode_stays_in_doubt_after_other_statements(
    make_pool: MakePool, config: Config, table: None, then: str
) -> None:
    pool = make_pool(config=replace(config, autocommit=True))
    with pool as connection:
        ask(connection, "SET TRANSACTION READ ONLY", then)
        connection.select_db(config.database)
    with pool as again:
        ask(again, "INSERT INTO t VALUES (1)")


def test_a_mode_that_a_stored_procedure_sets_ends_with_the_loan(
    make_pool: MakePool, config: Config, table: None
) -> None:
    pool = make_pool(config=replace(config, autocommit=True))
    with pool as connection:
        ask(connection, "CREATE PROCEDURE quiet() SET TRANSACTION READ ONLY")
        with connection.cursor() as cursor:
            cursor.callproc("quiet")
    with pool as again:
        ask(again, "INSERT INTO t VALUES (1)")


def test_a_session_reset_clears_a_mode_that_a_stored_function_set(
    make_pool: MakePool, config: Config, table: None
) -> None:
    pool = make_pool(config=replace(config, autocommit=True), reset=Reset.SESSION)
    with pool as connection:
        ask(
            connection,
            "CREATE FUNCTION quiet() RETURNS INT BEGIN SET TRANSACTION READ ONLY; RETURN 1; END",
            "COMMIT",
            "SELECT quiet()",
        )
        assert state(connection) is ConnectionState.CLEAN  # a SELECT does not show what it calls
    with pool as again:
        assert again is connection
        ask(again, "INSERT INTO t VALUES (1)")


def test_a_plain_connection_is_rolled_back_although_it_reports_no_transaction(
    make_pool: MakePool, plain: Connect, table: None
) -> None:
    pool = make_pool(connect=plain, config=None)
    with pool as connection:
        connection.autocommit(True)
        ask(connection, "SET TRANSACTION READ ONLY", "SELECT 1")
    with pool as again:
        assert again is connection
        ask(again, "INSERT INTO t VALUES (1)")


def test_a_mode_that_a_hook_leaves_behind_does_not_reach_the_borrower(
    make_pool: MakePool, table: None
) -> None:
    pool = make_pool(setup=lambda connection: ask(connection, "SET TRANSACTION READ ONLY"))
    with pool as connection:
        ask(connection, "INSERT INTO t VALUES (1)")


@pytest.mark.parametrize(
    "statements",
    [
        ["SELECT 1"],
        ["SELECT 'transaction', 'call'"],
        ["INSERT INTO t VALUES (1)", "SELECT * FROM t"],
        ["SET @a = 1", "SET NAMES utf8mb4"],
        ["SET TRANSACTION READ ONLY", "COMMIT"],
        ["SET TRANSACTION READ ONLY", " rollback work ; "],
        ["START TRANSACTION", "INSERT INTO t VALUES (1)", "COMMIT"],
    ],
)
def test_a_connection_without_a_mode_is_clean(
    make_pool: MakePool, config: Config, table: None, statements: list[str]
) -> None:
    pool = make_pool(config=replace(config, autocommit=True))
    with pool as connection:
        ask(connection, *statements)
        assert state(connection) is ConnectionState.CLEAN


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_the_methods_that_end_a_transaction_end_the_doubt(
    make_pool: MakePool, table: None, end: str
) -> None:
    with make_pool() as connection:
        ask(connection, "SET TRANSACTION READ ONLY")
        getattr(connection, end)()
        assert state(connection) is ConnectionState.CLEAN
        ask(connection, "INSERT INTO t VALUES (1)")


# --- read-only servers ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (pymysql.OperationalError(1290, "running with the --read-only option so it"), True),
        (pymysql.OperationalError(1290, "running with the --super-read-only option so it"), True),
        (pymysql.OperationalError(1290, "running with the --read_only=ON option"), True),
        (pymysql.OperationalError(1290, "running with the --secure-file-priv option"), False),
        (pymysql.InternalError(1836, "Running in read-only mode"), True),
        (pymysql.InternalError(1874, "InnoDB is in read only mode."), True),
        (pymysql.OperationalError(1792, "Cannot execute in a READ ONLY transaction"), False),
        (pymysql.OperationalError(1036, "Table 't' is read only"), False),
        (pymysql.OperationalError(), False),
        (ValueError("read-only"), False),
    ],
)
def test_the_errors_of_a_read_only_server_are_known(error: Exception, expected: bool) -> None:
    assert session.shows_read_only(error) is expected


def test_the_error_that_another_was_raised_from_counts() -> None:
    error = LookupError("no order was saved")
    error.__context__ = KeyError("order")
    error.__context__.__cause__ = pymysql.InternalError(1836, "Running in read-only mode")
    assert session.shows_read_only(error)
    lonely = ValueError()
    lonely.__context__ = lonely
    assert not session.shows_read_only(lonely)
    assert not session.shows_read_only(None)


@pytest.mark.parametrize("way", ["with", "connection", "transaction", "raised from"])
def test_a_block_on_plain_connections_leaves_a_read_only_server(
    make_pool: MakePool, server: Server, plain: Connect, table: None, way: str
) -> None:
    pool = make_pool(size=3, connect=plain, config=None)
    held = pool.acquire()
    kinds = {"connection": pool.connection, "transaction": pool.transaction}
    block = kinds.get(way, lambda: pool)
    with read_only(server), pytest.raises((pymysql.Error, LookupError)), block() as refused:
        try:
            ask(refused, "INSERT INTO t VALUES (1)")
        except pymysql.Error as error:
            raise (LookupError("not saved") if way == "raised from" else error) from error
    assert pool.stats().total_connections == 1  # all but the one on loan
    pool.release(held)
    assert pool.stats().total_connections == 0
    with pool as another:
        ask(another, "INSERT INTO t VALUES (1)")


def test_the_error_of_another_pools_connection_does_not_empty_a_pool(
    make_pool: MakePool, server: Server, table: None
) -> None:
    outer, inner = make_pool(size=2), make_pool()
    with read_only(server), suppress(pymysql.Error), outer, inner as refused:
        ask(refused, "INSERT INTO t VALUES (1)")
    assert (outer.stats().closed, inner.stats().closed) == (0, 1)


def test_the_refused_connection_is_closed_as_dirty_and_the_idle_one_as_cleared(
    make_pool: MakePool, server: Server, table: None
) -> None:
    reasons: list[str] = []

    def listen(event: PoolEvent) -> None:
        if event.kind is EventKind.CONNECTION_CLOSED:
            reasons.append(str(event.reason))

    pool = make_pool(size=2, listeners=[listen])
    with read_only(server), pool as refused, suppress(pymysql.Error):
        ask(refused, "INSERT INTO t VALUES (1)")
    assert sorted(reasons) == ["dirty", "pool_cleared"]


def test_an_on_acquire_hook_that_is_refused_empties_the_pool(
    make_pool: MakePool, server: Server, table: None
) -> None:
    def prepare(connection: Any) -> None:
        ask(connection, "INSERT INTO t VALUES (1)")

    pool = make_pool(size=3, on_acquire=prepare)
    with read_only(server), pytest.raises(pymysql.Error):
        pool.acquire()
    assert pool.stats().total_connections == 0
    with pool as connection:
        assert ask(connection, "SELECT COUNT(*) FROM t") == ((1,),)


def test_a_read_only_server_is_logged(
    make_pool: MakePool, server: Server, table: None, caplog: pytest.LogCaptureFixture
) -> None:
    pool = make_pool()
    with read_only(server), pool as refused, suppress(pymysql.Error):
        ask(refused, "INSERT INTO t VALUES (1)")
    (record,) = caplog.records
    assert vars(record)["event"] == LogEvent.SERVER_READ_ONLY
    assert "read-only" in record.getMessage()


def test_on_a_server_that_stays_read_only_the_pool_keeps_its_other_connections(
    make_pool: MakePool, server: Server, table: None
) -> None:
    pool = make_pool(size=3, clock=VirtualClock())
    with read_only(server):
        for _ in range(5):
            held = [pool.acquire() for _ in range(3)]
            with suppress(pymysql.Error):
                ask(held[0], "INSERT INTO t VALUES (1)")
            for connection in held[1:]:
                pool.release(connection)
            pool.release(held[0])
    # It was emptied three times; then it only closed the connections that were refused.
    assert (pool.stats().created, pool.stats().closed) == (3 * 4 + 1, 3 * 3 + 2)


def test_the_allowance_grows_back_with_time() -> None:
    allowance = Allowance()
    assert [allowance.spend(100.0) for _ in range(4)] == [True, True, True, False]
    assert not allowance.spend(100.9)
    assert allowance.spend(101.0)
    assert not allowance.spend(101.5)
    assert [allowance.spend(500.0) for _ in range(4)] == [True, True, True, False]
