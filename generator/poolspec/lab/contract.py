"""The adapter contract: how the lab drives one particular kind of pool.

An adapter is a set of short methods, those of `PoolAdapter`. It has no state: everything that a
pool needs to know about its test arrives as `Wiring`. By its capabilities, an adapter also has
methods of `Configuring` and `Metered`, and these attributes:

* `controls`, with the methods of `Controls` that its capabilities require,
* `logs`, which is `poolspec.invariants.log_records.LogNames`,
* `asyncio`, which is `poolspec.lab.aio.contract.AsyncPoolAdapter`.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

from poolspec.drivers.contract import Driver
from poolspec.invariants.log import Entry
from poolspec.lab.threads.clock import Clock
from poolspec.servers import Tenant
from poolspec.vocabulary import BlockKind, Capability, ErrorKind, Flaw, Given, TimeKind

Options = Mapping[str, int | float | bool | str]
"""Options of a pool, by the names that specs use; durations in seconds."""


class Meter(Protocol):
    """Monitors a pool."""

    def listener(self, pool_name: str) -> Any:
        """Return a listener for the pool of this name."""

    def watch(self, pool: Any) -> None:
        """Report the pool's limits too."""

    def read(self) -> Mapping[str, float]:
        """Return all figures that are reported, by the names that specs use."""

    def stop(self) -> None:
        """Stop monitoring."""


@runtime_checkable
class Metered(Protocol):
    """An adapter whose pools can be monitored. `meter` is a method of the adapter itself."""

    def meter(self) -> Meter:
        """Make a meter for one pool."""


@dataclass(frozen=True)
class Wiring:
    """The connections between a pool and its test."""

    connect: Callable[[], Any]
    """Opens a real DB-API connection with the test's own identity."""
    clock: Clock
    time: TimeKind
    listen: Callable[[Entry], None] | None
    """Takes every event of a pool that reports events. Fast; safe to call under a lock. None: the
    pool has no listener. An entry has its time by `clock`, its actor, its kind and `by_pool`; an
    entry about a checkout that is queued, granted or failed also has the pool's number of the
    acquire."""
    meter: Meter | None = None
    """Monitors the pool, if the test asks for it."""


@dataclass(frozen=True)
class Place:
    """The database that a pool is configured with, and how it is configured."""

    tenant: Tenant
    given: Given
    flaw: Flaw | None
    folder: Path
    """For the files of this pool; it exists and is empty."""
    opened: Callable[[Any], None]
    """To call with every connection that the pool opens, so that the lab counts it."""
    authorities: Path | None = None
    """The file of TLS authorities to verify the server by; None: the server offers no TLS."""
    certificate: Path | None = None
    """The file of the client's TLS certificate; its key is in `certificate.with_suffix(".key")`."""


@dataclass(frozen=True, slots=True)
class LoanSeen:
    """One loan by the pool's own account."""

    holder: str | None
    """The thread or task that borrowed."""
    seconds: float
    where: tuple[str, ...]
    """Places in the program, as `file:line function`."""


@dataclass(frozen=True, slots=True)
class HealthSeen:
    """A pool's report of its health."""

    status: str
    """healthy, degraded or unhealthy"""
    reasons: tuple[str, ...]
    """What is wrong, in the pool's words."""
    figures: Mapping[str, int]
    """The figures that it is based on, by `StatName`; none if the pool counts nothing."""


