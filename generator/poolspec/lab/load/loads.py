"""The loads of one test: planned before the clients start, and evaluated after they have ended.

It makes no difference whether the clients are threads, tasks or an executor's workers. Rows are
numbered across all loads of a test. A write is lost if its commit was acknowledged and a connection
that belongs to no pool cannot find its row. Planning and evaluation may query the server.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.observer import Observer
from poolspec.lab.load.result import LoadResult
from poolspec.lab.load.tasks import (
    CREATE,
    ROWS_OF_A_STREAM,
    TABLE,
    Running,
    Stream,
    Task,
    plan,
    queues_of,
)
from poolspec.lab.load.terms import LoadTerms
from poolspec.vocabulary import Operation

__tracebackhide__ = True  # a failure is shown where the test failed

SHOWN = 3
"""How many lost rows are named."""

Kinds = Mapping[Operation, int]
READS: Kinds = {Operation.READ: 1}
"""The mix of a load that states none."""


@dataclass(slots=True)
class Planned:
    """A load with an end, before it runs."""

    name: str
    tasks: list[Task]
    queues: list[deque[Task]]
    """The same tasks, as the clients take them."""
    started: float
    result: LoadResult = field(default_factory=LoadResult)


class Loads:
    """All loads of one test."""

    def __init__(self, observer: Observer, now: Callable[[], float]) -> None:
        self._observer = observer
        self._now = now
        self._rows = 0
        """The number of the next row."""
        self._has_table = False
        self._running: list[Running] = []
        self._ended: list[LoadResult] = []
        self._lost_rows: set[int] = set()

    def plan(self, terms: LoadTerms) -> Planned:
        """Plan operations on a pool, and create the table for them."""
        clients, operations, each = terms["clients"], terms.get("operations"), terms.get("each")
        kinds = operations if isinstance(operations, Mapping) else terms.get("mix", READS)
        total = operations if isinstance(operations, int) else None
        total = total if each is None else each * clients
        tasks = plan(kinds, total, terms.get("hold"), first=self._rows)
        self._make_table(kinds)
        queues = queues_of(tasks, clients, shared=each is None)
        return Planned(self._next_name(len(tasks)), tasks, queues, self._now())

    def plan_requests(self, terms: LoadTerms) -> Planned:
        """Plan requests to a web application, by their numbers."""
        tasks = plan(terms["requests"], None, None)
        queues = queues_of(tasks, terms["clients"], shared=True)
        return Planned(self._next_name(len(tasks)), tasks, queues, self._now())

    def begin(self, terms: LoadTerms) -> Running:
        """Plan a load that runs until it is stopped."""
        clients, kinds, first = terms["clients"], terms.get("mix", READS), self._rows
        self._make_table(kinds)
        hold = terms.get("hold")
        streams = [Stream(kinds, hold, first + n, clients) for n in range(clients)]
        running = Running(self._next_name(ROWS_OF_A_STREAM), streams, self._now())
        self._running.append(running)
        return running

    def stop(self, result: LoadResult) -> Running:
        """Let no client of a load start another operation."""
        (running,) = (one for one in self._running if one.result is result)
        self._running.remove(running)
        running.stop()
        return running

    def stop_all(self) -> None:
        """Stop loads that a failed test has left running."""
        for running in self._running:
            running.stop()

    def sum_up(self, load: Planned | Running) -> LoadResult:
        """Complete the result of a load whose clients have ended."""
        load.result.elapsed = self._now() - load.started
        lost = self._lost(load.result.written)
        load.result.lost_writes = len(lost)
        self._lost_rows |= lost
        self._ended.append(load.result)
        return load.result

    def figures(self) -> list[dict[str, float]]:
        """Return the figures of every load that has ended and in which an operation succeeded."""
        return [result.figures() for result in self._ended if result.seconds]

    def _next_name(self, rows: int) -> str:
        """Return the name of a load that may write this many rows."""
        name = f"load{self._rows}"
        self._rows += rows
        return name

    def _make_table(self, kinds: Kinds) -> None:
        if not self._has_table and kinds.keys() & {Operation.WRITE, Operation.COMPLEX}:
            self._observer.own().run(CREATE)
            self._has_table = True

    def lost_writes(self) -> Iterator[Finding]:
        """Report the rows whose commit was acknowledged and that are not in the database."""
        if self._lost_rows:
            rows = ", ".join(map(str, sorted(self._lost_rows)[:SHOWN]))
            text = f"{len(self._lost_rows)} committed rows are not in the database, such as {rows}"
            yield Finding(Defect.LOST_WRITE, text)

    def _lost(self, written: set[int]) -> set[int]:
        if not written:
            return set()
        rows = self._observer.own().run(f"SELECT number FROM {TABLE}")
        return written - {number for (number,) in rows}
