"""System variables: the ones that clients read and set, each with its default.

The variables with an effect are `autocommit`, `innodb_lock_wait_timeout`, `wait_timeout`
and, for the whole server, `max_connections` and `read_only`. The others are stored and returned.
"""

import sqlite3

from poolspec.servers.engine.faults import Code, SqlError

Value = int | float | str | None

VERSION = f"8.0.0-poolspec-embedded-{sqlite3.sqlite_version}"
_WORDS: dict[str, Value] = {"ON": 1, "TRUE": 1, "OFF": 0, "FALSE": 0, "NULL": None}
_DEFAULTS: dict[str, Value] = {
    "autocommit": 1,
    "auto_increment_increment": 1,
    "auto_increment_offset": 1,
    "character_set_client": "utf8mb4",
    "character_set_connection": "utf8mb4",
    "character_set_database": "utf8mb4",
    "character_set_results": "utf8mb4",
    "character_set_server": "utf8mb4",
    "collation_connection": "utf8mb4_general_ci",
    "collation_database": "utf8mb4_general_ci",
    "collation_server": "utf8mb4_general_ci",
    "default_storage_engine": "SQLite",
    "foreign_key_checks": 1,
    "group_concat_max_len": 1048576,
    "init_connect": "",
    "innodb_lock_wait_timeout": 50,
    "interactive_timeout": 28800,
    "license": "MIT",
    "lock_wait_timeout": 86400,
    "lower_case_table_names": 0,
    "max_allowed_packet": 16777215,
    "max_connections": 512,
    "max_execution_time": 0,
    "max_statement_time": 0,
    "net_read_timeout": 30,
    "net_write_timeout": 60,
    "performance_schema": 0,
    "read_only": 0,
    "sql_mode": "STRICT_TRANS_TABLES",
    "sql_safe_updates": 0,
    "system_time_zone": "UTC",
    "time_zone": "UTC",
    "transaction_isolation": "SERIALIZABLE",
    "transaction_read_only": 0,
    "tx_isolation": "SERIALIZABLE",
    "tx_read_only": 0,
    "unique_checks": 1,
    "version": VERSION,
    "version_comment": "poolspec embedded server",
    "wait_timeout": 28800,
}


class Variables:
    """A layer of values over another layer, or over the defaults."""

    def __init__(self, below: "Variables | None" = None) -> None:
        self._below = below
        self._values: dict[str, Value] = {}

    def get(self, name: str) -> Value:
        """Return a value; raises SqlError for an unknown name."""
        key = _known(name)
        if key in self._values:
            return self._values[key]
        return _DEFAULTS[key] if self._below is None else self._below.get(key)

    def number(self, name: str) -> float:
        """Return a value that is a number."""
        return float(self.get(name) or 0)

    def set(self, name: str, text: str) -> None:
        """Set a value as written in a SET statement."""
        key = _known(name)
        if text.upper() == "DEFAULT":
            self._values.pop(key, None)
            return
        value = _value(text)
        if isinstance(_DEFAULTS[key], int) and isinstance(value, str):
            raise SqlError(
                Code.WRONG_VALUE, f"Variable '{key}' can't be set to the value of '{value}'"
            )
        self._values[key] = value

    def clear(self) -> None:
        """Restore the defaults."""
        self._values.clear()

    def items(self) -> list[tuple[str, Value]]:
        """Return all names with their values."""
        return [(name, self.get(name)) for name in sorted(_DEFAULTS)]


def _known(name: str) -> str:
    key = name.lower()
    if key not in _DEFAULTS:
        raise SqlError(Code.UNKNOWN_VARIABLE, f"Unknown system variable '{name}'")
    return key


def _value(text: str) -> Value:
    if text[:1] in ("'", '"'):
        return text[1:-1]
    if text.upper() in _WORDS:
        return _WORDS[text.upper()]
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
