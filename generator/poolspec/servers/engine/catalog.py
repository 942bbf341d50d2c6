"""information_schema: tables made for one query, from the current state.

processlist        the connections; users other than the administrator see only their own
schemata, tables, columns, key_column_usage
                   the databases that the user may use
session_variables, session_status
"""

import re
import sqlite3
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from poolspec.servers.engine.accounts import ADMIN
from poolspec.servers.engine.session import Hub, Session

Row = tuple[Any, ...]


class Roster(Hub, Protocol):
    """A server that lists its connections."""

    last_id: int
    """The number of the client that connected last."""

    def sessions(self) -> Iterable[Session]:
        """Return the sessions of all connected clients."""


def open_catalog(roster: Roster, viewer: Session, sql: str) -> sqlite3.Connection:
    """Return a database in memory that holds the tables which the statement mentions."""
    catalog = sqlite3.connect(":memory:", isolation_level=None)
    words = {word.lower() for word in re.findall(r"\w+", sql)}
    for name, (columns, rows) in _TABLES.items():
        if name in words:
            catalog.execute(f"CREATE TABLE {name} ({columns})")
            marks = ", ".join("?" * len(columns.split(",")))
            catalog.executemany(f"INSERT INTO {name} VALUES ({marks})", rows(roster, viewer))
    for name, function in viewer.functions().items():
        catalog.create_function(name, -1, function)
    return catalog


def _processes(roster: Roster, viewer: Session) -> Iterable[Row]:
    now = time.monotonic()
    for session in roster.sessions():
        if viewer.user in (ADMIN, session.user):
            yield (
                session.connection_id,
                session.user or "unauthenticated user",
                "localhost",
                session.database,
                "Sleep" if session.statement is None else "Query",
                int(now - session.since),
                session.state,
                session.statement,
            )


def _schemata(roster: Roster, viewer: Session) -> Iterable[Row]:
    for name in ("information_schema", *roster.accounts.databases(viewer.user)):
        yield "def", name, "utf8mb4", "utf8mb4_general_ci"


def _tables(roster: Roster, viewer: Session) -> Iterable[Row]:
    for database, _, table in _all_tables(roster, viewer):
        yield "def", database, table, "BASE TABLE", "SQLite"


def _columns(roster: Roster, viewer: Session) -> Iterable[Row]:
    for database, sqlite, table in _all_tables(roster, viewer):
        counts = "AUTOINCREMENT" in _definition(sqlite, table).upper()
        found = sqlite.execute(f'PRAGMA table_xinfo("{table}")').fetchall()
        for number, name, declared, not_null, default, primary, hidden in found:
            kind = "bigint" if primary and counts else declared.lower()
            nullable = "NO" if not_null or primary else "YES"
            extra = {2: "VIRTUAL GENERATED", 3: "STORED GENERATED"}.get(hidden, "")
            extra = "auto_increment" if primary and counts else extra
            base = re.split(r"[( ]", kind)[0]
            length = re.search(r"char\((\d+)\)", kind)
            scale = re.search(r"\((\d+), ?(\d+)\)", kind)
            yield (
                *("def", database, table, name, number + 1, default, nullable, base),
                *(int(length[1]) if length else None,),
                *((int(scale[1]), int(scale[2])) if scale else (None, None)),
                *(kind.replace(", ", ","), "PRI" if primary else "", extra),
            )


def _keys(roster: Roster, viewer: Session) -> Iterable[Row]:
    for database, sqlite, table in _all_tables(roster, viewer):
        for column in sqlite.execute(f'PRAGMA table_info("{table}")').fetchall():
            if column[5]:
                yield database, "PRIMARY", database, table, column[1], None, None, None
        for key in sqlite.execute(f'PRAGMA foreign_key_list("{table}")').fetchall():
            name = f"{table}_ibfk_{key[0] + 1}"
            yield database, name, database, table, key[3], database, key[2], key[4] or "id"


def _all_tables(roster: Roster, viewer: Session) -> Iterable[tuple[str, sqlite3.Connection, str]]:
    for database in roster.accounts.databases(viewer.user):
        path = roster.accounts.open_database(viewer.user, database)
        sqlite = sqlite3.connect(path)
        try:
            for (table,) in sqlite.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' "
                "ESCAPE '!' ORDER BY name"
            ).fetchall():
                yield database, sqlite, table
        finally:
            sqlite.close()


def _definition(sqlite: sqlite3.Connection, table: str) -> str:
    (sql,) = sqlite.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return str(sql)


def _variables(_: Roster, viewer: Session) -> Iterable[Row]:
    return viewer.variables.items()


def _status(roster: Roster, _: Session) -> Iterable[Row]:
    sessions = list(roster.sessions())
    yield "Threads_connected", str(len(sessions))
    yield "Threads_running", str(sum(session.statement is not None for session in sessions))
    yield "Connections", str(roster.last_id)


_TABLES: dict[str, tuple[str, Callable[[Roster, Session], Iterable[Row]]]] = {
    "processlist": ("ID, USER, HOST, DB, COMMAND, TIME, STATE, INFO", _processes),
    "schemata": (
        "CATALOG_NAME, SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME",
        _schemata,
    ),
    "tables": ("TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE", _tables),
    "columns": (
        "TABLE_CATALOG, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_DEFAULT, "
        "IS_NULLABLE, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH, NUMERIC_PRECISION, NUMERIC_SCALE, "
        "COLUMN_TYPE, COLUMN_KEY, EXTRA",
        _columns,
    ),
    "key_column_usage": (
        "CONSTRAINT_SCHEMA, CONSTRAINT_NAME, TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, "
        "REFERENCED_TABLE_SCHEMA, REFERENCED_TABLE_NAME, REFERENCED_COLUMN_NAME",
        _keys,
    ),
    "session_variables": ("VARIABLE_NAME, VARIABLE_VALUE", _variables),
    "session_status": ("VARIABLE_NAME, VARIABLE_VALUE", _status),
}
