"""The result of a load: what the clients counted, in all and by kind, and the checks on it."""

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from textwrap import shorten
from typing import Any

from poolspec.lab.comparisons import Expected, mismatch
from poolspec.lab.load.latencies import Latencies
from poolspec.lab.load.machine import Spent
from poolspec.lab.load.numbers import Numbers
from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import ErrorKind

__tracebackhide__ = True  # a failure is shown where the test failed

MOST_OF_A_TEXT = 200
"""The most characters of an error that a failure shows."""


@dataclass(slots=True)
class Tally:
    """The operations of one load, or of one kind in it."""

    errors: Counter[ErrorKind] = field(default_factory=Counter)
    first: dict[ErrorKind, str] = field(default_factory=dict)
    """The text of the first error of each kind."""
    refused: Counter[int] = field(default_factory=Counter)
    """Requests whose answer was not a success, by status."""
    latencies: Latencies = field(default_factory=Latencies)
    """The time of each successful operation."""

    @property
    def succeeded(self) -> int:
        """The operations that succeeded."""
        return self.latencies.count

    @property
    def failed(self) -> int:
        """The operations that failed."""
        return self.errors.total() + self.refused.total()

    def counts(self, elapsed: float) -> dict[str, float]:
        """Return operations, succeeded, failed, success_rate and throughput (per second)."""
        operations = self.succeeded + self.failed
        return {
            "operations": operations,
            "succeeded": self.succeeded,
            "failed": self.failed,
            "success_rate": self.succeeded / operations if operations else 1.0,
            "throughput": _per_second(operations, elapsed),
        }

    def figures(self, elapsed: float) -> dict[str, Any]:
        """Return the successful operations, the failed ones, and throughput and latency."""
        throughput = _per_second(self.succeeded, elapsed)
        done = {"operations": self.succeeded, "failed": self.failed, "throughput": throughput}
        found = (done | self.latencies.figures()).items()
        return {name: round(value, 6) for name, value in found if math.isfinite(value)}


@dataclass(slots=True)
class LoadResult:
    """The result of a load. Clients fill it in; the test reads it after they have ended."""

    name: str = "load"
    """The label of the load."""
    clients: int = 1
    kinds: dict[str, Tally] = field(default_factory=dict)
    """The operations of each kind: an `Operation`, or a request such as `GET /visits`."""
    written: Numbers = field(default_factory=Numbers)
    """Numbers of the rows whose commit was acknowledged."""
    lost_writes: int = 0
    not_started: int = 0
    """Operations that were due and had not begun when the load ended."""
    elapsed: float = 0.0
    """Seconds from the end of the warm-up to the end of the load."""
    spent: Spent = field(default_factory=Spent)
    """From the start of the load to its end."""
    whole: Tally = field(default_factory=Tally)
    """The operations of all kinds."""
    by_client: Counter[int] = field(default_factory=Counter)
    """The successful operations of each client."""
    _lock: FreshLock = field(default_factory=FreshLock, repr=False, compare=False)
    """Guards all of it: clients may be threads."""

    def note_success(self, seconds: float, kind: str = "", client: int = 0) -> None:
        """Count an operation that succeeded."""
        with self._lock:
            for tally in self._tallies(kind):
                tally.latencies.note(seconds)
            self.by_client[client] += 1

    def note_error(self, error: ErrorKind, kind: str = "", text: str = "") -> None:
        """Count an operation that failed, and keep the text of the first error of its kind."""
        with self._lock:
            for tally in self._tallies(kind):
                tally.errors[error] += 1
                tally.first.setdefault(error, shorten(text, MOST_OF_A_TEXT))

    def note_refusal(self, status: int, kind: str = "") -> None:
        """Count a request whose answer was not a success."""
        with self._lock:
            for tally in self._tallies(kind):
                tally.refused[status] += 1

    def note_write(self, number: int) -> None:
        """Note a row whose commit was acknowledged."""
        with self._lock:
            self.written.add(number)

    def expect(self, **expected: Expected) -> None:
        """Check operations, succeeded, failed, lost_writes, success_rate, throughput, fairness."""
        counts = self.whole.counts(self.elapsed)
        own = {"lost_writes": self.lost_writes, "not_started": self.not_started}
        seen = {**counts, **own, "fairness": self._fairness()}
        wanted = expected.get("throughput")
        if wanted is not None and mismatch("throughput", wanted, seen["throughput"]):
            seen["throughput"] = self._granted_throughput()
        _check(expected, seen, _context(self.whole))

    def expect_errors(self, expected: Mapping[ErrorKind, Expected]) -> None:
        """Check how many operations failed with each kind of error."""
        _check_errors(self.whole, expected)

    def expect_only_errors(self, *kinds: ErrorKind) -> None:
        """Check that every failed operation failed with one of these kinds of error."""
        _check_only_errors(self.whole, kinds)

    def expect_latency(self, expected: Mapping[str, Expected]) -> None:
        """Check seconds per operation: mean, max, p50, p90, p95, p99, p99.9."""
        _check_latency(self.whole, expected)

    def of(self, kind: str) -> "KindResult":
        """Return the result of one kind of operation."""
        return KindResult(kind, self.kinds.get(kind) or Tally(), self.elapsed)

    def figures(self) -> dict[str, Any]:
        """Return the figures of the load and of each kind, as a results file has them."""
        kinds = {kind: tally.figures(self.elapsed) for kind, tally in sorted(self.kinds.items())}
        whole = self.whole.figures(self.elapsed)
        cpu = round(self.spent.cpu / self.whole.succeeded, 9)
        own = {"not_started": self.not_started, "cpu": cpu}
        return {"load": self.name, **whole, **own, "kinds": kinds}

    def _tallies(self, kind: str) -> tuple[Tally, ...]:
        """Return the tallies that an operation counts in. The lock is held."""
        if not kind:
            return (self.whole,)
        if kind not in self.kinds:
            self.kinds[kind] = Tally()
        return (self.whole, self.kinds[kind])

    def _granted_throughput(self) -> float:
        """Return operations per second of the time in which the machine let the load run."""
        operations = self.whole.succeeded + self.whole.failed
        return _per_second(operations, self.spent.granted(self.elapsed))

    def _fairness(self) -> float:
        return jain(self.by_client[client] for client in range(self.clients))


