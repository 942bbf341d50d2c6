"""Server behaviour that pools and tests rely on: transactions, flags, counts, errors."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Any

import pymysql
import pytest
from pymysql.constants import SERVER_STATUS

from poolspec.servers import PrivateServer

Connection = pymysql.connections.Connection
Connect = Callable[..., "Connection[Any]"]


def run(connection: "Connection[Any]", sql: str) -> tuple[tuple[Any, ...], ...]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        return tuple(cursor.fetchall())


def in_transaction(connection: "Connection[Any]") -> bool:
    status: int = connection.server_status  # type: ignore[attr-defined]
    return bool(status & SERVER_STATUS.SERVER_STATUS_IN_TRANS)


@pytest.fixture
def table(connect: Connect) -> "Connection[Any]":
    connection = connect()
    run(connection, "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL UNIQUE)")
    return connection


def test_a_transaction_shows_in_the_status_until_it_ends(table: "Connection[Any]") -> None:
    assert not in_transaction(table)
    table.begin()
    assert in_transaction(table)
    run(table, "SELECT * FROM t")
    assert in_transaction(table)
    table.rollback()
    assert not in_transaction(table)


def test_without_autocommit_the_first_statement_opens_a_transaction(
    table: "Connection[Any]",
) -> None:
    table.autocommit(False)
    assert not table.get_autocommit()
    assert not in_transaction(table)
    run(table, "INSERT INTO t (n) VALUES (1)")
    assert in_transaction(table)
    table.commit()
    assert not in_transaction(table)


def test_a_rollback_undoes_and_a_commit_persists(
    table: "Connection[Any]", connect: Connect
) -> None:
    table.begin()
    run(table, "INSERT INTO t (n) VALUES (1)")
    table.rollback()
    table.begin()
    run(table, "INSERT INTO t (n) VALUES (2)")
    table.commit()
    assert run(connect(), "SELECT n FROM t") == ((2,),)


def test_uncommitted_work_is_invisible_to_others(
    table: "Connection[Any]", connect: Connect
) -> None:
    table.begin()
    run(table, "INSERT INTO t (n) VALUES (1)")
    assert run(connect(), "SELECT * FROM t") == ()
    assert len(run(table, "SELECT * FROM t")) == 1


def test_a_savepoint_undoes_later_work(table: "Connection[Any]") -> None:
    table.begin()
    run(table, "INSERT INTO t (n) VALUES (1)")
    run(table, "SAVEPOINT here")
    run(table, "INSERT INTO t (n) VALUES (2)")
    run(table, "ROLLBACK TO SAVEPOINT here")
    table.commit()
    assert run(table, "SELECT n FROM t") == ((1,),)


def test_counts_and_ids_come_with_the_reply(table: "Connection[Any]") -> None:
    with table.cursor() as cursor:
        assert cursor.execute("INSERT INTO t (n) VALUES (1), (2), (3)") == 3
        assert cursor.lastrowid == 1
        cursor.execute("INSERT INTO t (n) VALUES (4)")
        assert cursor.lastrowid == 4
        assert cursor.execute("UPDATE t SET n = n + 10 WHERE id > 2") == 2
        assert cursor.execute("DELETE FROM t") == 4
    assert run(table, "SELECT LAST_INSERT_ID()") == ((4,),)


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("INSERT INTO t (n) VALUES (1)", 1062),
        ("INSERT INTO t (n) VALUES (NULL)", 1048),
        ("INSERT INTO t VALUES (1)", 1136),
        ("SELECT * FROM nowhere", 1146),
        ("SELECT missing FROM t", 1054),
        ("SELEC 1", 1064),
        ("CREATE TABLE t (id INT)", 1050),
        ("DROP TABLE nowhere", 1051),
        ("SELECT @@no_such_variable", 1193),
        ("SET SESSION no_such_variable = 1", 1193),
        ("KILL 2147483647", 1094),
    ],
)
def test_a_refused_statement_carries_the_servers_number(
    table: "Connection[Any]", statement: str, number: int
) -> None:
    run(table, "INSERT INTO t (n) VALUES (1)")
    with pytest.raises(pymysql.err.MySQLError) as refused:
        run(table, statement)
    assert refused.value.args[0] == number
    assert run(table, "SELECT 1") == ((1,),)


def test_a_statement_without_a_database_is_refused(connect: Connect) -> None:
    with pytest.raises(pymysql.err.OperationalError) as refused:
        run(connect(database=None), "SELECT * FROM t")
    assert refused.value.args[0] == 1046


def test_foreign_keys_hold(connect: Connect) -> None:
    connection = connect()
    run(connection, "CREATE TABLE parent (id INT PRIMARY KEY)")
    run(
        connection,
        "CREATE TABLE child (id INT AUTO_INCREMENT PRIMARY KEY, parent_id INT NOT NULL, "
        "KEY by_parent (parent_id), "
        "CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parent (id)) ENGINE=InnoDB",
    )
    with pytest.raises(pymysql.err.IntegrityError) as orphan:
        run(connection, "INSERT INTO child (parent_id) VALUES (7)")
    assert orphan.value.args[0] == 1452
    run(connection, "INSERT INTO parent VALUES (7)")
    run(connection, "INSERT INTO child (parent_id) VALUES (7)")
    with pytest.raises(pymysql.err.IntegrityError) as parent:
        run(connection, "DELETE FROM parent")
    assert parent.value.args[0] == 1451


def test_generated_decimals_are_exact(connect: Connect) -> None:
    connection = connect()
    run(
        connection,
        "CREATE TABLE line (id INT AUTO_INCREMENT PRIMARY KEY, qty INT NOT NULL, "
        "unit_price DECIMAL(10,2) NOT NULL, discount DECIMAL(4,3) NOT NULL DEFAULT 0, "
        "total DECIMAL(12,2) GENERATED ALWAYS AS (qty * unit_price) STORED, "
        "final DECIMAL(12,2) AS (qty * unit_price * (1 - discount)) STORED, "
        "made DATETIME DEFAULT CURRENT_TIMESTAMP)",
    )
    run(connection, "INSERT INTO line (qty, unit_price, discount) VALUES (3, 0.10, 0.125)")
    run(connection, "INSERT INTO line (qty, unit_price) VALUES (1, 19.99)")
    ((total, final, made), _) = run(connection, "SELECT total, final, made FROM line ORDER BY id")
    assert (total, final) == (Decimal("0.30"), Decimal("0.26"))
    assert isinstance(made, datetime)
    ((summed, count),) = run(connection, "SELECT SUM(total), COUNT(*) FROM line")
    assert (summed, count) == (Decimal("20.29"), 2)


def test_an_upsert_and_a_replace_change_the_row(table: "Connection[Any]") -> None:
    run(table, "INSERT INTO t (id, n) VALUES (1, 5)")
    run(table, "INSERT INTO t (id, n) VALUES (1, 6) ON DUPLICATE KEY UPDATE n = VALUES(n) + 1")
    assert run(table, "SELECT n FROM t") == ((7,),)
    run(table, "REPLACE INTO t (id, n) VALUES (1, 9)")
    run(table, "INSERT IGNORE INTO t (id, n) VALUES (1, 10)")
    assert run(table, "SELECT n FROM t") == ((9,),)


def test_joins_and_aggregates_answer(table: "Connection[Any]") -> None:
    run(table, "CREATE TABLE u (t_id INT, label VARCHAR(10))")
    run(table, "INSERT INTO t (n) VALUES (10), (20)")
    run(table, "INSERT INTO u VALUES (1, 'a'), (1, 'b'), (2, 'c')")
    found = run(
        table,
        "SELECT t.n, COUNT(*) AS c, MAX(u.label) FROM t JOIN u ON u.t_id = t.id "
        "GROUP BY t.n HAVING COUNT(*) > 1 ORDER BY t.n LIMIT 5",
    )
    assert found == ((10, 2, "b"),)


def test_session_state_is_gone_after_a_reset(connect: Connect) -> None:
    connection = connect(autocommit=True)
    run(connection, "CREATE TABLE t (id INT)")
    run(connection, "SET @mark = 7, SESSION lock_wait_timeout = 11")
    run(connection, "CREATE TEMPORARY TABLE mine (id INT)")
    connection.begin()
    run(connection, "INSERT INTO t VALUES (1)")
    assert run(connection, "SELECT @mark, @@lock_wait_timeout") == ((7, 11),)
    connection._execute_command(31, b"")  # type: ignore[attr-defined]
    connection._read_ok_packet()  # type: ignore[attr-defined]
    assert not in_transaction(connection)
    assert run(connection, "SELECT @mark, @@lock_wait_timeout <> 11") == ((None, 1),)
    assert run(connection, "SELECT * FROM t") == ()
    with pytest.raises(pymysql.err.ProgrammingError):
        run(connection, "SELECT * FROM mine")


def test_a_sleeping_session_delays_no_other(
    server: PrivateServer, tenant: Any, connect: Connect
) -> None:
    sleeper, other = connect(), connect()
    number = run(sleeper, "SELECT CONNECTION_ID()")[0][0]
    failures: list[pymysql.err.MySQLError] = []

    def sleep() -> None:
        try:
            run(sleeper, "SELECT SLEEP(30)")
        except pymysql.err.MySQLError as error:
            failures.append(error)

    thread = threading.Thread(target=sleep)
    thread.start()
    in_sleep = f"SELECT COUNT(*) FROM information_schema.processlist WHERE ID = {number} "
    in_sleep += "AND COMMAND = 'Query' AND INFO LIKE 'SELECT SLEEP%'"
    deadline = time.monotonic() + 10
    while run(other, in_sleep) != ((1,),):
        assert time.monotonic() < deadline
    server.kill_connection(number)
    thread.join(10)
    assert not thread.is_alive()
    assert len(failures) == 1


def test_a_waiting_writer_continues_when_the_first_commits(
    table: "Connection[Any]", connect: Connect
) -> None:
    run(table, "INSERT INTO t (n) VALUES (1)")
    second, reader = connect(), connect()
    table.begin()
    run(table, "UPDATE t SET n = n + 1 WHERE id = 1")
    thread = threading.Thread(target=run, args=(second, "UPDATE t SET n = n + 1 WHERE id = 1"))
    thread.start()
    assert run(reader, "SELECT n FROM t") == ((1,),)
    table.commit()
    thread.join(10)
    second.commit()
    reader.rollback()
    assert run(reader, "SELECT n FROM t") == ((3,),)


def test_a_wait_for_a_lock_ends_with_its_number(table: "Connection[Any]", connect: Connect) -> None:
    run(table, "INSERT INTO t (n) VALUES (1)")
    second = connect()
    run(second, "SET SESSION innodb_lock_wait_timeout = 1")
    table.begin()
    run(table, "SELECT n FROM t WHERE id = 1 FOR UPDATE")
    with pytest.raises(pymysql.err.OperationalError) as late:
        run(second, "UPDATE t SET n = 5 WHERE id = 1")
    assert late.value.args[0] == 1205


def test_an_idle_connection_is_dropped_after_its_wait_timeout(
    server: PrivateServer, tenant: Any, connect: Connect
) -> None:
    connection = connect()
    run(connection, "SET SESSION wait_timeout = 1")
    deadline = time.monotonic() + 10
    while server.connection_ids(tenant):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_process_list_is_shown(connect: Connect) -> None:
    connection = connect()
    number = run(connection, "SELECT CONNECTION_ID()")[0][0]
    assert number in {row[0] for row in run(connection, "SHOW PROCESSLIST")}
    assert run(connection, "SHOW DATABASES")
    assert dict(run(connection, "SHOW VARIABLES LIKE 'autocommit'"))


def test_the_schema_can_be_queried(table: "Connection[Any]") -> None:
    found = run(
        table,
        "SELECT COLUMN_NAME, DATA_TYPE, IS_NULLABLE FROM information_schema.columns "
        "WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't' ORDER BY ORDINAL_POSITION",
    )
    assert [(row[0], row[2]) for row in found] == [("id", "NO"), ("n", "NO")]
    assert found[1][1] == "int"
    assert run(table, "SHOW TABLES") == (("t",),)


def test_the_database_can_be_changed_by_its_owner(connect: Connect, tenant: Any) -> None:
    connection = connect(database=None)
    connection.select_db(tenant.database)
    assert run(connection, "SELECT DATABASE()") == ((tenant.database,),)


def test_a_ping_is_answered(connect: Connect) -> None:
    connect().ping(reconnect=False)
