"""The event log: what happened in a test, in order, and which actor did it.

It has two sources. The lab logs what an actor saw (checkout started, checked out, checked in) and
every socket that was opened or closed. A pool with listeners adds its own events (queued, granted,
and the figures after each transition). The log keeps the order in which entries arrive under its
lock. To wait for something is to wait for the log to grow.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any, NamedTuple

from poolspec.invariants.marks import ROUNDS
from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import EventKind

__tracebackhide__ = True  # a failure is shown where the test failed


MAIN = "main"
SILENT = 0.5
acting_for: ContextVar[str] = ContextVar("acting_for", default="")
"""The actor whose request a web application handles; empty if an actor acts for itself."""


def current_actor() -> str:
    """Return the name of the actor that the calling task or thread is, or acts for."""
    return actor_of(current_task())


def current_task() -> "asyncio.Task[Any] | None":
    """Return the task that calls; None in a thread without an event loop, or outside tasks."""
    loop = asyncio._get_running_loop()  # raises nothing: exceptions take most of the time
    return None if loop is None else asyncio.current_task(loop)


def actor_of(task: "asyncio.Task[Any] | None") -> str:
    """Return the name of the actor that the calling task or thread is, or acts for."""
    if asked_by := acting_for.get():
        return asked_by
    if task is not None:
        return task.get_name()
    thread = threading.current_thread()
    return MAIN if thread is threading.main_thread() else thread.name


class Figures(NamedTuple):
    """The pool's own counts after a transition."""

    idle: int
    waiting: int
    total: int

    def __str__(self) -> str:
        """Return the text at the end of a time line's line."""
        return f"[idle {self.idle}, waiting {self.waiting}, total {self.total}]"


class Entry(NamedTuple):
    """One line of the log."""

    at: float
    actor: str
    kind: EventKind | str
    by_pool: bool = False
    """Whether the pool reported it; otherwise the lab saw it."""
    pool: int = 0
    """The number of the pool in the test; 0 if the entry is about none, or the only one."""
    connection: int | None = None
    """The connection's number at the server (lab) or in the pool (pool)."""
    ticket: int | None = None
    """The serial number of the call: in the test (lab), or of the acquire in its pool (pool)."""
    detail: str = ""
    figures: Figures | None = None
    was: int | None = None
    """The number at the server that a connection had before it connected again."""

    def __str__(self) -> str:
        """Return a line of a time line."""
        parts = [
            f"{self.at:12.6f}  {self.actor:<14}",
            "pool" if self.by_pool else "    ",
            self.kind,
        ]
        if self.connection is not None:
            whose = "" if self.by_pool else "server's "
            parts.append(f"{whose}connection {self.connection}")
        if self.was is not None:
            parts.append(f"before {self.was}")
        if self.ticket is not None:
            parts.append(f"ticket {self.ticket}")
        if self.detail:
            parts.append(self.detail)
        if self.figures is not None:
            parts.append(str(self.figures))
        return "  ".join(parts)


class Log:
    """Only grows. Any thread may add; readers get a copy."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self._lock = FreshLock()
        self._entries: list[Entry] = []
        self._grew_at = 0.0
        self._watchers: list[Callable[[], object]] = []
        self.end: tuple[int, float] | None = None
        """The length of the log and the time when the test's steps were over."""

    def add(
        self,
        kind: EventKind | str,
        *,
        pool: int = 0,
        connection: int | None = None,
        detail: str = "",
        was: int | None = None,
    ) -> None:
        """Log what the calling actor saw."""
        self.append(
            Entry(
                self.now(),
                current_actor(),
                kind,
                pool=pool,
                connection=connection,
                detail=detail,
                was=was,
            )
        )

    def append(self, entry: Entry) -> None:
        """Log an entry, then wake all that wait for the log to grow."""
        self._grew_at = time.monotonic()
        with self._lock:
            self._entries.append(entry)
            watchers, self._watchers = self._watchers, []
        for watcher in watchers:
            watcher()

    def entries(self) -> list[Entry]:
        """Return a copy of the log."""
        with self._lock:
            return list(self._entries)

    def note_end(self) -> None:
        """Note that the test's steps are over: what follows is the lab's own work."""
        self.end = len(self._entries), self.now()

    def first(self, number: int) -> Iterator[Entry]:
        """Yield the first entries without a copy of the log."""
        return islice(self._entries, number)

    def length(self) -> int:
        """Return how many entries there are."""
        with self._lock:
            return len(self._entries)

    @contextmanager
    def still(self, length: int) -> Iterator[bool]:
        """Keep others from adding within the block; yield whether none has since that length."""
        with self._lock:
            yield len(self._entries) == length

    def glance(self) -> list[Entry]:
        """Return a copy of the log without the lock, for a signal handler."""
        return self._entries[:]

    def is_silent(self) -> bool:
        """Return whether the log has not grown for SILENT seconds of real time. Takes no lock."""
        return time.monotonic() - self._grew_at >= SILENT

    def watch(self, wake: Callable[[], object]) -> None:
        """Call `wake`, once, after the next entry. It must not block."""
        with self._lock:
            self._watchers.append(wake)


def of_pool(entries: Sequence[Entry], pool: int) -> list[Entry]:
    """Return the entries about one pool, and those about none."""
    return [entry for entry in entries if entry.pool in (0, pool)]


def of_latest_round(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Return the entries after the last one that ends a round."""
    ends = (n for n in range(len(entries), 0, -1) if entries[n - 1].kind in ROUNDS)
    return entries[next(ends, 0) :]
