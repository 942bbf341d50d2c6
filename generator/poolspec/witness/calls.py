"""The calls of a test that are under way in its pools.

Each call of a pool's method is noted from before it begins until after it has ended, so a pool
does nothing for a test that is not here, except in threads and tasks of its own. An acquire is busy
while it runs code of the lab: a connect, a hook, a listener, a call of a scripted connection.
"""

import asyncio
import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context, ContextVar
from dataclasses import dataclass
from typing import Any

from poolspec.invariants.log import actor_of, current_task
from poolspec.lifecycle.locks import FreshLock

ACQUIRE, RELEASE = "acquire", "release"


@dataclass(eq=False, slots=True)
class PoolCall:
    """One call that is under way."""

    name: str
    """acquire, release, or the name of another method."""
    pool: int
    """The number of the pool in the test."""
    ticket: int
    """The serial number of the call in the test."""
    actor: str
    thread: int
    """The identifier of the thread that called, as of `threading.get_ident`."""
    native: int
    """The same thread's number in the system."""
    task: "asyncio.Task[Any] | None"
    """The task that called; None in a thread without an event loop."""
    busy: int = 0
    """How many pieces of the lab's own code run for it now."""
    has_failed: bool = False
    """Whether its last connect failed: it may wait to connect again, not for a connection."""
    is_noted: bool = False
    """Whether the acquire was seen waiting at all."""
    seen: int = 0
    """The latest ticket when the acquire was first seen to wait for certain; 0 if it was not."""
    seen_at: float = 0.0
    """The time of that."""


_current: ContextVar[PoolCall | None] = ContextVar("current_call", default=None)
"""The call that runs in this thread or task, or that started it."""


def current_call() -> PoolCall | None:
    """Return the call that runs in this thread or task, or that started it."""
    return _current.get()


