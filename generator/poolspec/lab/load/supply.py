"""The supply of tasks of one load, from which its clients take them until it ends.

A closed load gives a task to each client that is free, so a slow pool slows the load down. An open
load has arrivals: a free client takes the next one and waits until it is due. If all clients are
busy, arrivals wait, and a late operation is timed from when it was due. That charges the pool for
its stalls (Gil Tene: without it, "coordinated omission"). Operations that were due and had not
begun when the load ended are counted as not started.

The warm-up comes first and does not count: the amounts and the duration of a load begin after it.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle
from typing import Protocol

from poolspec.lab.load.tasks import Task, Tasks
from poolspec.lifecycle.locks import FreshLock


class Waiter(Protocol):
    """One wait of a client."""

    def wake(self) -> object:
        """End the wait, or prevent it if it has not started."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The length of a load and the way it begins."""

    clients: int
    total: int | None = None
    """Operations in all; None: no limit."""
    each: int | None = None
    """Operations of every client; None: no limit."""
    duration: float | None = None
    """Seconds until the end, after the warm-up."""
    warm_up_count: int = 0
    """Operations that do not count."""
    warm_up_time: float = 0.0
    """Seconds whose operations do not count."""
    ramp: float = 0.0
    """Seconds within which the clients of a closed load start, one after another."""


class Supply:
    """Hands out the tasks of one load. Safe to use from any thread."""

    def __init__(
        self,
        tasks: Tasks,
        extent: Extent,
        now: Callable[[], float],
        arrivals: Iterator[float] | None = None,
    ) -> None:
        self._tasks, self._extent, self._now = tasks, extent, now
        self.started = now()
        self.counts_from: float | None = None
        """The end of the warm-up; None before it."""
        self.not_started = 0
        self.is_stopped = False
        self._arrivals = arrivals
        self._due = self._next_due()
        self._lanes = 1 if extent.each is None else extent.clients
        self._limit = extent.total if extent.each is None else extent.each
        self._given: Counter[int] = Counter()
        self._counted: Counter[int] = Counter()
        self._waiters: set[Waiter] = set()
        self._lock = FreshLock()

    @property
    def is_open(self) -> bool:
        """Whether operations are due at certain times."""
        return self._arrivals is not None

    def start_of(self, client: int) -> float:
        """Return the time at which a client starts."""
        ramp = 0.0 if self.is_open else self._extent.ramp
        return self.started + ramp * client / self._extent.clients

    def take(self, client: int) -> Task | None:
        """Return the next task of a client; None if the load is over."""
        with self._lock:
            lane, now = client % self._lanes, self._now()
            at = now if self._due is None else self._due
            index = self._given[lane] * self._lanes + lane
            counts = self._counts(index, at)
            if self.is_stopped or self._is_over(lane, at, now, counts=counts):
                return None
            self._given[lane] += 1
            self._counted[lane] += counts
            due, self._due = self._due, self._next_due()
            return self._tasks.task(index, due, counts=counts)

    def all(self) -> Iterator[Task]:
        """Yield the tasks of a closed load of some number of operations, in order."""
        for client in cycle(range(self._lanes)):
            if (task := self.take(client)) is None:
                return
            yield task

    def put_back(self, task: Task) -> None:
        """Note a task whose client stopped before it began."""
        with self._lock:
            if task.due is not None and task.due < self._now():
                self.not_started += 1

    def stop(self) -> None:
        """End the load: hand out no further task, and wake clients that wait for their turn."""
        with self._lock:
            if not self.is_stopped:
                self.is_stopped = True
                self._skip_until(self._now())
            waiters = list(self._waiters)
        for waiter in waiters:
            waiter.wake()

    @contextmanager
    def waking(self, waiter: Waiter) -> Iterator[None]:
        """Let `stop` end a wait."""
        with self._lock:
            self._waiters.add(waiter)
            if self.is_stopped:
                waiter.wake()
        try:
            yield
        finally:
            with self._lock:
                self._waiters.discard(waiter)

    def elapsed(self) -> float:
        """Return the seconds since the end of the warm-up."""
        return 0.0 if self.counts_from is None else self._now() - self.counts_from

    def _next_due(self) -> float | None:
        return None if self._arrivals is None else self.started + next(self._arrivals)

    def _counts(self, index: int, at: float) -> bool:
        """Return whether the warm-up is over. The lock is held."""
        extent = self._extent
        if index < extent.warm_up_count or at < self.started + extent.warm_up_time:
            return False
        if self.counts_from is None:
            begins = self.started if not extent.warm_up_count else at
            self.counts_from = max(begins, self.started + extent.warm_up_time)
        return True

    def _is_over(self, lane: int, at: float, now: float, *, counts: bool) -> bool:
        """Return whether the load ends before a task. The lock is held."""
        if counts and self._limit is not None and self._counted[lane] >= self._limit:
            return True
        if self._extent.duration is None or self.counts_from is None:
            return False
        end = self.counts_from + self._extent.duration
        if now < end and at < end:
            return False
        self._skip_until(end)
        return True

    def _skip_until(self, end: float) -> None:
        """Count the arrivals before a time as not started. The lock is held."""
        left = math.inf if self._limit is None else self._limit - self._counted.total()
        while self._due is not None and self._due < end and self.not_started < left:
            self.not_started += 1
            self._due = self._next_due()
