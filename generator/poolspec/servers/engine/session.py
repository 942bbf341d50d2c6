"""The state of one client: its transaction, its variables, its waits.

A transaction takes the right to write at its first write (or `SELECT … FOR UPDATE`) and keeps it to
its end; before that it reads committed data. So there are no deadlocks, no row locks and no
isolation levels. A wait for the right to write ends after `innodb_lock_wait_timeout`.
"""

import asyncio
import sqlite3
import time
import uuid
from datetime import UTC, datetime
from typing import Any, Protocol

from poolspec.servers.engine.accounts import ADMIN, Accounts
from poolspec.servers.engine.faults import Code, SqlError, from_sqlite
from poolspec.servers.engine.store import Function, Handle, WriteLock, WriteLocks
from poolspec.servers.engine.translate import Plan, Verb
from poolspec.servers.engine.variables import VERSION, Value, Variables
from poolspec.servers.engine.wire import Result, Status


class Hub(Protocol):
    """The parts of the server that a session uses."""

    accounts: Accounts
    locks: WriteLocks
    variables: Variables


class Session:
    """One client's state on the server."""

    def __init__(self, hub: Hub, connection_id: int) -> None:
        self.hub = hub
        self.connection_id = connection_id
        self.user = ""
        self.database: str | None = None
        self.variables = Variables(hub.variables)
        self.user_variables: dict[str, Value] = {}
        self.in_transaction = False
        self.closed = False
        self.statement: str | None = None
        self.state = ""
        self.since = time.monotonic()
        self.fault: SqlError | None = None
        """The error of a function that SQLite called."""
        self._insert_id = 0
        self._affected = -1
        self._handles: dict[str, Handle] = {}
        self._waits_for: asyncio.Future[None] | None = None

    @property
    def autocommit(self) -> bool:
        """Whether each statement is a transaction of its own."""
        return bool(self.variables.get("autocommit"))

    def status(self) -> Status:
        """Return the status of the session, as replies report it."""
        return Status(self.in_transaction, self.autocommit)

    def use(self, database: str) -> None:
        """Change the current database; raises SqlError if it is unknown or not the user's."""
        if database.lower() != "information_schema":
            self.hub.accounts.open_database(self.user, database)
        self.database = database

    def begin(self) -> None:
        """Begin a transaction; one that is open is committed."""
        self.end("COMMIT")
        self.in_transaction = True

    def end(self, verb: str) -> None:
        """COMMIT or ROLLBACK."""
        self.in_transaction = False
        for handle in self._handles.values():
            handle.end(verb)

    def reset(self) -> None:
        """Reset to the state of a new session, with the same user and database."""
        self._let_go()
        self.variables.clear()
        self.user_variables.clear()
        self._insert_id = 0

    def close(self) -> None:
        """Roll back and release everything; idempotent."""
        self.closed = True
        self._let_go()

    def interrupt(self, error: SqlError) -> bool:
        """Make the waiting statement fail; return whether there is one."""
        return self._waits_for is not None and _settle(self._waits_for, error)

    async def sleep(self, seconds: float) -> None:
        """Wait without delaying other sessions."""
        waits_for: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self._wait(waits_for, seconds, None, "User sleep")

    async def savepoint(self, verb: str) -> None:
        """Set, release or return to a savepoint, if there is a transaction."""
        if not self.in_transaction:
            return
        handle = self._handle(self.database)
        await self._take(handle)
        handle.begin()
        try:
            handle.sqlite.execute(verb).close()
        except sqlite3.Error as error:
            raise self._meaning(error, handle, "SAVEPOINT") from None

    async def run(self, plan: Plan) -> Result:
        """Run a translated statement."""
        if plan.touches_tables and plan.database is None and self.database is None:
            raise SqlError(Code.NO_DATABASE, "No database selected")
        if plan.verb is not Verb.READ and self._is_read_only():
            text = "The server is running with the --read-only option so it cannot execute this"
            raise SqlError(Code.OPTION_PREVENTS, f"{text} statement")
        handle = self._handle(plan.database or self.database)
        if plan.sleeps:
            await self.sleep(plan.sleeps)
        if plan.verb is Verb.DEFINE:
            self.end("COMMIT")
        elif plan.touches_tables and not self.autocommit:
            self.in_transaction = True
        if plan.verb is Verb.READ and not (plan.locks and self.in_transaction):
            return self._execute(handle, plan)
        await self._take(handle)
        return self._write(handle, plan)

    def _is_read_only(self) -> bool:
        return self.user != ADMIN and bool(self.hub.variables.get("read_only"))

    def _write(self, handle: Handle, plan: Plan) -> Result:
        # The right to write is held.
        try:
            handle.begin()
            result = self._execute(handle, plan)
        except BaseException:
            if not self.in_transaction:
                handle.end("ROLLBACK")
            raise
        if not self.in_transaction:
            handle.end("COMMIT")
        return result

    def _execute(self, handle: Handle, plan: Plan) -> Result:
        self.fault = None
        try:
            for statement in plan.statements:
                cursor = handle.sqlite.execute(statement)
            rows = cursor.fetchall()
        except sqlite3.Error as error:
            raise self._meaning(error, handle, plan.first_word) from None
        if cursor.description is not None:
            return Result(tuple(column[0] for column in cursor.description), rows)
        affected = max(0, cursor.rowcount)
        insert_id = _insert_id(handle, plan, affected, cursor.lastrowid or 0)
        self._insert_id = insert_id or self._insert_id
        self._affected = affected
        return Result(affected=affected, insert_id=insert_id)

    def _meaning(self, error: sqlite3.Error, handle: Handle, first_word: str) -> SqlError:
        return self.fault or from_sqlite(error, database=handle.database, verb=first_word)

    async def _take(self, handle: Handle) -> None:
        turn = handle.lock.ask(handle)
        if turn is None:
            return
        seconds = self.variables.number("innodb_lock_wait_timeout")
        late = SqlError(Code.LOCK_TIMEOUT, "Lock wait timeout exceeded; try restarting transaction")
        await self._wait(turn, seconds, late, "Waiting for the database's write lock")

    async def _wait(
        self, waits_for: asyncio.Future[None], seconds: float, late: SqlError | None, state: str
    ) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, _settle, waits_for, late)
        self._waits_for, self.state = waits_for, state
        try:
            await waits_for
        finally:
            timer.cancel()
            self._waits_for, self.state = None, ""
        if self.closed:
            raise SqlError(Code.KILLED, "Connection was killed")

    def _handle(self, database: str | None) -> Handle:
        name = database or ""
        if name not in self._handles:
            if database is None:
                made = Handle(name, ":memory:", WriteLock(), self.functions())
            else:
                path = self.hub.accounts.open_database(self.user, database)
                made = Handle(name, path, self.hub.locks.of(database), self.functions())
            self._handles[name] = made
        return self._handles[name]

    def _let_go(self) -> None:
        self.in_transaction = False
        for handle in self._handles.values():
            handle.close()
        self._handles.clear()

    def functions(self) -> dict[str, Function]:
        """Return the functions of MySQL that SQLite lacks, as this session sees them."""
        return {
            "connection_id": lambda *_: self.connection_id,
            "current_database": lambda *_: self.database,
            "session_variable": self._session_variable,
            "user_variable": self.user_variables.get,
            "last_insert_id": lambda *_: self._insert_id,
            "row_count": lambda *_: self._affected,
            "version": lambda *_: VERSION,
            **dict.fromkeys(
                ("user", "session_user", "system_user"), lambda *_: f"{self.user}@localhost"
            ),
            "sleep": lambda *_: 0,  # the sleep was awaited before SQLite got the statement
            "uuid": lambda *_: str(uuid.uuid4()),
            **dict.fromkeys(("now", "sysdate", "utc_timestamp"), lambda *_: _now()),
            "curdate": lambda *_: _now()[:10],
            "unix_timestamp": lambda *_: int(time.time()),
            "concat_ws": lambda by, *parts: str(by).join(str(p) for p in parts if p is not None),
        }

    def _session_variable(self, name: str) -> Value:
        try:
            return self.variables.get(name)
        except SqlError as error:
            self.fault = error
            raise


def _settle(future: asyncio.Future[None], error: SqlError | None) -> bool:
    if future.done():
        return False
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)
    return True


def _insert_id(handle: Handle, plan: Plan, affected: int, last_row: int) -> int:
    # MySQL reports the first id of a statement, and none without an auto-increment column.
    if plan.inserts_into is None or not affected:
        return 0
    try:
        found: Any = handle.sqlite.execute(
            "SELECT 1 FROM sqlite_sequence WHERE name = ?", (plan.inserts_into,)
        ).fetchone()
    except sqlite3.OperationalError:
        return 0  # no table has an auto-increment column
    return last_row - affected + 1 if found else 0


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
