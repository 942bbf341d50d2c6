"""The lab: the words that generated tests are written in.

Everything a generated test calls is a method of `Lab`, of the pool or a connection it hands out, or
of the result of its load. Times are seconds of the test's clock.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from poolspec.runtime import invariants
from poolspec.runtime.actors import Actor
from poolspec.runtime.bench import Bench
from poolspec.runtime.borrowing import Held, Pool
from poolspec.runtime.checks import Expected, mismatch
from poolspec.runtime.clients import CREATE, TABLE, Clients, ExecutorRun, Habits, run_in_threads
from poolspec.runtime.load import LoadResult, plan
from poolspec.vocabulary import ErrorKind, EventKind, Operation, Runner, Via

__tracebackhide__ = True  # a failure is shown where the test failed


class Lab(Bench):
    """What a generated test works with. Its methods belong to the test's main thread."""

    _rows = 0
    """Rows that loads of this test may have written: the number of the next one."""
    _has_table = False

    # --- actors and time -----------------------------------------------------------------------

    def start(self, *actors: Actor) -> None:
        """Start actors; all leave a barrier at the same moment."""
        self._crew.start(actors)

    def join(self, *names: str) -> None:
        """Wait for actors to end; raise what one of them raised."""
        self._crew.join(names)

    def wait_until_waiting(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, are in the pool's queue."""
        if name is None:
            self._log.wait_until(lambda: len(self._waiting()) >= count)
        else:
            members = set(self._crew.members(name))
            self._log.wait_until(lambda: members <= set(self._waiting()))

    def wait_until_holding(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, hold a connection."""
        if name is None:
            self._log.wait_until(lambda: len(self._holding()) >= count)
        else:
            members = set(self._crew.members(name))
            self._log.wait_until(lambda: members <= self._holding())

    def wait_until_done(self, name: str | None = None, *, count: int = 0) -> None:
        """Wait until an actor, or at least `count` of them, have ended."""
        if name is None:
            self._log.wait_until(lambda: self._crew.count_done() >= count)
        else:
            self._log.wait_until(lambda: self._crew.is_done(name))

    def advance(self, seconds: float) -> None:
        """Let that time pass."""
        self._clock.sleep(seconds)

    @contextmanager
    def took(self, expected: Expected) -> Iterator[None]:
        """Check how long the block takes, in seconds of the test's clock."""
        started = self._clock.now()
        yield
        _demand(mismatch("took", expected, self._clock.now() - started))

    @contextmanager
    def fails(self, kind: ErrorKind, *, took: Expected | None = None) -> Iterator[None]:
        """Check that the block fails in this way, and how long it takes to."""
        started = self._clock.now()
        try:
            yield
        except Exception as error:
            if self._adapter.kind_of(error) is not kind:
                error.add_note(f"expected to fail with: {kind}")
                raise
        else:
            raise AssertionError(f"expected to fail with {kind}, but it succeeded")
        if took is not None:
            _demand(mismatch("took", took, self._clock.now() - started))

    # --- load ------------------------------------------------------------------------------------

    def load(
        self,
        *,
        clients: int,
        operations: int | Mapping[Operation, int] | None = None,
        each: int | None = None,
        mix: Mapping[Operation, int] | None = None,
        hold: tuple[float, float] | None = None,
        timeout: float | None = None,
        via: Via = Via.ACQUIRE,
        runner: Runner = Runner.THREADS,
    ) -> LoadResult:
        """Let `clients` clients do operations on the test's pool and wait until all are done.

        `operations` are shared out among the clients (a number, of the kinds of `mix`; or numbers
        by kind), `each` is for every client. `hold` is the range of seconds a connection is kept.
        """
        kinds = operations if isinstance(operations, Mapping) else mix or {Operation.READ: 1}
        total = operations if isinstance(operations, int) else None
        tasks = plan(kinds, total if each is None else each * clients, hold, first=self._rows)
        self._prepare_table(kinds, len(tasks))
        result = LoadResult()
        habits = Habits(via, timeout, self._clock, self._adapter.kind_of)
        crowd = Clients(self._only_pool(), habits, result)
        name, started = f"load{self._rows}", self._clock.now()
        if runner is Runner.EXECUTOR:
            ExecutorRun(self._clock, self._log, clients, name).run(crowd, tasks)
        elif each is None:
            run_in_threads(self._crew, name, crowd, [deque(tasks)] * clients)
        else:
            heaps = [deque(tasks[n::clients]) for n in range(clients)]
            run_in_threads(self._crew, name, crowd, heaps)
        result.elapsed = self._clock.now() - started
        result.lost_writes = self._lost(result.written)
        return result

    def _prepare_table(self, kinds: Mapping[Operation, int], rows: int) -> None:
        if not self._has_table and kinds.keys() & {Operation.WRITE, Operation.COMPLEX}:
            with self._observer.own().cursor() as cursor:
                cursor.execute(CREATE)
            self._has_table = True
        self._rows += rows

    def _lost(self, written: set[int]) -> int:
        if not written:
            return 0
        with self._observer.own().cursor() as cursor:
            cursor.execute(f"SELECT number FROM {TABLE}")
            return len(written - {number for (number,) in cursor.fetchall()})

    # --- expectations ----------------------------------------------------------------------------

    def expect_stats(self, **expected: Expected) -> None:
        """Check the pool's own figures, by `StatName`."""
        stats = self._only_pool().stats()
        _demand(*(mismatch(name, value, stats[name]) for name, value in expected.items()))

    def expect_server(
        self, *, connections: Expected | None = None, peak: Expected | None = None
    ) -> None:
        """Check the server's count of this test's pool connections, and the most open at once."""
        if connections is not None:
            wanted = connections
            seen = self._observer.connections(lambda n: mismatch("", wanted, n) is None)
            _demand(mismatch("connections at the server", wanted, seen))
        if peak is not None:
            _demand(mismatch("most connections at once", peak, self._only_pool().connector.peak))

    def expect_served(self, *actors: str) -> None:
        """Check the order in which actors were given what they had queued for."""
        seen = invariants.served(self._log.entries())
        if seen != list(actors):
            raise AssertionError(f"expected to be served in the order {list(actors)}, was {seen}")

    def expect_same(self, *things: Held | Pool) -> None:
        """Check that all are one connection, or one pool."""
        if len({_identity(thing) for thing in things}) != 1:
            raise AssertionError(f"expected one and the same, got {things}")

    def expect_different(self, *things: Held | Pool) -> None:
        """Check that no two are the same connection, or pool."""
        if len({_identity(thing) for thing in things}) != len(things):
            raise AssertionError(f"expected all different, got {things}")

    def expect_pools(self, expected: Expected) -> None:
        """Check how many different pools this test was given."""
        _demand(mismatch("different pools", expected, len(self._pools)))

    def expect_events(self, *kinds: EventKind, exactly: bool) -> None:
        """Check the kinds of event that the pool told: just these, or these in this order."""
        told = [entry.kind for entry in self._log.entries() if entry.by_pool]
        rest = iter(told)
        if told != list(kinds) if exactly else not all(kind in rest for kind in kinds):
            wanted = ", ".join(kinds)
            raise AssertionError(f"expected events {wanted}; the pool told {', '.join(told)}")

    # --- inside ----------------------------------------------------------------------------------

    def _waiting(self) -> list[str]:
        return invariants.waiting(self._log.entries())

    def _holding(self) -> set[str]:
        return {actor for pool in self._pools for actor in pool.holders()}


def _demand(*complaints: str | None) -> None:
    said = [text for text in complaints if text]
    if said:
        raise AssertionError("; ".join(said))


def _identity(thing: Held | Pool) -> int:
    return thing.number if isinstance(thing, Held) else id(thing.raw)
