"""The result of a load: what the clients counted, and the checks on it."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from poolspec.lab.comparisons import Expected, mismatch
from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed

PERCENTILES = ("p50", "p90", "p95", "p99", "p99.9")


@dataclass(slots=True)
class LoadResult:
    """The result of a load. Clients fill it in; the test reads it after they have ended."""

    succeeded: int = 0
    errors: Counter[ErrorKind] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    """Requests whose answer was not a success, by status."""
    seconds: list[float] = field(default_factory=list)
    """The time of each successful operation, from the acquire to the end of the release."""
    written: set[int] = field(default_factory=set)
    """Numbers of the rows whose commit was acknowledged."""
    lost_writes: int = 0
    elapsed: float = 0.0
    _lock: FreshLock = field(default_factory=FreshLock, repr=False, compare=False)
    """Guards all of it: clients may be threads."""

    def note_success(self, seconds: float) -> None:
        """Count an operation that succeeded."""
        with self._lock:
            self.succeeded += 1
            self.seconds.append(seconds)

    def note_error(self, kind: ErrorKind) -> None:
        """Count an operation that failed."""
        with self._lock:
            self.errors[kind] += 1

    def note_write(self, number: int) -> None:
        """Note a row whose commit was acknowledged."""
        with self._lock:
            self.written.add(number)

    def note_answer(self, status: int, seconds: float) -> None:
        """Count the answer to a request."""
        if 200 <= status < 300:
            self.note_success(seconds)
        else:
            with self._lock:
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
        """Check that every failed operation failed with one of these kinds of error."""
        others = {kind.value: n for kind, n in self.errors.items() if kind not in kinds}
        if others:
            raise AssertionError(f"expected no errors but {', '.join(kinds)}; there were: {others}")

    def expect_latency(self, expected: Mapping[str, Expected]) -> None:
        """Check seconds per operation: mean, max, p50, p90, p95, p99, p99.9 (nearest rank)."""
        if not self.seconds:
            raise AssertionError("no operation succeeded, so there is no latency to check")
        _check(expected, self._latency(), f"{len(self.seconds)} operations")

    def figures(self) -> dict[str, float]:
        """Return the number of operations, their throughput, and their latency in seconds."""
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


def _check(expected: Mapping[str, Expected], seen: Mapping[str, float], context: str) -> None:
    wrong = [mismatch(name, value, seen[name]) for name, value in expected.items()]
    found = [text for text in wrong if text]
    if found:
        raise AssertionError("; ".join(found) + (f" ({context})" if context else ""))
