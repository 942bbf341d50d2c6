"""On a real server, no borrower reads another's answer or finds another's session state."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pymysql
import pytest
from pymysql.constants import CLIENT, FIELD_TYPE

from steadypool import Config, Connection, ConnectionPool, Reset
from steadypool._core.entries import ConnectionState
from steadypool._drivers.dbapi import state

MakePool = Callable[..., ConnectionPool]


class Interrupt(BaseException):
    """Stands for the exception of a signal."""


@pytest.fixture
def make_pool(config: Config) -> Iterator[MakePool]:
    pools: list[ConnectionPool] = []

    def make(autocommit: bool = False, **options: Any) -> ConnectionPool:
        there = replace(config, autocommit=autocommit)
        settings: dict[str, Any] = {"size": 1, "max_overflow": 0, "timeout": 10, "config": there}
        pools.append(ConnectionPool(**(settings | options)))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def ask(connection: Any, *statements: str) -> Any:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return cursor.fetchall()


def interrupt_next_read(connection: Any) -> None:
    """Leave the server's next answer unread, as a signal before it would."""

    def interrupted(*_: object) -> None:
        del connection._read_packet
        raise Interrupt

    connection._read_packet = interrupted


@pytest.mark.parametrize("autocommit", [True, False])
@pytest.mark.parametrize("statement", ["SELECT 'another''s'", "SET @a = 1"])
def test_the_answer_to_an_interrupted_statement_reaches_no_borrower(
    make_pool: MakePool, statement: str, autocommit: bool
) -> None:
    pool = make_pool(autocommit)
    with pytest.raises(Interrupt), pool as connection:
        interrupt_next_read(connection)
        ask(connection, statement)
    with pool as another:
        assert ask(another, "SELECT 42") == ((42,),)
    assert pool.stats().closed == 1


@pytest.mark.parametrize("work", ["commit", "rollback", "ping", "show_warnings"])
def test_an_interrupted_call_closes_the_connection(make_pool: MakePool, work: str) -> None:
    pool = make_pool()
    with pytest.raises(Interrupt), pool as connection:
        ask(connection, "SELECT 1")
        interrupt_next_read(connection)
        getattr(connection, work)()
    assert pool.stats().total_connections == 0


def test_the_rollback_of_an_interrupted_unit_of_work_does_not_take_a_late_answer_for_its_own(
    make_pool: MakePool,
) -> None:
    pool = make_pool()
    with pytest.raises(Interrupt), pool.transaction() as connection:
        interrupt_next_read(connection)
        ask(connection, "SET @a = 1")
    assert pool.stats().total_connections == 0


def test_rows_after_an_undecodable_one_reach_no_borrower(make_pool: MakePool) -> None:
    def refuse(text: str) -> None:
        raise ValueError(text)

    pool = make_pool(autocommit=True)
    with pytest.raises(ValueError, match="1"), pool as connection:
        connection.decoders = connection.decoders | {FIELD_TYPE.LONG: refuse}
        ask(connection, "SELECT 1 UNION SELECT 2 UNION SELECT 3")
    with pool as another:
        assert ask(another, "SELECT 42") == ((42,),)


def test_answered_calls_leave_the_connection_clean(make_pool: MakePool) -> None:
    pool = make_pool()
    with pool as connection:
        ask(connection, "SELECT 1/0")
        connection.show_warnings()
        connection.set_character_set("latin1")
        with suppress(pymysql.MySQLError):
            connection.select_db("nowhere")
        connection.begin()
        connection.ping(reconnect=False)
        assert state(connection) is ConnectionState.IN_TRANSACTION
        connection.commit()
        assert state(connection) is ConnectionState.CLEAN
    assert pool.stats().pool_size == 1


def test_a_transaction_begun_by_a_failed_procedure_is_rolled_back(make_pool: MakePool) -> None:
    pool = make_pool(autocommit=True)
    with pool as connection:
        ask(connection, "CREATE TABLE work (id INT PRIMARY KEY) ENGINE=InnoDB")
        body = "START TRANSACTION; INSERT INTO work VALUES (1); SIGNAL SQLSTATE '45000';"
        ask(connection, f"CREATE PROCEDURE fail() BEGIN {body} END")
    with pytest.raises(pymysql.MySQLError), pool as connection:
        ask(connection, "CALL fail()")
    with pool as another:
        assert another is connection
        assert ask(another, "SELECT @@in_transaction, COUNT(*) FROM work") == ((0, 0),)


def test_the_last_of_several_statements_sent_together_determines_the_state(
    make_pool: MakePool, config: Config
) -> None:
    def connect() -> Connection:
        return Connection(
            unix_socket=config.unix_socket,
            host=config.host,
            port=config.port,
            user=config.user,
            password=config.password,
            database=config.database,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )

    pool = make_pool(config=None, connect=connect)
    with pool as connection, connection.cursor() as cursor:
        cursor.execute("COMMIT; SELECT * FROM information_schema.schemata")
        cursor.nextset()
        assert state(connection) is ConnectionState.IN_TRANSACTION


def test_a_session_reset_restores_the_initial_session_state(
    make_pool: MakePool, config: Config
) -> None:
    pool = make_pool(reset=Reset.SESSION)
    for _ in range(2):
        with pool as connection:
            found = ask(connection, "SELECT DATABASE(), @@autocommit, @@character_set_client")
            assert found == ((config.database, 0, "utf8mb4"),)
            connection.select_db("information_schema")
            connection.set_character_set("latin1")
            connection.autocommit(True)
    assert pool.stats().created == 1
