"""Scripted connections for asyncio, in the shape of aiomysql's; see `scripted`."""

import asyncio
from collections.abc import Callable, Generator, Sequence
from types import ModuleType
from typing import Any

from poolspec.drivers.contract import AsyncClock, Planned
from poolspec.drivers.links import Link, Links
from poolspec.drivers.plan import Plan
from poolspec.drivers.scripted import ERRORS, rows_of
from poolspec.vocabulary import Call


async def perform(plan: Plan, clock: AsyncClock) -> None:
    """Wait, hang and fail as planned."""
    if plan.delay:
        await clock.sleep(plan.delay)
    if plan.hang is not None:
        waiter = clock.waiter()
        plan.hang.when_over(waiter.wake)
        await waiter.wait(None)
    if plan.error is not None:
        raise plan.error


class Closing:
    """A close that may take time, of a method that asyncio drivers have in two kinds.

    aiomysql's `close` is a plain method; others have a coroutine. Awaited, this one takes the time
    that is planned. If it is not awaited, the connection is closed at once. The close of a closed
    connection does nothing.
    """

    def __init__(self, link: Link, clock: AsyncClock) -> None:
        self._link, self._clock = link, clock
        self._plan = Plan() if link.closed else link.plan(Call.CLOSE)
        self._is_awaited = False
        if not (self._plan.delay or self._plan.hang):
            link.shut()
            if self._plan.error is not None:
                raise self._plan.error

    def __await__(self) -> Generator[Any, Any, None]:
        self._is_awaited = True
        return self._finish().__await__()

    async def _finish(self) -> None:
        """Close. A failing close has closed the connection, a cancelled one has not."""
        if self._link.closed:
            return
        try:
            await perform(self._plan, self._clock)
        except Exception:
            self._link.shut()
            raise
        self._link.shut()

    def __del__(self) -> None:
        if not self._is_awaited:
            self._link.shut()


class Reader:
    """The stream that aiomysql's pool looks at before it hands out an idle connection."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def eof_received(self) -> bool:
        """Whether the server has closed the connection."""
        return not self._link.has_server

    def at_eof(self) -> bool:
        """Return whether the server has closed the connection."""
        return not self._link.has_server

    def exception(self) -> None:
        """Return no error."""


class AsyncMinimalConnection:
    """A scripted connection with the methods that an asyncio pool cannot do without."""

    rolls_back_to_check = False
    """Whether a rollback outside a transaction is the pool's check, and counts as a ping."""

    def __init__(self, link: Link, clock: AsyncClock, errors: ModuleType) -> None:
        self.link = link
        self.last_usage = asyncio.get_running_loop().time()
        self._clock = clock
        self._reader = Reader(link)
        for name in ERRORS:
            setattr(self, name, getattr(errors, name))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.link.number}{' closed' * self.link.closed}>"

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self.link.closed

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        return not self.link.closed

    @property
    def _stream_broken(self) -> bool:
        """Whether the server has closed it; asyncmy's pool looks at this."""
        return not self.link.has_server

    def cursor(self, *cursors: object) -> "AsyncScriptedCursor":
        """Return a cursor that accepts any statement, or an awaitable of one."""
        return AsyncScriptedCursor(self)

    async def commit(self) -> None:
        """Commit the transaction."""
        await self._perform(Call.COMMIT)
        self.link.end_transaction(Call.COMMIT)

    async def rollback(self) -> None:
        """Roll back the transaction."""
        is_check = self.rolls_back_to_check and not self.link.in_transaction
        call = Call.PING if is_check else Call.ROLLBACK
        await self._perform(call)
        self.link.end_transaction(call)

    def get_transaction_status(self) -> bool:
        """Return whether a transaction is open."""
        return self.link.in_transaction

    def close(self) -> Closing:
        """Close; may be repeated."""
        return Closing(self.link, self._clock)

    async def ensure_closed(self) -> None:
        """Close if it is open."""
        if not self.link.closed:
            await self.close()

    async def _perform(self, call: Call) -> None:
        await perform(self.link.plan(call), self._clock)

    async def _execute(self) -> None:
        await self._perform(Call.EXECUTE)
        self.link.execute()
        self.last_usage = asyncio.get_running_loop().time()


