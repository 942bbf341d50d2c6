"""Errors of the MySQL protocol: a number, an SQLSTATE and a message."""

import sqlite3
from enum import IntEnum


class Code(IntEnum):
    """The error numbers this server uses."""

    TOO_MANY_CONNECTIONS = 1040
    DATABASE_DENIED = 1044
    ACCESS_DENIED = 1045
    NO_DATABASE = 1046
    UNKNOWN_COMMAND = 1047
    NOT_NULL = 1048
    UNKNOWN_DATABASE = 1049
    TABLE_EXISTS = 1050
    UNKNOWN_TABLE = 1051
    UNKNOWN_COLUMN = 1054
    DUPLICATE_KEY = 1062
    SYNTAX = 1064
    UNKNOWN_THREAD = 1094
    NOT_OWNER = 1095
    SHUTDOWN = 1053
    OTHER = 1105
    COLUMN_COUNT = 1136
    NO_SUCH_TABLE = 1146
    UNKNOWN_VARIABLE = 1193
    LOCK_TIMEOUT = 1205
    DATABASE_EXISTS = 1007
    USER_LIMIT_REACHED = 1226
    PRIVILEGE = 1227
    WRONG_VALUE = 1231
    NOT_SUPPORTED = 1235
    UNKNOWN_NAME = 1305
    OPTION_PREVENTS = 1290
    INTERRUPTED = 1317
    USER_EXISTS = 1396
    PARENT_HAS_CHILDREN = 1451
    NO_PARENT = 1452
    PLUGIN_NOT_LOADED = 1524
    PASSWORD_EXPIRED = 1862
    ACCOUNT_LOCKED = 4151
    CHECK = 3819
    KILLED = 1927
    INACTIVE = 4031


_STATES = {
    Code.TOO_MANY_CONNECTIONS: "08004",
    Code.ACCESS_DENIED: "28000",
    Code.NO_DATABASE: "3D000",
    Code.UNKNOWN_COMMAND: "08S01",
    Code.NOT_NULL: "23000",
    Code.DUPLICATE_KEY: "23000",
    Code.PARENT_HAS_CHILDREN: "23000",
    Code.NO_PARENT: "23000",
    Code.NO_SUCH_TABLE: "42S02",
    Code.UNKNOWN_TABLE: "42S02",
    Code.TABLE_EXISTS: "42S01",
    Code.UNKNOWN_COLUMN: "42S22",
    Code.INTERRUPTED: "70100",
    Code.KILLED: "70100",
    Code.SHUTDOWN: "08S01",
    Code.COLUMN_COUNT: "21S01",
}
_GENERAL = {
    Code.OTHER,
    Code.LOCK_TIMEOUT,
    Code.UNKNOWN_THREAD,
    Code.DATABASE_EXISTS,
    Code.CHECK,
    Code.PLUGIN_NOT_LOADED,
    Code.PASSWORD_EXPIRED,
    Code.ACCOUNT_LOCKED,
    Code.INACTIVE,
}


class SqlError(Exception):
    """A statement or a client was refused."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def state(self) -> str:
        """The SQLSTATE that goes with the number."""
        return _STATES.get(self.code, "HY000" if self.code in _GENERAL else "42000")


# SQLite's message, and MySQL's error for it; the first match counts.
_MEANINGS = (
    ("UNIQUE constraint failed", Code.DUPLICATE_KEY),
    ("NOT NULL constraint failed", Code.NOT_NULL),
    ("CHECK constraint failed", Code.CHECK),
    ("no such table", Code.NO_SUCH_TABLE),
    ("no such column", Code.UNKNOWN_COLUMN),
    ("has no column named", Code.UNKNOWN_COLUMN),
    ("already exists", Code.TABLE_EXISTS),
    ("columns but", Code.COLUMN_COUNT),
    (" values for ", Code.COLUMN_COUNT),
    ("no such savepoint", Code.UNKNOWN_NAME),
    ("no such function", Code.UNKNOWN_NAME),
    ("syntax error", Code.SYNTAX),
    ("unrecognized token", Code.SYNTAX),
    ("incomplete input", Code.SYNTAX),
    ("locked", Code.LOCK_TIMEOUT),
)


def from_sqlite(error: sqlite3.Error, *, database: str, verb: str) -> SqlError:
    """Translate SQLite's error; `verb` is the statement's first word."""
    said = str(error)
    if "FOREIGN KEY constraint failed" in said:
        code = Code.PARENT_HAS_CHILDREN if verb == "DELETE" else Code.NO_PARENT
        return SqlError(code, "Cannot add, change or delete a row: a foreign key constraint fails")
    code = next((code for words, code in _MEANINGS if words in said), Code.OTHER)
    detail = said.rpartition(": ")[2]
    if code is Code.NO_SUCH_TABLE:
        if verb == "DROP":
            return SqlError(Code.UNKNOWN_TABLE, f"Unknown table '{database}.{detail}'")
        return SqlError(code, f"Table '{database}.{detail}' doesn't exist")
    if code is Code.DUPLICATE_KEY:
        return SqlError(code, f"Duplicate entry for key '{detail}'")
    if code is Code.NOT_NULL:
        return SqlError(code, f"Column '{detail.rpartition('.')[2]}' cannot be null")
    if code is Code.UNKNOWN_COLUMN:
        return SqlError(code, f"Unknown column '{detail}'")
    return SqlError(code, said)
