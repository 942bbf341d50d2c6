"""The adapter contract for a pool that asyncio tasks use; see `poolspec.lab.contract`."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, cast

from poolspec.drivers.plan import Plan
from poolspec.invariants.log import Entry
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.contract import HealthSeen, LoanSeen, Meter, Options, Place
from poolspec.lab.rows import Row
from poolspec.servers import Tenant
from poolspec.vocabulary import BlockKind, Call, Capability, ErrorKind, TimeKind

Open = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class AsyncWiring:
    """The connections between a pool and its test."""

    connect: Open
    """Opens a real connection with the test's own identity."""
    clock: AsyncClock
    time: TimeKind
    listen: Callable[[Entry], None] | None
    """Takes every event of a pool that reports events. Fast; never blocks. None: the pool has no
    listener."""
    meter: Meter | None = None
    """Monitors the pool, if the test asks for it."""


class AsyncScriptedConnections(Protocol):
    """The scripted connections of one test; see `poolspec.lab.contract.ScriptedConnections`."""

    async def open(self) -> Any:
        """Open one; it is a `ScriptedLink`."""

    def alive(self) -> frozenset[int]:
        """Return the numbers of those that are open and have not lost their server."""

    def kill(self, number: int) -> None:
        """Make one lose its server without noticing yet."""


class AsyncForeignConnections(Protocol):
    """Connections of other drivers; see `poolspec.lab.contract.ForeignConnections`."""

    def plain(self, tenant: Tenant) -> Open:
        """Return a callable that opens one connection of the plain driver."""

    def scripted(
        self, clock: AsyncClock, plan: Callable[[Call], Plan], minimal: bool
    ) -> AsyncScriptedConnections:
        """Make scripted connections, which follow the plan for each call."""


class AsyncControls(Protocol):
    """Operations on a living pool; see `poolspec.lab.contract.Controls`."""

    def connection(self, pool: Any) -> AbstractAsyncContextManager[Any]:
        """Return a block that knows its connection, so that blocks may end in any order."""

    def transaction(self, pool: Any) -> AbstractAsyncContextManager[Any]:
        """Borrow for a unit of work."""

    async def resize(self, pool: Any, size: int | None, max_overflow: int | None) -> None:
        """Change the pool's limits."""

    async def suspend(self, pool: Any) -> None:
        """Hand out nothing until `resume`."""

    async def resume(self, pool: Any) -> None:
        """Hand out again."""

    async def maintain(self, pool: Any) -> None:
        """Do one round of maintenance."""

    def loans(self, pool: Any) -> list[LoanSeen]:
        """Return the connections on loan, the longest loan first."""

    def keep(self, pool: Any, interval: float) -> AbstractAsyncContextManager[None]:
        """Maintain the pool every `interval` seconds of real time, within the block."""

    async def drain(self, pool: Any, seconds: float) -> None:
        """Close the pool for good, waiting up to `seconds` for connections on loan."""

    async def health(self, pool: Any) -> HealthSeen:
        """Return the pool's report of its health."""


class AsyncConfiguring(Protocol):
    """See `poolspec.lab.contract.Configuring`."""

    async def open(self, options: Options, place: Place, wiring: AsyncWiring) -> Any:
        """Make a pool that opens its own connections, and start it."""


class AsyncDriver(Protocol):
    """How the lab uses the pool's connections."""

    def number_of(self, connection: Any) -> int:
        """Return a connection's number at the server."""

    def watch(self, connection: Any, gone: Callable[[], None]) -> None:
        """Call `gone` when the connection's socket is closed."""

    def end(self, connection: Any) -> None:
        """Close a connection's socket at once."""

    async def run(self, connection: Any, sql: str, params: tuple[Any, ...]) -> list[Row]:
        """Run a statement and return all rows."""

    async def change_one(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement; raise a conflict unless it changes exactly one row."""

    async def leave_unread(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement, and leave its rows for the server to send."""

    async def commit(self, connection: Any) -> None:
        """Commit the connection's transaction."""

    async def reconnect(self, connection: Any) -> None:
        """Connect again if the connection is lost; for the capability `reconnect`."""


class AsyncPoolAdapter(AsyncDriver, Protocol):
    """Drives one kind of pool. `pool` and `connection` are objects of the pool's library."""

    name: str
    capabilities: frozenset[Capability]

    def clock(self, time: TimeKind) -> AsyncClock:
        """Return a clock that the pool and the lab can share. Called inside the event loop."""

    def opener(self, tenant: Tenant) -> Open:
        """Return a callable that opens one connection as this pool does."""

    async def create(self, options: Options, wiring: AsyncWiring) -> Any:
        """Make a pool and start it."""

    async def acquire(self, pool: Any, timeout: float | None) -> Any:
        """Borrow a connection; `timeout` None is the pool's own."""

    async def release(self, pool: Any, connection: Any) -> None:
        """Release a connection, or None."""

    def block(self, pool: Any) -> AbstractAsyncContextManager[Any]:
        """Return the pool as a context manager that borrows for the length of a block."""

    def stats(self, pool: Any) -> Mapping[str, int]:
        """Return the pool's figures by `StatName`."""

    async def close_all(self, pool: Any) -> None:
        """Close all idle connections."""

    async def close(self, pool: Any) -> None:
        """Close the pool for good."""

    def session_state(self, connection: Any) -> str:
        """Return what its last use left behind; empty for a clean connection."""

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an exception means; None if it is neither the pool's nor its driver's."""


class _Extended(Protocol):
    controls: AsyncControls
    foreign: AsyncForeignConnections


def controls_of(adapter: AsyncPoolAdapter) -> AsyncControls:
    """Return the controls of an adapter whose capabilities promise them."""
    return cast(_Extended, adapter).controls


def block_of(
    adapter: AsyncPoolAdapter, pool: Any, by: BlockKind
) -> AbstractAsyncContextManager[Any]:
    """Return a context that borrows for the length of a block."""
    if by is BlockKind.WITH:
        return adapter.block(pool)
    controls = controls_of(adapter)
    own = by is BlockKind.CONNECTION
    return controls.connection(pool) if own else controls.transaction(pool)


def foreign_of(adapter: AsyncPoolAdapter) -> AsyncForeignConnections:
    """Return the foreign connections of an adapter whose capabilities promise them."""
    return cast(_Extended, adapter).foreign


def configuring(adapter: AsyncPoolAdapter) -> AsyncConfiguring:
    """Return an adapter whose capabilities promise that it takes configurations."""
    return cast(AsyncConfiguring, adapter)