class Calls:
    """The calls that are under way. Safe to use from any thread or task."""

    def __init__(self) -> None:
        self._lock = FreshLock()
        self._under_way: dict[int, PoolCall] = {}
        self._unseen: dict[int, PoolCall] = {}
        """The acquires that were not seen waiting yet."""
        self._noted: dict[int, PoolCall] = {}
        """The acquires that were, but not for certain."""
        self._seen: dict[int, PoolCall] = {}
        """The acquires that were for certain, in the order in which they were seen first."""
        self._passed: set[int] = set()
        """Those that were seen again after a later acquire was served."""
        self._served: Counter[int] = Counter()
        """The latest ticket that each pool has served."""
        self._latest = 0
        self._others: Counter[int] = Counter()
        """How many calls of each pool are under way that are no acquires, and how many pieces of
        the lab's code run for calls of it, also for calls that have ended."""
        self._begun: Counter[int] = Counter()
        """How many calls of each pool have begun that are no acquires."""
        self.changes = 0
        """Grows with each call, and each piece of the lab's code in one, that begins or ends."""

    def begin(self, name: str, pool: int) -> PoolCall:
        """Note that the calling thread or task calls a method of a pool."""
        task = current_task()
        actor = actor_of(task)
        ident, native = threading.get_ident(), threading.get_native_id()
        with self._lock:
            self._latest += 1
            call = PoolCall(name, pool, self._latest, actor, ident, native, task)
            self._under_way[call.ticket] = call
            if name == ACQUIRE:
                self._unseen[call.ticket] = call
            else:
                self._others[pool] += 1
                self._begun[pool] += 1
            self.changes += 1
        return call

    def end(self, call: PoolCall, *, served: bool = False) -> None:
        """Note that a call has ended; only the first note has an effect."""
        with self._lock:
            if self._under_way.pop(call.ticket, None) is None:
                return
            self.changes += 1
            for acquires in (self._unseen, self._noted, self._seen):
                acquires.pop(call.ticket, None)
            self._passed.discard(call.ticket)
            if call.name != ACQUIRE:
                self._others[call.pool] -= 1
            if served:
                self._served[call.pool] = max(self._served[call.pool], call.ticket)

    def see(self, call: PoolCall, now: float, *, certain: bool = True) -> bool:
        """Note that an acquire was seen waiting; return False if that is known, or it has ended."""
        with self._lock:
            if call.ticket not in self._under_way or call.ticket in self._passed:
                return False
            if not certain:
                return self._note(call)
            if call.seen:
                is_passed = self._served[call.pool] > call.seen
                self._passed.update([call.ticket] if is_passed else ())
                return is_passed
            self._unseen.pop(call.ticket, None)
            self._noted.pop(call.ticket, None)
            self._seen[call.ticket] = call
            call.is_noted = True
            call.seen, call.seen_at = self._latest, now
            return True

    def _unsee(self, call: PoolCall) -> None:
        """Forget that an acquire was seen waiting: it does something. Called with the lock held."""
        known = self._seen.pop(call.ticket, None) or self._noted.pop(call.ticket, None)
        if known is not None:
            self._unseen[call.ticket] = call
            self._passed.discard(call.ticket)
            call.is_noted, call.seen = False, 0

    def _note(self, call: PoolCall) -> bool:
        """Note an acquire that perhaps waits. Called with the lock held."""
        if call.is_noted:
            return False
        self._noted[call.ticket] = self._unseen.pop(call.ticket)
        call.is_noted = True
        return True

    def is_quiet(self, pool: int) -> bool:
        """Return whether nothing but acquires is under way in a pool, and none is busy."""
        return not self._others[pool]

    def unseen(self) -> list[PoolCall]:
        """Return the acquires that were not seen waiting yet, the oldest first."""
        with self._lock:
            return list(self._unseen.values())

    def noted(self) -> list[PoolCall]:
        """Return the acquires that were seen waiting, but not for certain, in quiet pools."""
        with self._lock:
            return [call for call in self._noted.values() if not self._others[call.pool]]

    def seen(self) -> list[PoolCall]:
        """Return the acquires that were seen waiting and have not returned."""
        with self._lock:
            return [*self._seen.values(), *self._noted.values()]

    def oldest(self, pool: int) -> PoolCall | None:
        """Return the acquire of a pool that was first seen waiting for certain."""
        with self._lock:
            return next((call for call in self._seen.values() if call.pool == pool), None)

    def begun(self, pool: int) -> int:
        """Return how many calls of a pool have begun that are no acquires."""
        return self._begun[pool]

    def passed(self) -> list[PoolCall]:
        """Return the seen acquires that a later one may have overtaken, unless that is known."""
        with self._lock:
            last = max(self._served.values(), default=0)
            older = itertools.takewhile(lambda call: call.seen < last, self._seen.values())
            return [
                call
                for call in older
                if call.ticket not in self._passed and call.seen < self._served[call.pool]
            ]

    @contextmanager
    def calling(self, name: str, pool: int) -> Iterator[PoolCall]:
        """Note a call for the length of the block."""
        call = self.begin(name, pool)
        try:
            with running(call):
                yield call
        finally:
            self.end(call)

    def glance(self) -> list[PoolCall]:
        """Return all calls that are under way without the lock, for a signal handler."""
        return list(self._under_way.values())

    def under_way(self) -> list[PoolCall]:
        """Return all calls that are under way, the oldest first."""
        with self._lock:
            return list(self._under_way.values())

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Note that the current call runs code of the lab within the block."""
        call = _current.get()
        self._add(call, 1)
        try:
            yield
        finally:
            self._add(call, -1)

    def _add(self, call: PoolCall | None, number: int) -> None:
        if call is not None:
            with self._lock:
                call.busy += number
                self._others[call.pool] += number
                self.changes += 1
                self._unsee(call)


def call_of(context: Context) -> PoolCall | None:
    """Return the call that runs in a context, or that started what runs there."""
    return context.get(_current)


@contextmanager
def running(call: PoolCall) -> Iterator[None]:
    """Make a call the current one in this thread or task; a task that is started inherits it."""
    before = _current.get()
    _current.set(call)
    try:
        yield
    finally:
        _current.set(before)
