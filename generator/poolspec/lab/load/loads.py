"""Traffic: what the clients of a load are to do is laid out here, and summed up afterwards.

Whether clients are threads, an executor's or tasks makes no difference to it. Rows that are written
are numbered through all loads of a test; a write is lost if its commit was acknowledged and its row
cannot be found by a connection that no pool knows. Laying out and summing up may ask the server.
"""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from poolspec.invariants.observer import Observer
from poolspec.lab.load.tasks import (
    CREATE,
    ROWS_OF_A_STREAM,
    TABLE,
    LoadResult,
    Running,
    Stream,
    Task,
    heaps_of,
    plan,
)
from poolspec.vocabulary import Operation

__tracebackhide__ = True  # a failure is shown where the test failed

Kinds = Mapping[Operation, int]
Range = tuple[float, float]


@dataclass(slots=True)
class Laid:
    """A load that is laid out, with an end."""

    name: str
    tasks: list[Task]
    heaps: list[deque[Task]]
    """The same tasks, as the clients take them."""
    started: float
    result: LoadResult = field(default_factory=LoadResult)


class Traffic:
    """All loads of one test."""

    def __init__(self, observer: Observer, now: Callable[[], float]) -> None:
        self._observer = observer
        self._now = now
        self._rows = 0
        """Rows that loads may have written: the number of the next one."""
        self._has_table = False
        self._running: list[Running] = []
        self._ended: list[LoadResult] = []

    def lay_out(
        self,
        clients: int,
        operations: int | Kinds | None,
        each: int | None,
        mix: Kinds | None,
        hold: Range | None,
    ) -> Laid:
        """Lay out operations on a pool, in the words of a `load`; the pool has a table for them."""
        kinds = operations if isinstance(operations, Mapping) else mix or {Operation.READ: 1}
        total = operations if isinstance(operations, int) else None
        total = total if each is None else each * clients
        tasks = plan(kinds, total, hold, first=self._rows)
        self._make_table(kinds)
        heaps = heaps_of(tasks, clients, shared=each is None)
        return Laid(self._next_name(len(tasks)), tasks, heaps, self._now())

    def lay_out_requests(self, clients: int, requests: Mapping[str, int]) -> Laid:
        """Lay out requests to a web application, so many of each."""
        tasks = plan(requests, None, None)
        heaps = heaps_of(tasks, clients, shared=True)
        return Laid(self._next_name(len(tasks)), tasks, heaps, self._now())

    def begin(self, clients: int, mix: Kinds | None, hold: Range | None) -> Running:
        """Make a load that goes on until it is stopped."""
        kinds, first = mix or {Operation.READ: 1}, self._rows
        self._make_table(kinds)
        streams = [Stream(kinds, hold, first + n, clients) for n in range(clients)]
        running = Running(self._next_name(ROWS_OF_A_STREAM), streams, self._now())
        self._running.append(running)
        return running

    def stop(self, result: LoadResult) -> Running:
        """Let no client of a load begin another operation."""
        (running,) = (one for one in self._running if one.result is result)
        self._running.remove(running)
        running.stop()
        return running

    def stop_all(self) -> None:
        """End loads that a failed test has left running."""
        for running in self._running:
            running.stop()

    def sum_up(self, load: Laid | Running) -> LoadResult:
        """Complete the result of a load whose clients have ended."""
        load.result.elapsed = self._now() - load.started
        load.result.lost_writes = self._lost(load.result.written)
        self._ended.append(load.result)
        return load.result

    def figures(self) -> list[dict[str, float]]:
        """Return the figures of every load that has ended and in which anything succeeded."""
        return [result.figures() for result in self._ended if result.seconds]

    def _next_name(self, rows: int) -> str:
        """Return the name of a load that may write so many rows."""
        name = f"load{self._rows}"
        self._rows += rows
        return name

    def _make_table(self, kinds: Kinds) -> None:
        if not self._has_table and kinds.keys() & {Operation.WRITE, Operation.COMPLEX}:
            with self._observer.own().cursor() as cursor:
                cursor.execute(CREATE)
            self._has_table = True

    def _lost(self, written: set[int]) -> int:
        if not written:
            return 0
        with self._observer.own().cursor() as cursor:
            cursor.execute(f"SELECT number FROM {TABLE}")
            return len(written - {number for (number,) in cursor.fetchall()})
