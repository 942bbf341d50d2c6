"""The tasks of generated load: each client borrows a connection, uses it and releases it.

The spec determines the tasks, not chance: kinds of operation are interleaved evenly, and hold times
are spread evenly over their range. Only the scheduler decides which client does a task, and when.
The lab looks for every acknowledged write afterwards, on a connection that belongs to no pool.
"""

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol, TypeVar

from poolspec.lab.load.result import LoadResult

TABLE = "load_rows"
CREATE = f"CREATE TABLE {TABLE} (number INTEGER PRIMARY KEY, client INTEGER NOT NULL)"
INSERT = f"INSERT INTO {TABLE} VALUES (%s, %s)"
COUNT = f"SELECT client, COUNT(*) FROM {TABLE} GROUP BY client"

K = TypeVar("K", bound=str)
ROWS_OF_A_STREAM = 10_000_000
"""Numbers reserved for the rows of one load without end."""
REST = 0.01
"""Seconds that a client of a load without end rests after an operation that failed."""
GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Task:
    """One operation to do."""

    number: int
    kind: str
    """An `Operation`, or a request such as `GET /visits`."""
    hold: float
    """Seconds for which the client keeps the connection."""


def plan(
    kinds: Mapping[K, int],
    total: int | None,
    hold: tuple[float, float] | None,
    *,
    first: int = 0,
) -> list[Task]:
    """Plan operations: `kinds` are shares of `total`, or counts if `total` is None.

    `first` is the number of the first task; numbers name the rows that writes leave behind.
    """
    count = sum(kinds.values()) if total is None else total
    return list(islice(_tasks(kinds, hold, first, 1), count))


class TaskQueue(Protocol):
    """The queue from which a client takes its tasks."""

    def __len__(self) -> int:
        """Return 0 when no task is left."""

    def popleft(self) -> Task:
        """Take the next one. Raises IndexError when none is left."""


class Stream:
    """The endless tasks of one client, until it is stopped. Any thread may stop it."""

    def __init__(
        self,
        kinds: Mapping[K, int],
        hold: tuple[float, float] | None,
        first: int,
        step: int,
    ) -> None:
        self._tasks = _tasks(kinds, hold, first, step)
        self._stopped = False

    def __len__(self) -> int:
        """Return 1 until the stream is stopped."""
        return not self._stopped

    def popleft(self) -> Task:
        """Return the next task."""
        return next(self._tasks)

    def stop(self) -> None:
        """Leave no further task."""
        self._stopped = True


@dataclass(slots=True)
class Running:
    """A load that runs until it is stopped."""

    name: str
    streams: list[Stream]
    started: float
    result: LoadResult = field(default_factory=LoadResult)

    def clients(self) -> list[str]:
        """Return the names of the clients."""
        return [client_name(self.name, n) for n in range(len(self.streams))]

    def stop(self) -> None:
        """Let no client start another operation."""
        for stream in self.streams:
            stream.stop()


def client_name(load: str, index: int) -> str:
    """Return the name of a load's client."""
    return f"{load}-{index + 1}"


def queues_of(tasks: list[Task], clients: int, *, shared: bool) -> list[deque[Task]]:
    """Return each client's queue: one that all share, or one for each client."""
    if shared:
        return [deque(tasks)] * clients
    return [deque(tasks[n::clients]) for n in range(clients)]


def _tasks(
    kinds: Mapping[K, int], hold: tuple[float, float] | None, first: int, step: int
) -> Iterator[Task]:
    low, high = hold or (0.0, 0.0)
    for number, kind in enumerate(_interleave(kinds)):
        kept = low + (high - low) * (number * GOLDEN % 1.0)
        yield Task(first + step * number, kind, kept)


def _interleave(shares: Mapping[K, int]) -> Iterator[K]:
    # Smooth weighted round-robin: the kind that is furthest behind its share is next.
    credit = dict.fromkeys(shares, 0)
    whole = sum(shares.values())
    while True:
        for kind, share in shares.items():
            credit[kind] += share
        chosen = max(credit, key=lambda kind: credit[kind])
        credit[chosen] -= whole
        yield chosen
