"""Generated load: many clients that borrow a connection, use it and give it back.

What is done is fixed by the spec, not by chance: the kinds of operation are interleaved evenly,
hold times are spread evenly over their range. Only who does what, and when, is left to the
scheduler. Every acknowledged write is looked for afterwards with a connection that no pool knows.
"""

import math
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol, TypeVar

from poolspec.lab.comparisons import Expected, mismatch
from poolspec.vocabulary import ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed

TABLE = "load_rows"
CREATE = f"CREATE TABLE {TABLE} (number INTEGER PRIMARY KEY, client INTEGER NOT NULL)"
INSERT = f"INSERT INTO {TABLE} VALUES (%s, %s)"
COUNT = f"SELECT client, COUNT(*) FROM {TABLE} GROUP BY client"

K = TypeVar("K", bound=str)
ROWS_OF_A_STREAM = 10_000_000
"""Numbers that are kept for the rows of one load without end."""
REST = 0.01
"""Seconds that a client of a load without end rests after an operation that failed."""
PERCENTILES = ("p50", "p90", "p95", "p99", "p99.9")
GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Task:
    """One operation to be done."""

    number: int
    kind: str
    """An `Operation`, or a request such as `GET /visits`."""
    hold: float
    """Seconds for which the connection is kept."""


@dataclass(slots=True)
class LoadResult:
    """What came of the load. Filled by the clients, read after they have ended."""

    succeeded: int = 0
    errors: Counter[ErrorKind] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    """Requests that were not answered with success, by status."""
    seconds: list[float] = field(default_factory=list)
    """Time of each successful operation, from asking for a connection to having given it back."""
    written: set[int] = field(default_factory=set)
    """Numbers of the rows whose commit was acknowledged."""
    lost_writes: int = 0
    elapsed: float = 0.0

    def note(self, status: int, seconds: float) -> None:
        """Note the answer to a request, and how long it took."""
        if 200 <= status < 300:
            self.succeeded += 1
            self.seconds.append(seconds)
        else:
            self.refused[status] += 1

    def expect(self, **expected: Expected) -> None:
        """Check operations, succeeded, failed, lost_writes, success_rate, throughput (per s)."""
        failed = self.errors.total() + self.refused.total()
        operations = self.succeeded + failed
        seen = {
            "operations": operations,
            "succeeded": self.succeeded,
            "failed": failed,
            "lost_writes": self.lost_writes,
            "success_rate": self.succeeded / operations if operations else 1.0,
            "throughput": self._throughput(operations),
        }
        refused = f"; statuses: {dict(self.refused)}" if self.refused else ""
        _check(expected, seen, f"errors: {dict(self.errors)}{refused}")

    def expect_errors(self, expected: Mapping[ErrorKind, Expected]) -> None:
        """Check how many operations failed with each kind of error."""
        seen = {kind.value: self.errors[kind] for kind in expected}
        _check({kind.value: count for kind, count in expected.items()}, seen, "")

    def expect_only_errors(self, *kinds: ErrorKind) -> None:
        """Check that no operation failed in another way than these."""
        others = {kind.value: n for kind, n in self.errors.items() if kind not in kinds}
        if others:
            raise AssertionError(f"expected no errors but {', '.join(kinds)}; there were: {others}")

    def expect_latency(self, expected: Mapping[str, Expected]) -> None:
        """Check seconds per operation: mean, max, p50, p90, p95, p99, p99.9 (nearest rank)."""
        if not self.seconds:
            raise AssertionError("no operation succeeded, so there is no latency to speak of")
        _check(expected, self._latency(), f"{len(self.seconds)} operations")

    def figures(self) -> dict[str, float]:
        """Return how much was done, how much of it in a second, and the seconds that it took."""
        done = {"operations": len(self.seconds), "throughput": self._throughput(self.succeeded)}
        return {name: round(value, 6) for name, value in (done | self._latency()).items()}

    def _throughput(self, operations: int) -> float:
        return operations / self.elapsed if self.elapsed else math.inf

    def _latency(self) -> dict[str, float]:
        times = sorted(self.seconds)
        by_rank = {name: percentile(times, name) for name in PERCENTILES}
        return {"mean": sum(times) / len(times), "max": times[-1], **by_rank}


def percentile(ordered: Sequence[float], name: str) -> float:
    """Return the nearest-rank percentile `p99.9` of ascending values."""
    rank = math.ceil(float(name[1:]) / 100 * len(ordered))
    return ordered[max(rank, 1) - 1]


def plan(
    kinds: Mapping[K, int],
    total: int | None,
    hold: tuple[float, float] | None,
    *,
    first: int = 0,
) -> list[Task]:
    """Lay out operations: `kinds` are shares of `total`, or counts where `total` is None.

    `first` is the number of the first task; numbers name the rows that writes leave behind.
    """
    count = sum(kinds.values()) if total is None else total
    return list(islice(_tasks(kinds, hold, first, 1), count))


class Heap(Protocol):
    """What a client takes its tasks from, until nothing is left."""

    def __len__(self) -> int:
        """Return 0 when nothing is left."""

    def popleft(self) -> Task:
        """Take the next one. Raises IndexError when nothing is left."""


class Stream:
    """The tasks of one client without end, until it is stopped; any thread may stop it."""

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
        """Say 1 while it goes on, whatever is to come."""
        return not self._stopped

    def popleft(self) -> Task:
        """Return the next task."""
        return next(self._tasks)

    def stop(self) -> None:
        """Have nothing left."""
        self._stopped = True


@dataclass(slots=True)
class Running:
    """A load that goes on until it is stopped."""

    name: str
    streams: list[Stream]
    started: float
    result: LoadResult = field(default_factory=LoadResult)

    def stop(self) -> None:
        """Let no client begin another operation."""
        for stream in self.streams:
            stream.stop()


def _tasks(
    kinds: Mapping[K, int], hold: tuple[float, float] | None, first: int, step: int
) -> Iterator[Task]:
    low, high = hold or (0.0, 0.0)
    for number, kind in enumerate(_interleave(kinds)):
        kept = low + (high - low) * (number * GOLDEN % 1.0)
        yield Task(first + step * number, kind, kept)


def heaps_of(tasks: list[Task], clients: int, *, shared: bool) -> list[deque[Task]]:
    """Return each client's heap of tasks: all work off the same one, or each one of its own."""
    if shared:
        return [deque(tasks)] * clients
    return [deque(tasks[n::clients]) for n in range(clients)]


def _interleave(shares: Mapping[K, int]) -> Iterator[K]:
    # Smooth weighted round-robin: whoever is furthest behind its share goes next.
    credit = dict.fromkeys(shares, 0)
    whole = sum(shares.values())
    while True:
        for kind, share in shares.items():
            credit[kind] += share
        chosen = max(credit, key=lambda kind: credit[kind])
        credit[chosen] -= whole
        yield chosen


def _check(expected: Mapping[str, Expected], seen: Mapping[str, float], context: str) -> None:
    wrong = [mismatch(name, value, seen[name]) for name, value in expected.items()]
    said = [text for text in wrong if text]
    if said:
        raise AssertionError("; ".join(said) + (f" ({context})" if context else ""))
