"""The database files, and the right to write to each.

SQLite allows one writer at a time for a file. Writers queue here, first in, first out, and are
awaited. So SQLite itself never finds a file locked and never blocks the thread that all sessions
share. Readers (WAL mode) never wait.
"""

import asyncio
import contextlib
import sqlite3
from collections import deque
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from poolspec.servers.engine.wire import Double

Function = Callable[..., Any]


class WriteLock:
    """The right to write to one database; belongs to at most one owner at a time."""

    def __init__(self) -> None:
        self._owner: object = None
        self._queue: deque[tuple[object, asyncio.Future[None]]] = deque()

    def ask(self, owner: object) -> asyncio.Future[None] | None:
        """Take the right at once and return None, or join the queue and return an awaitable."""
        if self._owner is None or self._owner is owner:
            self._owner = owner
            return None
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((owner, turn))
        return turn

    def give_back(self, owner: object) -> None:
        """Hand over to the first waiter that still waits; no effect without the right."""
        if self._owner is not owner:
            return
        self._owner = None
        while self._queue and self._owner is None:
            heir, turn = self._queue.popleft()
            if not turn.done():
                self._owner = heir
                turn.set_result(None)


class WriteLocks:
    """One right to write for each database."""

    def __init__(self) -> None:
        self._locks: dict[str, WriteLock] = {}

    def of(self, database: str) -> WriteLock:
        """Return the database's right to write."""
        return self._locks.setdefault(database, WriteLock())


class Handle:
    """One session's connection to one database file."""

    def __init__(
        self, database: str, path: Path | str, lock: WriteLock, functions: dict[str, Function]
    ) -> None:
        self.database = database
        self.lock = lock
        self.sqlite = sqlite3.connect(
            path, isolation_level=None, timeout=0.0, detect_types=sqlite3.PARSE_DECLTYPES
        )
        # Synchronous off: commits survive `kill -9`; only a power cut loses them.
        for pragma in ("journal_mode=WAL", "synchronous=OFF", "foreign_keys=ON"):
            self.sqlite.execute(f"PRAGMA {pragma}").close()
        for name, function in functions.items():
            self.sqlite.create_function(name, -1, function)

    @property
    def writing(self) -> bool:
        """Whether a transaction of SQLite is open."""
        return self.sqlite.in_transaction

    def begin(self) -> None:
        """Open SQLite's transaction; the right to write is held."""
        if not self.writing:
            self.sqlite.execute("BEGIN IMMEDIATE").close()

    def end(self, verb: str) -> None:
        """COMMIT or ROLLBACK, and release the right to write."""
        try:
            if self.writing:
                self.sqlite.execute(verb).close()
        finally:
            self.lock.give_back(self)

    def close(self) -> None:
        """Roll back and close."""
        with contextlib.suppress(sqlite3.Error):
            self.end("ROLLBACK")
        self.sqlite.close()


def register_types() -> None:
    """Return values with the declared types of their columns."""
    for name, convert in (
        ("DECIMAL", lambda raw: Decimal(raw.decode())),
        ("NUMERIC", lambda raw: Decimal(raw.decode())),
        ("DATETIME", lambda raw: _moment(raw)),
        ("TIMESTAMP", lambda raw: _moment(raw)),
        ("DATE", lambda raw: date.fromisoformat(raw.decode()[:10])),
        ("DOUBLE", lambda raw: Double(raw.decode())),
        ("FLOAT", lambda raw: Double(raw.decode())),
    ):
        sqlite3.register_converter(name, convert)


def _moment(raw: bytes) -> Any:
    try:
        return datetime.fromisoformat(raw.decode())
    except ValueError:
        return raw.decode()