class AsyncScriptedConnection(AsyncMinimalConnection):
    """A scripted connection with the other methods of aiomysql's."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.link.in_transaction

    def fileno(self) -> int:
        """Return the descriptor on which the server would send."""
        return self.link.descriptor

    def thread_id(self) -> int:
        """Return its number."""
        return self.link.number

    def character_set_name(self) -> str:
        """Return the name of the character set."""
        return "utf8mb4"

    def get_autocommit(self) -> bool:
        """Return whether each statement is committed."""
        return self.link.autocommits

    async def autocommit(self, value: bool) -> None:
        """Commit each statement from now on, or do not."""
        self.link.reach(Call.EXECUTE)
        self.link.autocommits = bool(value)

    async def begin(self) -> None:
        """Begin a transaction."""
        self.link.reach(Call.EXECUTE)
        self.link.in_transaction = True

    async def query(self, sql: str, unbuffered: bool = False) -> int:
        """Run a statement."""
        await self._execute()
        return len(rows_of(sql))

    async def ping(self, reconnect: bool = True) -> None:
        """Make a round trip. It never connects again."""
        await self._perform(Call.PING)
        self.link.reach(Call.PING)

    async def reset_session(self) -> None:
        """Reset the session, which rolls back."""
        await self._perform(Call.RESET)
        self.link.end_transaction(Call.RESET)

    def abort(self) -> None:
        """Close at once, without a goodbye."""
        self.link.shut()


class AsyncScriptedCursor:
    """A cursor of a scripted connection: an async context, and an awaitable of itself."""

    rowcount = -1
    description: list[tuple[Any, ...]] | None = None
    lastrowid = 0
    arraysize = 1

    def __init__(self, connection: AsyncMinimalConnection) -> None:
        self.connection = connection
        self._rows: list[tuple[Any, ...]] = []

    async def execute(self, statement: str, parameters: object = None) -> int:
        """Run a statement."""
        await self.connection._execute()
        self._rows = rows_of(statement)
        self.description = [("1", *[None] * 6)] if self._rows else None
        return len(self._rows)

    async def executemany(self, statement: str, parameters: Sequence[object]) -> int:
        """Run a statement once."""
        return await self.execute(statement)

    def mogrify(self, statement: str, parameters: object = None) -> str:
        """Return the statement."""
        return statement

    async def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row; None if there is none."""
        return self._rows.pop(0) if self._rows else None

    async def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """Return the next rows."""
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    async def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows that are left."""
        return await self.fetchmany(len(self._rows))

    async def close(self) -> None:
        """Do nothing."""

    async def __aenter__(self) -> "AsyncScriptedCursor":
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()

    def __await__(self) -> Generator[Any, Any, "AsyncScriptedCursor"]:
        return self
        yield  # makes this a generator


class AsyncScriptedConnector(Links):
    """Opens the scripted connections of one asyncio test."""

    def __init__(
        self,
        clock: AsyncClock,
        planned: Planned,
        minimal: bool,
        errors: ModuleType,
        failure: Callable[[Call, str], Exception],
        rolls_back_to_check: bool = False,
    ) -> None:
        super().__init__(planned, failure)
        self._rolls_back_to_check = rolls_back_to_check
        self._clock = clock
        self._errors = errors
        self._class = AsyncMinimalConnection if minimal else AsyncScriptedConnection

    async def open(self, *arguments: Any, **options: Any) -> Any:
        """Open a connection as planned; ignore the arguments."""
        await perform(self.plan(), self._clock)
        connection = self._class(self.add(), self._clock, self._errors)
        connection.rolls_back_to_check = self._rolls_back_to_check
        return connection
