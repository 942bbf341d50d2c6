"""What the lab asks of an adapter: how to drive one particular pool.

An adapter is a handful of short methods, those of `PoolAdapter`. It holds no state: whatever a pool
needs to know about the test it belongs to comes in as `Wiring`. What more a pool can do its adapter
shows by capability: methods of its own, which are in `Configuring` and `Metered`, and attributes:

* `controls`, which has those methods of `Controls` that its capabilities ask for,
* `foreign`, which is `ForeignConnections`,
* `logs`, which is `poolspec.invariants.log_records.LogNames`,
* `asyncio`, which is `poolspec.lab.aio.contract.AsyncPoolAdapter`.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from poolspec.faults.calls import Plan
from poolspec.invariants.log import Entry
from poolspec.lab.threads.clock import Clock
from poolspec.servers import Tenant
from poolspec.vocabulary import Call, Capability, ErrorKind, Flaw, Given, TimeKind

Options = Mapping[str, int | float | bool | str]
"""Options of a pool, by the names that specs use; durations in seconds."""


class Meter(Protocol):
    """What monitors a pool."""

    def listener(self, pool_name: str) -> Any:
        """Return what the pool of this name is to tell its events to."""

    def watch(self, pool: Any) -> None:
        """Report the pool's limits too."""

    def read(self) -> Mapping[str, float]:
        """Return all figures by the names of specs; what is not reported is left out."""

    def stop(self) -> None:
        """Measure no more."""


@runtime_checkable
class Metered(Protocol):
    """An adapter whose pools can be monitored. `meter` is a method of the adapter itself."""

    def meter(self) -> Meter:
        """Make what monitors one pool."""


@dataclass(frozen=True)
class Wiring:
    """How a pool is tied into a test."""

    connect: Callable[[], Any]
    """Opens a real DB-API connection with the test's own identity."""
    clock: Clock
    time: TimeKind
    listen: Callable[[Entry], None] | None
    """Takes every event of a pool that tells what it does. Quick; safe to call under a lock.
    None: nobody listens. An entry has its time by `clock`, its actor, its kind and `by_pool`; a
    checkout that is queued, granted or failed also the pool's number of the acquire."""
    meter: Meter | None = None
    """What is to monitor the pool; for tests that ask for it."""


@dataclass(frozen=True)
class Place:
    """Where a pool is told that its database is, and how."""

    tenant: Tenant
    given: Given
    flaw: Flaw | None
    folder: Path
    """For the files of this pool; it exists, and is empty."""
    opened: Callable[[Any], None]
    """To be called with every connection that the pool has opened, for they are counted."""


class Stage(Protocol):
    """Where the scripted connections of one test are; they stand in for a server's."""

    def open(self) -> Any:
        """Open one, as a `connect` callable does; it is `OnStage`."""

    def alive(self) -> frozenset[int]:
        """Return the numbers of those that are open and have not lost their server."""

    def kill(self, number: int) -> None:
        """Let one lose its server, without knowing it yet."""


class ForeignConnections(Protocol):
    """Connections that are not the pool's own, for those pools that can be given any.

    An adapter has them as its attribute `foreign`.
    """

    def plain(self, tenant: Tenant) -> Callable[[], Any]:
        """Return what opens one connection of the plain driver."""

    def stage(self, clock: Clock, plan: Callable[[Call], Plan], minimal: bool) -> Stage:
        """Make a stage, whose connections do what is planned for each call.

        `minimal` ones can do no more than DB-API asks.
        """


@dataclass(frozen=True, slots=True)
class LoanSeen:
    """What a pool knows of one loan."""

    holder: str | None
    """The thread or task that borrowed."""
    seconds: float
    where: tuple[str, ...]
    """Places in the program, as `file:line function`."""


@dataclass(frozen=True, slots=True)
class HealthSeen:
    """What a pool says of its health."""

    status: str
    """healthy, degraded or unhealthy"""
    reasons: tuple[str, ...]
    """What is wrong, in the pool's words."""
    figures: Mapping[str, int]
    """The figures that it rests on, by `StatName`; none where the pool counts nothing."""


class Controls(Protocol):
    """What can be done to a pool in its life, for those pools where it can be.

    An adapter has them as its attribute `controls`, and needs no others than its capabilities say.
    """

    def transaction(self, pool: Any) -> AbstractContextManager[Any]:
        """Borrow for a unit of work: committed at the end of the block, or rolled back."""

    def resize(self, pool: Any, size: int | None, max_overflow: int | None) -> None:
        """Change the pool's limits; None leaves one as it is."""

    def suspend(self, pool: Any) -> None:
        """Hand out nothing until `resume`."""

    def resume(self, pool: Any) -> None:
        """Hand out again."""

    def maintain(self, pool: Any) -> None:
        """Do one round of housekeeping."""

    def expect_one(self, cursor: Any) -> None:
        """Raise a conflict unless the statement just run changed exactly one row."""

    def loans(self, pool: Any) -> list[LoanSeen]:
        """Return what is on loan, the longest loan first."""

    def keep(self, pool: Any, interval: float) -> AbstractContextManager[None]:
        """Have a pool looked after every so many seconds of real time, within the block."""

    def drain(self, pool: Any, seconds: float) -> None:
        """Close the pool for good, waiting so long for what is on loan."""

    def health(self, pool: Any) -> HealthSeen:
        """Return the pool's verdict on itself, and what it rests on."""


class Configuring(Protocol):
    """What an adapter can do as well, for those pools that are told where their database is.

    `open` is a method of the adapter itself.
    """

    def open(self, options: Options, place: Place, wiring: Wiring) -> Any:
        """Make a pool that connects by itself. `wiring` has its clock and its listener."""


@runtime_checkable
class PoolAdapter(Protocol):
    """Drives one kind of pool. `pool` and `connection` are whatever the pool's library uses."""

    name: str
    capabilities: frozenset[Capability]

    def clock(self, time: TimeKind) -> Clock:
        """Return a clock that the pool and the lab can share."""

    def opener(self, tenant: Tenant) -> Callable[[], Any]:
        """Return what opens one connection the way this pool does. A PyMySQL connection."""

    def create(self, options: Options, wiring: Wiring) -> Any:
        """Make a pool."""

    def global_pool(self, options: Options, wiring: Wiring) -> Any:
        """Return the process-wide pool."""

    def acquire(self, pool: Any, timeout: float | None) -> Any:
        """Borrow a connection; `timeout` None is the pool's own.

        What is lent is a PyMySQL connection, or passes on its `thread_id`, `cursor`, `query` and
        `commit`, and whatever `dirt` looks at.
        """

    def release(self, pool: Any, connection: Any) -> None:
        """Give a connection, or None, back."""

    def block(self, pool: Any) -> AbstractContextManager[Any]:
        """Return the pool as a context manager that borrows for the length of a block."""

    def stats(self, pool: Any) -> Mapping[str, int]:
        """Return the pool's figures by `StatName`."""

    def close_all(self, pool: Any) -> None:
        """Empty the pool."""

    def close(self, pool: Any) -> None:
        """Close the pool for good."""

    def dirt(self, connection: Any) -> str:
        """Say what of its last use still clings to a connection; empty for a clean one."""

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Say what an exception means; None where it is neither the pool's nor its driver's."""
