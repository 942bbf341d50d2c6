"""The contract of a driver: how the lab uses the connections of one database library.

A driver has no state. `connection` is always the library's own connection: an adapter whose pool
hands out wrappers has a method `raw`, which returns the connection in a wrapper. Only `run`,
`change_one` and `commit` get what the pool handed out, because a borrower's statements go through
the wrapper. Every method but `opener` and `plain` takes scripted connections too.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from poolspec.drivers.plan import Plan
from poolspec.servers import Tenant
from poolspec.vocabulary import Call, ErrorKind

Row = tuple[Any, ...]
Planned = Callable[[Call], Plan]
"""Counts a call, and returns what happens to it."""
Open = Callable[[], Any]
"""Opens one connection."""
AsyncOpen = Callable[[], Awaitable[Any]]

NONE = "none"
SCRIPTED = "scripted"


@dataclass(frozen=True, slots=True)
class Make:
    """The kind of a connection."""

    socket: str
    """unix, tcp or none."""
    driver: str
    """The package that it is from, or scripted."""


class Waiter(Protocol):
    """One wait of one thread on a test's clock."""

    def wait(self, deadline: float | None) -> bool:
        """Block until woken (True) or until the clock reaches `deadline` (False)."""

    def wake(self) -> object:
        """End the wait, or prevent it if it has not started. Any thread may call it."""


class Clock(Protocol):
    """A test's clock, as far as scripted connections need it; the lab's clock has more."""

    def now(self) -> float:
        """Return the time in seconds."""

    def waiter(self) -> Waiter:
        """Make a waiter for the calling thread."""

    def sleep(self, seconds: float) -> None:
        """Let that much time pass."""


class AsyncWaiter(Protocol):
    """One wait of one task on a test's clock."""

    async def wait(self, deadline: float | None) -> bool:
        """Wait until woken (True) or until the clock reaches `deadline` (False)."""

    def wake(self) -> object:
        """End the wait, or prevent it if it has not started."""


class AsyncClock(Protocol):
    """A test's clock, as far as scripted connections of an asyncio driver need it."""

    def now(self) -> float:
        """Return the time in seconds."""

    def waiter(self) -> AsyncWaiter:
        """Make a waiter for the running task."""

    async def sleep(self, seconds: float) -> None:
        """Let that much time pass."""


class LiveConnections(Protocol):
    """The scripted connections of one test as a server has them, in either concurrency mode."""

    def alive(self) -> frozenset[int]:
        """Return the numbers of those that are open and have not lost their server."""

    def kill(self, number: int) -> None:
        """Make one lose its server without noticing yet."""


class ScriptedConnections(LiveConnections, Protocol):
    """The scripted connections of one test."""

    def open(self) -> Any:
        """Open one, as a `connect` callable does. Extra arguments are ignored."""


class AsyncScriptedConnections(LiveConnections, Protocol):
    """The scripted connections of one asyncio test."""

    async def open(self) -> Any:
        """Open one, as a `connect` callable does. Extra arguments are ignored."""


class AnyDriver(Protocol):
    """The methods that are the same in both concurrency modes. None of them blocks."""

    def number_of(self, connection: Any) -> int:
        """Return a connection's number at the server."""

    def watch(
        self, connection: Any, gone: Callable[[], object], reopened: Callable[[], object]
    ) -> None:
        """Watch the socket of a connection.

        Call `gone` when it is closed, and `reopened` when the connection has opened another one.
        """

    def end(self, connection: Any) -> None:
        """Close a connection's socket at once."""

    def session_state(self, connection: Any) -> str:
        """Return what its last use left behind, such as an open transaction; empty if nothing.

        It sends nothing to the server.
        """

    def make_of(self, connection: Any) -> Make:
        """Return the kind of a connection."""

    def local_port(self, connection: Any) -> int:
        """Return the port of this side of a connection over TCP; 0 if it is closed or has none."""

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an error of the driver means; None for any other exception.

        LOST for a lost connection, CONNECT for one that could not be opened, QUERY for a statement
        that the database refused.
        """

    def failure(self, call: Call, message: str) -> Exception:
        """Return the error that this call of the driver raises when it fails."""


class Driver(AnyDriver, Protocol):
    """The driver of a pool that threads use."""

    def opener(self, tenant: Tenant) -> Open:
        """Return a callable that opens one connection as a tenant."""

    def plain(self, tenant: Tenant) -> Open:
        """Return such a callable for the library's own connections.

        It differs from `opener` if the pool brings connections of another class.
        """

    def scripted(self, clock: Clock, plan: Planned, minimal: bool) -> ScriptedConnections:
        """Make scripted connections, which follow the plan for each call.

        `minimal` ones have only the methods that DB-API requires.
        """

    def run(self, connection: Any, sql: str, params: tuple[Any, ...]) -> list[Row]:
        """Run a statement and return all rows. `connection` is what the pool handed out."""

    def change_one(
        self, connection: Any, sql: str, params: tuple[Any, ...], check: Callable[[Any], object]
    ) -> None:
        """Run a statement, then call `check` with its cursor.

        `connection` is what the pool handed out.
        """

    def commit(self, connection: Any) -> None:
        """Commit a transaction. `connection` is what the pool handed out."""

    def leave_unread(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement, and leave its rows for the server to send."""

    def reconnect(self, connection: Any) -> None:
        """Connect again if the connection is lost, as `ping(reconnect=True)` does."""


class AsyncDriver(AnyDriver, Protocol):
    """The driver of a pool that asyncio tasks use; see `Driver`."""

    def opener(self, tenant: Tenant) -> AsyncOpen:
        """Return a callable that opens one connection as a tenant."""

    def plain(self, tenant: Tenant) -> AsyncOpen:
        """Return such a callable for the library's own connections."""

    def scripted(self, clock: AsyncClock, plan: Planned, minimal: bool) -> AsyncScriptedConnections:
        """Make scripted connections, which follow the plan for each call.

        `minimal` ones have only the methods that an asyncio pool cannot do without.
        """

    async def run(self, connection: Any, sql: str, params: tuple[Any, ...]) -> list[Row]:
        """Run a statement and return all rows. `connection` is what the pool handed out."""

    async def change_one(
        self, connection: Any, sql: str, params: tuple[Any, ...], check: Callable[[Any], object]
    ) -> None:
        """Run a statement, then call `check` with its cursor.

        `connection` is what the pool handed out.
        """

    async def commit(self, connection: Any) -> None:
        """Commit a transaction. `connection` is what the pool handed out."""

    async def leave_unread(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement, and leave its rows for the server to send."""

    async def reconnect(self, connection: Any) -> None:
        """Connect again if the connection is lost."""
