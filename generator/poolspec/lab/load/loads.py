"""The loads of one test: planned before the clients start, and evaluated after they have ended.

It makes no difference whether the clients are threads, tasks or an executor's workers. Rows are
numbered across all loads of a test. A write is lost if its commit was acknowledged and a connection
that belongs to no pool cannot find its row. Planning and evaluation may query the server.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.observer import Observer
from poolspec.lab.load.arrivals import arrivals
from poolspec.lab.load.machine import Usage
from poolspec.lab.load.numbers import Numbers
from poolspec.lab.load.result import LoadResult
from poolspec.lab.load.supply import Extent, Supply
from poolspec.lab.load.tasks import CREATE, NO_TIME, TABLE, Tasks, client_name
from poolspec.lab.load.terms import LoadTerms
from poolspec.vocabulary import Arrivals, Operation

__tracebackhide__ = True  # a failure is shown where the test failed

SHOWN = 3
"""How many lost rows are named."""
ROWS_OF_A_LOAD = 10_000_000
"""Numbers reserved for the rows of one load."""
READS = {Operation.READ: 1}
"""The mix of a load without one."""


@dataclass(frozen=True, slots=True)
class Generated:
    """One load: before, while and after it runs."""

    prefix: str
    """The start of the names of its clients."""
    supply: Supply
    result: LoadResult
    usage: Usage

    def clients(self) -> list[str]:
        """Return the names of the clients."""
        return [client_name(self.prefix, n) for n in range(self.result.clients)]


class Loads:
    """All loads of one test."""

    def __init__(self, observer: Observer, now: Callable[[], float]) -> None:
        self._observer = observer
        self._now = now
        self._begun = 0
        """Loads so far."""
        self._has_table = False
        self._running: list[Generated] = []
        self._ended: list[LoadResult] = []
        self._lost_rows: list[int] = []

    def plan(self, name: str, terms: LoadTerms) -> Generated:
        """Plan a load, and create the table that its writes need."""
        kinds = kinds_of(terms)
        first = self._begun * ROWS_OF_A_LOAD
        hold, think = terms.get("hold", NO_TIME), terms.get("think", NO_TIME)
        self._make_table(kinds, terms)
        tasks = Tasks(kinds, hold, think, first=first)
        supply = Supply(tasks, extent_of(terms), self._now, _arrivals_of(terms))
        usage = Usage(self._observer.server_process())
        load = Generated(f"load{self._begun}", supply, LoadResult(name, terms["clients"]), usage)
        self._begun += 1
        self._running.append(load)
        return load

    def stop(self, result: LoadResult) -> Generated:
        """Let no client of a load start another operation."""
        (load,) = (one for one in self._running if one.result is result)
        load.supply.stop()
        return load

    def stop_all(self) -> None:
        """Stop loads that a failed test has left running."""
        for load in self._running:
            load.supply.stop()

    def sum_up(self, load: Generated) -> LoadResult:
        """Complete the result of a load whose clients have ended."""
        result = load.result
        result.elapsed = load.supply.elapsed()
        result.spent = load.usage.spent()
        result.not_started = load.supply.not_started
        lost = self._lost(result.written)
        result.lost_writes = len(lost)
        self._lost_rows += lost
        self._running.remove(load)
        self._ended.append(result)
        return result

    def figures(self) -> list[dict[str, Any]]:
        """Return the figures of every load that has ended and in which an operation succeeded."""
        return [result.figures() for result in self._ended if result.whole.succeeded]

    def _make_table(self, kinds: Mapping[str, int], terms: LoadTerms) -> None:
        usual = kinds.keys() - terms.get("statements", {}).keys()
        if not self._has_table and usual & {Operation.WRITE, Operation.COMPLEX}:
            self._observer.own().run(CREATE)
            self._has_table = True

    def lost_writes(self) -> Iterator[Finding]:
        """Report the rows whose commit was acknowledged and that are not in the database."""
        if self._lost_rows:
            rows = ", ".join(map(str, sorted(self._lost_rows)[:SHOWN]))
            text = f"{len(self._lost_rows)} committed rows are not in the database, such as {rows}"
            yield Finding(Defect.LOST_WRITE, text)

    def _lost(self, written: Numbers) -> list[int]:
        """Return the numbers of rows that are not in the database; look for a few at a time."""
        lost: list[int] = []
        for low, end, numbers in written.blocks():
            sql = f"SELECT number FROM {TABLE} WHERE number >= {low} AND number < {end}"
            lost += numbers - {number for (number,) in self._observer.own().run(sql)}
        return lost


def kinds_of(terms: LoadTerms) -> Mapping[str, int]:
    """Return the kinds of a load's operations or requests, each with its share."""
    operations = terms.get("operations")
    by_kind = operations if isinstance(operations, Mapping) else terms.get("mix", READS)
    return {str(kind): share for kind, share in terms.get("requests", by_kind).items()}


def ends_by_time(terms: LoadTerms) -> bool:
    """Return whether a load ends after a time, or when it is stopped."""
    return not terms.keys() & {"operations", "each", "requests"}


def extent_of(terms: LoadTerms) -> Extent:
    """Return the length of a load."""
    operations, requests = terms.get("operations"), terms.get("requests")
    counts = requests or (operations if isinstance(operations, Mapping) else {})
    total = operations if isinstance(operations, int) else sum(counts.values()) or None
    warm_up = terms.get("warm_up", 0)
    return Extent(
        terms["clients"],
        total,
        terms.get("each"),
        terms.get("duration"),
        warm_up if isinstance(warm_up, int) else 0,
        0.0 if isinstance(warm_up, int) else warm_up,
        terms.get("ramp", 0.0),
    )


def _arrivals_of(terms: LoadTerms) -> Iterator[float] | None:
    rate = terms.get("rate")
    if rate is None:
        return None
    how = terms.get("arrivals", Arrivals.EVEN)
    return arrivals(rate, terms.get("ramp", 0.0), how, terms.get("seed", 1))
