"""Generated load: many clients that borrow a connection, use it and give it back.

What is done is fixed by the spec, not by chance: the kinds of operation are interleaved evenly,
hold times are spread evenly over their range. Only who does what, and when, is left to the
scheduler. Every acknowledged write is looked for afterwards with a connection that no pool knows.
"""

import math
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from poolspec.runtime.checks import Expected, mismatch
from poolspec.vocabulary import ErrorKind, Operation

__tracebackhide__ = True  # a failure is shown where the test failed

TABLE = "load_rows"
CREATE = f"CREATE TABLE {TABLE} (number INTEGER PRIMARY KEY, client INTEGER NOT NULL)"
INSERT = f"INSERT INTO {TABLE} VALUES (%s, %s)"
COUNT = f"SELECT client, COUNT(*) FROM {TABLE} GROUP BY client"

GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Task:
    """One operation to be done."""

    number: int
    kind: Operation
    hold: float
    """Seconds for which the connection is kept."""


@dataclass(slots=True)
class LoadResult:
    """What came of the load. Filled by the clients, read after they have ended."""

    succeeded: int = 0
    errors: Counter[ErrorKind] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    """Time of each successful operation, from asking for a connection to having given it back."""
    written: set[int] = field(default_factory=set)
    """Numbers of the rows whose commit was acknowledged."""
    lost_writes: int = 0
    elapsed: float = 0.0

    def expect(self, **expected: Expected) -> None:
        """Check operations, succeeded, failed, lost_writes, success_rate, throughput (per s)."""
        failed = self.errors.total()
        operations = self.succeeded + failed
        seen = {
            "operations": operations,
            "succeeded": self.succeeded,
            "failed": failed,
            "lost_writes": self.lost_writes,
            "success_rate": self.succeeded / operations if operations else 1.0,
            "throughput": operations / self.elapsed if self.elapsed else math.inf,
        }
        _check(expected, seen, f"errors: {dict(self.errors)}")

    def expect_errors(self, expected: Mapping[ErrorKind, Expected]) -> None:
        """Check how many operations failed with each kind of error."""
        seen = {kind.value: self.errors[kind] for kind in expected}
        _check({kind.value: count for kind, count in expected.items()}, seen, "")

    def expect_latency(self, expected: Mapping[str, Expected]) -> None:
        """Check seconds per operation: mean, max, p50, p90, p95, p99, p99.9 (nearest rank)."""
        if not self.seconds:
            raise AssertionError("no operation succeeded, so there is no latency to speak of")
        times = sorted(self.seconds)
        seen = {"mean": sum(times) / len(times), "max": times[-1]}
        seen |= {name: percentile(times, name) for name in expected if name.startswith("p")}
        _check(expected, seen, f"{len(times)} operations")


def percentile(ordered: Sequence[float], name: str) -> float:
    """Return the nearest-rank percentile `p99.9` of ascending values."""
    rank = math.ceil(float(name[1:]) / 100 * len(ordered))
    return ordered[max(rank, 1) - 1]


def plan(
    kinds: Mapping[Operation, int],
    total: int | None,
    hold: tuple[float, float] | None,
    *,
    first: int = 0,
) -> list[Task]:
    """Lay out operations: `kinds` are shares of `total`, or counts where `total` is None.

    `first` is the number of the first task; numbers name the rows that writes leave behind.
    """
    count = sum(kinds.values()) if total is None else total
    low, high = hold or (0.0, 0.0)
    return [
        Task(first + number, kind, low + (high - low) * (number * GOLDEN % 1.0))
        for number, kind in enumerate(_interleave(kinds, count))
    ]


def heaps_of(tasks: list[Task], clients: int, *, shared: bool) -> list[deque[Task]]:
    """Return each client's heap of tasks: all work off the same one, or each one of its own."""
    if shared:
        return [deque(tasks)] * clients
    return [deque(tasks[n::clients]) for n in range(clients)]


def _interleave(shares: Mapping[Operation, int], count: int) -> Iterator[Operation]:
    # Smooth weighted round-robin: whoever is furthest behind its share goes next.
    credit = dict.fromkeys(shares, 0)
    whole = sum(shares.values())
    for _ in range(count):
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
