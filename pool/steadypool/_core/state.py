"""The state of a pool, and the operations that all its transitions share.

Every transition that frees a connection or a slot calls `_serve` afterwards, which gives it to the
first waiter. `_serve` brings the queue up to date from any state, so after an interruption it can
simply be called again.

A signal can raise between two calls, but never between plain assignments. So the operations change
the state by assignments only (`del queue[0]`, not `popleft()`) and wake a waiter last.

Two operations run without a monitor's transition: `take` and `put_back`, the fast paths. They are
open to connections of one generation, `fast_generation`, and shut while a transition runs. So a
call that comes in the middle of a transition, from a signal handler or finalizer, finds them shut.
"""

import math
from collections import deque
from collections.abc import Callable

from steadypool._core.allowance import Allowance
from steadypool._core.breaker import Breaker
from steadypool._core.ceiling import Ceiling
from steadypool._core.emitter import Emitter
from steadypool._core.entries import NEVER_AGAIN, UNNUMBERED, AcquireRequest, PoolEntry, Step
from steadypool._core.next_step import step_with_idle, step_with_returned
from steadypool._core.settings import Order, Settings
from steadypool.events import CloseReason, EventKind, FailReason, PoolEvent
from steadypool.protocols import Waiter


class State:
    """Connections, queue and counters. Not thread-safe: the caller holds the pool's lock."""

    __slots__ = (
        "_allowance", "_check_after", "_cleared", "_events", "_requests", "_shrinking",
        "_silent_since", "_size", "acquired", "backing_off", "breaker", "ceiling", "closed",
        "connect_failures", "connect_retries", "connecting", "created", "drainers",
        "fast_generation", "generation", "idle", "in_use", "is_closed", "is_suspended",
        "leaks_suspected", "open", "pending", "recycled", "released", "resting_generation",
        "settings", "tidy_at", "timeouts", "validation_failures", "waiters",
    )  # fmt: skip

    def __init__(self, settings: Settings, caller: Callable[[], int] | None = None) -> None:
        """`caller` returns the running thread's identity, for events; None: no listener."""
        self.idle: deque[PoolEntry] = deque()
        """The last is the next to be handed out."""
        self.waiters: deque[AcquireRequest] = deque()
        self.backing_off: list[AcquireRequest] = []
        """Requests between two attempts to connect; each owns a slot."""
        self.drainers: list[Waiter] = []
        """Callers that wait until the closed pool has no connection left."""
        self.in_use: dict[int, PoolEntry] = {}
        """By the identity of the connection; with `leak_after` the longest loan is the first.

        A releasing thread takes its loan out without the lock, see `claim`. So loans are counted by
        `acquired` and `released`, and iterated over in a copy.
        """
        self.open: set[PoolEntry] = set()
        """All entries whose connection is created and not closed."""
        self.pending = self.connecting = 0
        """Reserved slots, and how many of them may connect."""
        self.generation = self._cleared = 0
        """Of now, and when the pool was last emptied; the ones in between came with a doubt."""
        self._silent_since = -math.inf
        """The latest moment from which a connection gave no sign of life."""
        self.is_closed = self.is_suspended = False
        self.created = self.closed = self.recycled = 0
        self.acquired = self.released = self.timeouts = 0
        self.validation_failures = self.connect_failures = 0
        self.connect_retries = self.leaks_suspected = 0
        self.tidy_at = math.inf
        """When to look through the idle connections next."""
        self._requests = 0
        self._events = Emitter(caller)
        self.breaker = Breaker(settings)
        self._allowance = Allowance()
        self.ceiling = Ceiling()
        self._apply_settings(settings)
        self.fast_generation = self.resting_generation
        """Connections of this generation may take the fast paths now; -1: none may."""

    def _apply_settings(self, settings: Settings) -> None:
        self.settings = settings
        self._size = settings.size
        self._check_after = min(settings.check_after, settings.validate_after)
        self._choose_path()

    def _choose_path(self) -> None:
        """Work out whether acquires and releases may take the fast path."""
        self._shrinking = self._used_slots() > self.settings.limit
        fast = self.settings.plain and not self._events.observed
        fast = fast and not (self.is_suspended or self._shrinking or self.ceiling.is_set)
        self.resting_generation = self.generation if fast else -1
        """The value of `fast_generation` between two transitions."""

    # --- figures and events ----------------------------------------------------------------------

    @property
    def events(self) -> deque[PoolEvent]:
        """The events to deliver to the listeners, once the lock is free."""
        return self._events.outbox

    def loans_out(self) -> int:
        """Return the number of connections on loan, including those being reset."""
        return self.acquired - self.released

    def gauges(self) -> tuple[int, int, int]:
        """Return the numbers of idle connections, waiters and open connections.

        May be read without the lock. Then the numbers may be of different moments, but the idle
        connections never outnumber the open ones.
        """
        idle = len(self.idle)
        return idle, len(self.waiters), max(self.created - self.closed, idle)

    def _used_slots(self) -> int:
        return len(self.idle) + self.loans_out() + self.pending

    def _has_slot(self) -> bool:
        settings = self.settings
        return self._used_slots() < settings.limit and self.connecting < settings.max_connecting

    def _has_room(self, now: float) -> bool:
        """Return whether a request may connect now. A full server gets only a connect at times."""
        return self._has_slot() and (now >= self.ceiling.until or not self._may_return())

    def _may_return(self) -> bool:
        """Return whether a waiter may get a connection: one is open, or being opened."""
        return self.created > self.closed or self.connecting > 0

    def _count_created(self, entry: PoolEntry) -> None:
        if entry.serial:  # already counted by an open that was interrupted
            return
        self.open.add(entry)
        self.created += 1
        entry.serial = self.created
        self._events.record(EventKind.CONNECTION_CREATED, entry=entry)

    def _record_grant(self, request: AcquireRequest, entry: PoolEntry | None) -> None:
        if request.step is not Step.REFUSED and not request.requeued:
            self._events.record(EventKind.CHECKOUT_GRANTED, request, entry)

    def _emit_events(self, now: float) -> None:
        """Put the recorded events into the outbox; every transition calls this last."""
        if self._events.pending:
            self._events.emit(now, self.gauges())

    # --- serving the queue -----------------------------------------------------------------------

    def _serve(self, now: float) -> None:
        """Give the waiters what is available; a second call changes nothing."""
        if self._shrinking:
            self._choose_path()
        while self.waiters and not self.is_suspended:
            request = self.waiters[0]
            if self.idle:
                self._reserve_idle(request, now)
            elif self._has_room(now):
                self._reserve_open(request, now)
            else:
                break
            entry = request.entry  # the waiter, once awake, may replace it
            del self.waiters[0]
            request.waiter.wake()
            self._record_grant(request, entry)
        while self.drainers and not (self.pending or self.loans_out()):
            waiter = self.drainers[0]
            del self.drainers[0]
            waiter.wake()
        if self.ceiling.is_set:
            self._keep_watch()

    def _keep_watch(self) -> None:
        """While only the server is full, have one waiter find out when it has room again."""
        if self.waiters and not self.is_suspended and self._has_slot():
            self.ceiling.keep_watch(self.waiters)

    def _reserve_idle(self, request: AcquireRequest, now: float) -> None:
        entry = self.idle[-1]
        step = step_with_idle(entry, self.settings.validate_after, request.waits, now)
        request.entry, request.step = entry, step
        self.pending += 1
        del self.idle[-1]

    def _reserve_open(self, request: AcquireRequest, now: float) -> None:
        """Let a request connect, unless the breaker refuses. There must be room.

        A request that does not wait never connects, and so takes no probe from the breaker.
        """
        if not request.waits:
            request.refusal = FailReason.TIMEOUT
            request.step = Step.REFUSED
        elif self.breaker.admits(now):
            self.ceiling.admitted(now)
            self.pending += 1
            self.connecting += 1
            self.connect_retries += request.attempts > 0
            request.generation = self.generation
            request.step = Step.OPEN
        else:
            request.refusal = FailReason.UNAVAILABLE
            request.step = Step.REFUSED

    def _insert(self, request: AcquireRequest) -> None:
        """Put a request at its position in the queue, with an event if a full server refused it."""
        position = sum(other.serial < request.serial for other in self.waiters)
        request.requeued = not request.full
        request.step = Step.WAIT
        self.waiters.insert(position, request)
        if request.full:
            self._events.record(EventKind.CHECKOUT_QUEUED, request)

    def _queue_again(self, request: AcquireRequest, now: float) -> None:
        """Put a request that freed its slot at its position in the queue, then serve the queue."""
        if self.is_closed:
            request.step = Step.REFUSED
        else:
            self._insert(request)
        self._serve(now)

    def _is_current(self, entry: PoolEntry) -> bool:
        """Return whether a connection may be handed out: neither cleared nor in doubt."""
        if entry.generation == self.generation:
            return True
        if entry.generation >= self._cleared and entry.last_answer > self._silent_since:
            entry.generation = self.generation
        return entry.generation == self.generation

    # --- returning connections -------------------------------------------------------------------

    def _begin_checkin(self, entry: PoolEntry) -> None:
        """Turn a loan into a reservation of its releaser."""
        if not entry.returning:
            entry.returning = UNNUMBERED
            del self.in_use[entry.key]
        self.released += 1
        self.pending += 1
        entry.checked_in = True

    def _place(self, entry: PoolEntry, now: float) -> None:
        """Give a good returning connection to a waiter, make it idle, or mark it for closing.

        Unless it is to be closed, it is no longer `returning` afterwards.
        """
        if not self._is_current(entry):
            entry.reason = self._emptied_reason(entry)
        elif entry.uses >= self.settings.max_uses:
            entry.reason = CloseReason.USED_UP
        elif self._used_slots() > self.settings.limit:
            entry.reason = CloseReason.SURPLUS
        elif self.waiters and not self.is_suspended:
            self._hand_over(entry, now)
        elif len(self.idle) < self._size:
            if self.ceiling.is_set and now >= self.ceiling.until:
                self._lift_ceiling()
            entry.good_until = min(now + self._check_after, entry.expires)
            at = entry.position
            if at is None:
                entry.since = now
            entry.returning = 0
            self.pending -= 1
            if at is not None:
                self.idle.insert(at, entry)
            elif self.settings.order is Order.LIFO:
                self.idle.append(entry)
            else:
                self.idle.appendleft(entry)
        else:
            entry.reason = CloseReason.SURPLUS

    def _place_owned(self, request: AcquireRequest, entry: PoolEntry, now: float) -> None:
        """Place a request's connection; from then on another request may own it."""
        try:
            self._place(entry, now)
        finally:
            if not entry.returning:
                request.entry = None

    def _hand_over(self, entry: PoolEntry, now: float) -> None:
        step = step_with_returned(entry, now)
        request = self.waiters[0]
        entry.returning = 0
        request.entry = entry
        request.step = step
        del self.waiters[0]
        request.waiter.wake()
        self._record_grant(request, entry)
        if self.ceiling.is_set:
            self._keep_watch()

    def _lift_ceiling(self) -> None:
        self.ceiling.lift()
        self._choose_path()

    def _emptied_reason(self, entry: PoolEntry) -> CloseReason:
        if entry.generation == NEVER_AGAIN:
            return CloseReason.DIRTY
        if entry.generation >= self._cleared:
            entry.silent = True
            return CloseReason.ERROR
        return CloseReason.POOL_CLOSED if self.is_closed else CloseReason.POOL_CLEARED