@dataclass(frozen=True, slots=True)
class KindResult:
    """The result of one kind of operation of a load."""

    kind: str
    tally: Tally
    elapsed: float

    def expect(self, **expected: Expected) -> None:
        """Check operations, succeeded, failed, success_rate and throughput (per second)."""
        _check(expected, self.tally.counts(self.elapsed), _context(self.tally), f"{self.kind}: ")

    def expect_errors(self, expected: Mapping[ErrorKind, Expected]) -> None:
        """Check how many operations failed with each kind of error."""
        _check_errors(self.tally, expected, f"{self.kind}: ")

    def expect_only_errors(self, *kinds: ErrorKind) -> None:
        """Check that every failed operation failed with one of these kinds of error."""
        _check_only_errors(self.tally, kinds, f"{self.kind}: ")

    def expect_latency(self, expected: Mapping[str, Expected]) -> None:
        """Check seconds per operation: mean, max, p50, p90, p95, p99, p99.9."""
        _check_latency(self.tally, expected, f"{self.kind}: ")


def jain(shares: Iterable[float]) -> float:
    """Return Jain's fairness index: 1 if all shares are equal, 1/n if one of n has everything."""
    given = list(shares)
    squares = sum(share * share for share in given)
    return sum(given) ** 2 / (len(given) * squares) if squares else 1.0


def _per_second(operations: int, elapsed: float) -> float:
    if not operations:
        return 0.0
    return operations / elapsed if elapsed else math.inf


def _context(tally: Tally) -> str:
    refused = f"; statuses: {dict(tally.refused)}" if tally.refused else ""
    return f"errors: {_errors(tally) or 'none'}{refused}"


def _errors(tally: Tally, besides: Collection[ErrorKind] = ()) -> str:
    """Return the number of errors of each kind, with the first one; not of some kinds."""
    found = [
        f"{count} × {kind}" + (f", the first: {text}" if (text := tally.first.get(kind)) else "")
        for kind, count in tally.errors.items()
        if kind not in besides
    ]
    return "; ".join(found)


def _check_errors(tally: Tally, expected: Mapping[ErrorKind, Expected], of: str = "") -> None:
    seen = {kind.value: tally.errors[kind] for kind in expected}
    wanted = {kind.value: count for kind, count in expected.items()}
    _check(wanted, seen, _context(tally) if tally.errors else "", of)


def _check_only_errors(tally: Tally, kinds: Iterable[ErrorKind], of: str = "") -> None:
    allowed = tuple(kinds)
    if others := _errors(tally, allowed):
        names = ", ".join(allowed)
        raise AssertionError(f"{of}expected no errors but {names}; there were: {others}")


def _check_latency(tally: Tally, expected: Mapping[str, Expected], of: str = "") -> None:
    if not tally.succeeded:
        raise AssertionError(f"{of}no operation succeeded, so there is no latency to check")
    _check(expected, tally.latencies.figures(), f"{tally.succeeded} operations", of)


def _check(
    expected: Mapping[str, Expected], seen: Mapping[str, float], context: str, of: str = ""
) -> None:
    wrong = [mismatch(name, value, seen[name]) for name, value in expected.items()]
    found = [text for text in wrong if text]
    if found:
        raise AssertionError(of + "; ".join(found) + (f" ({context})" if context else ""))
