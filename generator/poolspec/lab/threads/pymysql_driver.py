"""How the lab uses the connections that an adapter for threads hands out: as PyMySQL's.

An asyncio adapter brings these methods itself.
"""

from collections.abc import Callable
from typing import Any

from poolspec.invariants import connection as physical
from poolspec.lab.contract import PoolAdapter, controls_of
from poolspec.lab.rows import Row

__tracebackhide__ = True  # a failure is shown where the test failed


class PyMySQLDriver:
    """Uses PyMySQL connections, and objects that pass on their methods."""

    def __init__(self, adapter: PoolAdapter) -> None:
        self._adapter = adapter

    def number_of(self, connection: Any) -> int:
        """Return a connection's number at the server."""
        if not hasattr(connection, "thread_id"):
            raise AssertionError(
                "acquire() of the adapter must return a PyMySQL connection, or an object that "
                f"passes on its methods: {type(connection).__name__} has no thread_id()"
            )
        return physical.number_of(connection)

    def watch(self, connection: Any, gone: Callable[[], None]) -> None:
        """Call `gone` when the connection's socket is closed."""
        physical.watch(connection, gone)

    def end(self, connection: Any) -> None:
        """Close a connection's socket at once."""
        physical.end(connection)

    def run(self, connection: Any, sql: str, params: tuple[Any, ...]) -> list[Row]:
        """Run a statement and return all rows."""
        with connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            return [tuple(row) for row in cursor.fetchall()]

    def change_one(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement; the pool raises a conflict unless it changes exactly one row."""
        with connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            controls_of(self._adapter).expect_one(cursor)

    def leave_unread(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement, and leave its rows for the server to send."""
        with connection.cursor() as cursor:
            connection.query(cursor.mogrify(sql, params or None), unbuffered=True)

    def commit(self, connection: Any) -> None:
        """Commit the connection's transaction."""
        connection.commit()

    def reconnect(self, connection: Any) -> None:
        """Connect again if the connection is lost, as `ping(reconnect=True)` does."""
        try:
            connection.ping(reconnect=False)  # PyMySQL deprecates True, which warns
        except Exception:
            connection.connect()
