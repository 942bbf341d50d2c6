"""The adapter contract for a pool that asyncio tasks use; see `poolspec.lab.contract`."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol, cast

from poolspec.drivers.contract import AsyncDriver
from poolspec.invariants.log import Entry
from poolspec.lab.aio.clock import AsyncClock
from poolspec.lab.contract import HealthSeen, LoanSeen, Meter, Options, Place
from poolspec.lab.event_loop.limit import LimitedBlock, limited
from poolspec.vocabulary import BlockKind, Capability, ErrorKind, TimeKind

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

    def expect_one(self, cursor: Any) -> None:
        """Raise a conflict unless the last statement changed exactly one row."""

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


class AsyncPoolAdapter(Protocol):
    """Drives one kind of pool. `pool` and `connection` are objects of the pool's library."""

    name: str
    capabilities: frozenset[Capability]
    driver: AsyncDriver
    """The driver of the pool's connections."""

    def clock(self, time: TimeKind) -> AsyncClock:
        """Return a clock that the pool and the lab can share. Called inside the event loop."""

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

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an exception of the pool means; None for any other exception."""


class _Extended(Protocol):
    controls: AsyncControls


def controls_of(adapter: AsyncPoolAdapter) -> AsyncControls:
    """Return the controls of an adapter whose capabilities promise them."""
    return cast(_Extended, adapter).controls


async def acquire_of(
    adapter: AsyncPoolAdapter, pool: Any, timeout: float | None, own: float
) -> Any:
    """Borrow a connection, with the lab's timeout if the pool has none of its `own`."""
    if not _is_limited(adapter):
        return await adapter.acquire(pool, timeout)
    async with limited(own if timeout is None else timeout):
        return await adapter.acquire(pool, None)


def block_of(
    adapter: AsyncPoolAdapter, pool: Any, by: BlockKind, own: float
) -> AbstractAsyncContextManager[Any]:
    """Return a context that borrows for the length of a block; see `acquire_of`."""
    if by is BlockKind.WITH:
        block = adapter.block(pool)
        return LimitedBlock(block, own) if _is_limited(adapter) else block
    controls = controls_of(adapter)
    own = by is BlockKind.CONNECTION
    return controls.connection(pool) if own else controls.transaction(pool)


def _is_limited(adapter: AsyncPoolAdapter) -> bool:
    return getattr(adapter, "timeout_by_lab", False)


def configuring(adapter: AsyncPoolAdapter) -> AsyncConfiguring:
    """Return an adapter whose capabilities promise that it takes configurations."""
    return cast(AsyncConfiguring, adapter)