class Controls(Protocol):
    """Operations on a living pool, for pools that have them.

    An adapter has them as its attribute `controls`, and needs only those that its capabilities
    require.
    """

    def connection(self, pool: Any) -> AbstractContextManager[Any]:
        """Return a block that knows its connection, so that blocks may end in any order."""

    def transaction(self, pool: Any) -> AbstractContextManager[Any]:
        """Borrow for a unit of work: committed at the end of the block, or rolled back."""

    def resize(self, pool: Any, size: int | None, max_overflow: int | None) -> None:
        """Change the pool's limits; None leaves one as it is."""

    def suspend(self, pool: Any) -> None:
        """Hand out nothing until `resume`."""

    def resume(self, pool: Any) -> None:
        """Hand out again."""

    def maintain(self, pool: Any) -> None:
        """Do one round of maintenance."""

    def expect_one(self, cursor: Any) -> None:
        """Raise a conflict unless the last statement changed exactly one row."""

    def loans(self, pool: Any) -> list[LoanSeen]:
        """Return the connections on loan, the longest loan first."""

    def keep(self, pool: Any, interval: float) -> AbstractContextManager[None]:
        """Maintain the pool every `interval` seconds of real time, within the block."""

    def drain(self, pool: Any, seconds: float) -> None:
        """Close the pool for good, waiting up to `seconds` for connections on loan."""

    def health(self, pool: Any) -> HealthSeen:
        """Return the pool's report of its health."""


class Unwrapping(Protocol):
    """An adapter whose pools hand out wrappers. `raw` is a method of the adapter itself."""

    def raw(self, connection: Any) -> Any:
        """Return the driver's connection that a wrapper has now."""


class Configuring(Protocol):
    """An adapter whose pools take their database from a configuration.

    `open` is a method of the adapter itself.
    """

    def open(self, options: Options, place: Place, wiring: Wiring) -> Any:
        """Make a pool that opens its own connections. Use the clock and listener of `wiring`."""


@runtime_checkable
class PoolAdapter(Protocol):
    """Drives one kind of pool. `pool` and `connection` are objects of the pool's library."""

    name: str
    capabilities: frozenset[Capability]
    driver: Driver
    """The driver of the pool's connections."""

    def clock(self, time: TimeKind) -> Clock:
        """Return a clock that the pool and the lab can share."""

    def create(self, options: Options, wiring: Wiring) -> Any:
        """Make a pool."""

    def global_pool(self, options: Options, wiring: Wiring) -> Any:
        """Return the process-wide pool."""

    def acquire(self, pool: Any, timeout: float | None) -> Any:
        """Borrow a connection; `timeout` None is the pool's own.

        If it is not the driver's own connection, the adapter has the method `raw`.
        """

    def release(self, pool: Any, connection: Any) -> None:
        """Release a connection, or None."""

    def block(self, pool: Any) -> AbstractContextManager[Any]:
        """Return the pool as a context manager that borrows for the length of a block."""

    def stats(self, pool: Any) -> Mapping[str, int]:
        """Return the pool's figures by `StatName`."""

    def close_all(self, pool: Any) -> None:
        """Close all idle connections."""

    def close(self, pool: Any) -> None:
        """Close the pool for good."""

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an exception of the pool means; None for any other exception."""


class _Extended(Protocol):
    controls: Controls


def controls_of(adapter: PoolAdapter) -> Controls:
    """Return the controls of an adapter whose capabilities promise them."""
    return cast(_Extended, adapter).controls


def acquire_of(adapter: PoolAdapter, pool: Any, timeout: float | None, own: float) -> Any:
    """Borrow a connection. `own` is the pool's timeout, which only asyncio pools may lack."""
    return adapter.acquire(pool, timeout)


def block_of(
    adapter: PoolAdapter, pool: Any, by: BlockKind, own: float
) -> AbstractContextManager[Any]:
    """Return a context that borrows for the length of a block; see `acquire_of`."""
    if by is BlockKind.WITH:
        return adapter.block(pool)
    controls = controls_of(adapter)
    own = by is BlockKind.CONNECTION
    return controls.connection(pool) if own else controls.transaction(pool)


def raw_of(adapter: object, connection: Any) -> Any:
    """Return the driver's connection of what a pool handed out."""
    has_wrappers = hasattr(adapter, "raw")
    return cast(Unwrapping, adapter).raw(connection) if has_wrappers else connection


def configuring(adapter: PoolAdapter) -> Configuring:
    """Return an adapter whose capabilities promise that it takes configurations."""
    return cast(Configuring, adapter)
