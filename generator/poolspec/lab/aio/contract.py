"""What the lab asks of an adapter for a pool that is used by asyncio tasks."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from poolspec.faults.calls import Plan
from poolspec.invariants.log import Entry
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.contract import HealthSeen, LoanSeen, Meter, Options, Place
from poolspec.lab.threads.pool import Row
from poolspec.servers import Tenant
from poolspec.vocabulary import Call, Capability, ErrorKind, TimeKind

Open = Callable[[], Awaitable[Any]]


@dataclass(frozen=True)
class AsyncWiring:
    """How a pool is tied into a test."""

    connect: Open
    """Opens a real connection with the test's own identity."""
    clock: AsyncClock
    time: TimeKind
    listen: Callable[[Entry], None] | None
    """Takes every event of a pool that tells what it does. Quick; never blocks. None: nobody
    listens."""
    meter: Meter | None = None
    """What is to monitor the pool; for tests that ask for it."""


class AsyncStage(Protocol):
    """Where the scripted connections of one test are; see `poolspec.lab.contract.Stage`."""

    async def open(self) -> Any:
        """Open one; it is `OnStage`."""

    def alive(self) -> frozenset[int]:
        """Return the numbers of those that are open and have not lost their server."""

    def kill(self, number: int) -> None:
        """Let one lose its server, without knowing it yet."""


class AsyncForeignConnections(Protocol):
    """Connections that are not the pool's own; see `poolspec.lab.contract.ForeignConnections`."""

    def plain(self, tenant: Tenant) -> Open:
        """Return what opens one connection of the plain driver."""

    def stage(self, clock: AsyncClock, plan: Callable[[Call], Plan], minimal: bool) -> AsyncStage:
        """Make a stage, whose connections do what is planned for each call."""


class AsyncControls(Protocol):
    """What can be done to a pool in its life; see `poolspec.lab.contract.Controls`."""

    def transaction(self, pool: Any) -> AbstractAsyncContextManager[Any]:
        """Borrow for a unit of work."""

    async def resize(self, pool: Any, size: int | None, max_overflow: int | None) -> None:
        """Change the pool's limits."""

    async def suspend(self, pool: Any) -> None:
        """Hand out nothing until `resume`."""

    async def resume(self, pool: Any) -> None:
        """Hand out again."""

    async def maintain(self, pool: Any) -> None:
        """Do one round of housekeeping."""

    def loans(self, pool: Any) -> list[LoanSeen]:
        """Return what is on loan, the longest loan first."""

    def keep(self, pool: Any, interval: float) -> AbstractAsyncContextManager[None]:
        """Have a pool looked after every so many seconds of real time, within the block."""

    async def drain(self, pool: Any, seconds: float) -> None:
        """Close the pool for good, waiting so long for what is on loan."""

    async def health(self, pool: Any) -> HealthSeen:
        """Return the pool's verdict on itself, and what it rests on."""


class AsyncConfiguring(Protocol):
    """See `poolspec.lab.contract.Configuring`."""

    async def open(self, options: Options, place: Place, wiring: AsyncWiring) -> Any:
        """Make a pool that connects by itself, and start it."""


class AsyncPoolAdapter(Protocol):
    """Drives one kind of pool. `pool` and `connection` are whatever the pool's library uses."""

    name: str
    capabilities: frozenset[Capability]

    def clock(self, time: TimeKind) -> AsyncClock:
        """Return a clock that the pool and the lab can share. Called inside the event loop."""

    def opener(self, tenant: Tenant) -> Open:
        """Return what opens one connection the way this pool does."""

    async def create(self, options: Options, wiring: AsyncWiring) -> Any:
        """Make a pool and start it."""

    async def acquire(self, pool: Any, timeout: float | None) -> Any:
        """Borrow a connection; `timeout` None is the pool's own."""

    async def release(self, pool: Any, connection: Any) -> None:
        """Give a connection, or None, back."""

    def block(self, pool: Any) -> AbstractAsyncContextManager[Any]:
        """Return the pool as a context manager that borrows for the length of a block."""

    def stats(self, pool: Any) -> Mapping[str, int]:
        """Return the pool's figures by `StatName`."""

    async def close_all(self, pool: Any) -> None:
        """Empty the pool."""

    async def close(self, pool: Any) -> None:
        """Close the pool for good."""

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Say what an exception means; None where it is none of the pool's own."""

    def number_of(self, connection: Any) -> int:
        """Return a connection's number at the server."""

    def dirt(self, connection: Any) -> str:
        """Say what of its last use still clings to a connection; empty for a clean one."""

    def watch(self, connection: Any, gone: Callable[[], None]) -> None:
        """Call `gone` when the connection's socket is closed."""

    def end(self, connection: Any) -> None:
        """Close a connection's socket without ado."""

    async def run(self, connection: Any, sql: str, params: tuple[Any, ...]) -> list[Row]:
        """Run a statement and return all rows."""

    async def change_one(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement; raise a conflict unless it changes exactly one row."""

    async def leave_unread(self, connection: Any, sql: str, params: tuple[Any, ...]) -> None:
        """Run a statement, and leave its rows for the server to send."""

    async def commit(self, connection: Any) -> None:
        """Commit the connection's transaction."""
