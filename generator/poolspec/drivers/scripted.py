"""Scripted connections for threads, in the shape of PyMySQL's.

They accept any statement, and fail, wait and hang in each of their calls as the test has planned.
Some of their attributes are those of other drivers, for pools that ask any connection for its
state: `closed`, `in_transaction`, `fileno` and `reset_session`.
"""

import re
from collections.abc import Sequence
from types import ModuleType
from typing import Any

from poolspec.drivers.contract import Clock, Planned
from poolspec.drivers.links import Link, Links
from poolspec.drivers.plan import Plan
from poolspec.vocabulary import Call

ERRORS = (
    "Warning",
    "Error",
    "InterfaceError",
    "DatabaseError",
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
)
"""The exceptions that are attributes of a connection, an optional part of DB-API."""
IN_TRANSACTION, AUTOCOMMIT = 0x0001, 0x0002
"""Flags of the status that a server of MySQL's protocol sends."""
_CONSTANT = re.compile(r"\s*SELECT (\d+)\s*;?\s*", re.IGNORECASE)


def rows_of(statement: object) -> list[tuple[Any, ...]]:
    """Return the rows of a statement: one for `SELECT 1`, none for any other."""
    found = _CONSTANT.fullmatch(str(statement))
    return [(int(found[1]),)] if found else []


def perform(plan: Plan, clock: Clock) -> None:
    """Wait, hang and fail as planned."""
    if plan.delay:
        clock.sleep(plan.delay)
    if plan.hang is not None:
        waiter = clock.waiter()
        plan.hang.when_over(waiter.wake)
        waiter.wait(None)
    if plan.error is not None:
        raise plan.error


class MinimalConnection:
    """A scripted connection with the methods that DB-API requires, and no others."""

    def __init__(self, link: Link, clock: Clock, errors: ModuleType) -> None:
        self.link = link
        self._clock = clock
        for name in ERRORS:
            setattr(self, name, getattr(errors, name))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.link.number}{' closed' * self.link.closed}>"

    def cursor(self, cursor: object = None) -> "ScriptedCursor":
        """Return a cursor that accepts any statement."""
        return ScriptedCursor(self)

    def commit(self) -> None:
        """Commit the transaction."""
        self._perform(Call.COMMIT)
        self.link.end_transaction(Call.COMMIT)

    def rollback(self) -> None:
        """Roll back the transaction."""
        self._perform(Call.ROLLBACK)
        self.link.end_transaction(Call.ROLLBACK)

    def close(self) -> None:
        """Close; a second close is an error. A failing close has closed it."""
        if self.link.closed:
            raise self.Error("Already closed")  # type: ignore[attr-defined]  # set by its name
        try:
            self._perform(Call.CLOSE)
        except Exception:
            self.link.shut()
            raise
        self.link.shut()

    def _perform(self, call: Call) -> None:
        perform(self.link.plan(call), self._clock)

    def _execute(self) -> None:
        self._perform(Call.EXECUTE)
        self.link.execute()


class ScriptedConnection(MinimalConnection):
    """A scripted connection with the other methods of PyMySQL's."""

    @property
    def open(self) -> bool:
        """Whether it is open, as far as it knows."""
        return not self.link.closed

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self.link.closed

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.link.in_transaction

    @property
    def server_status(self) -> int:
        """The flags of the server's last status."""
        return IN_TRANSACTION * self.link.in_transaction | AUTOCOMMIT * self.link.autocommits

    def fileno(self) -> int:
        """Return the descriptor on which the server would send."""
        return self.link.descriptor

    def thread_id(self) -> int:
        """Return its number."""
        return self.link.number

    def autocommit(self, value: bool) -> None:
        """Commit each statement from now on, or do not."""
        self.link.reach(Call.EXECUTE)
        self.link.autocommits = bool(value)

    def get_autocommit(self) -> bool:
        """Return whether each statement is committed."""
        return self.link.autocommits

    def begin(self) -> None:
        """Begin a transaction."""
        self.link.reach(Call.EXECUTE)
        self.link.in_transaction = True

    def query(self, sql: str, unbuffered: bool = False) -> int:
        """Run a statement."""
        self._execute()
        return len(rows_of(sql))

    def ping(self, reconnect: bool = False) -> None:
        """Make a round trip. It never connects again."""
        self._perform(Call.PING)
        self.link.reach(Call.PING)

    def reset_session(self) -> None:
        """Reset the session, which rolls back."""
        self._perform(Call.RESET)
        self.link.end_transaction(Call.RESET)


class ScriptedCursor:
    """A cursor of a scripted connection."""

    rowcount = -1
    description: list[tuple[Any, ...]] | None = None
    lastrowid = 0
    arraysize = 1

    def __init__(self, connection: MinimalConnection) -> None:
        self.connection = connection
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, statement: str, parameters: object = None) -> int:
        """Run a statement."""
        self.connection._execute()
        self._rows = rows_of(statement)
        self.description = [("1", *[None] * 6)] if self._rows else None
        return len(self._rows)

    def executemany(self, statement: str, parameters: Sequence[object]) -> int:
        """Run a statement once."""
        return self.execute(statement)

    def mogrify(self, statement: str, parameters: object = None) -> str:
        """Return the statement."""
        return statement

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row; None if there is none."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """Return the next rows."""
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows that are left."""
        return self.fetchmany(len(self._rows))

    def setinputsizes(self, sizes: object) -> None:
        """Do nothing."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""

    def __enter__(self) -> "ScriptedCursor":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class ScriptedConnector(Links):
    """Opens the scripted connections of one test. Safe to use from any thread."""

    def __init__(
        self, clock: Clock, planned: Planned, minimal: bool, errors: ModuleType, failure: Any
    ) -> None:
        super().__init__(planned, failure)
        self._clock = clock
        self._errors = errors
        self._class = MinimalConnection if minimal else ScriptedConnection

    def open(self, *arguments: Any, **options: Any) -> Any:
        """Open a connection as planned; ignore the arguments."""
        perform(self.plan(), self._clock)
        return self._class(self.add(), self._clock, self._errors)
