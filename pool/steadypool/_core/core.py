"""The pool's rules, as a plain state machine: no threads, no clock, no I/O.

A pool runs every transition in its monitor, one at a time. Outside the monitor it does the required
I/O, reports the result, and calls listeners and the log. The rules:

* Every connection is idle, on loan or *pending*. Pending counts reserved slots: a connect, a
  check, a hand-over or a close under way, or the backoff between two connects. Idle + on loan +
  pending never exceed the limit. So no I/O needs the lock, and no slot has two users.
* A request that finds no connection and no free slot is queued. Waiters are served first in, first
  out. A returned connection or a freed slot goes straight to the first waiter. So `idle` and
  `waiters` are never both non-empty, and no slot is free while a request waits - except while the
  pool is suspended, when `max_connecting` connects are under way, or while the server is full.
* A full server refuses connects although slots are free. While a connection of the pool may return,
  the refused request waits for it in the queue, and so do later ones. One waiter also wakes at a
  set time to try a connect, so the queue is served even if nothing returns: see `Ceiling`.
* A reservation has one owner: an acquire request (see `Step`), or the thread that closes or resets
  a connection. `withdraw` returns everything a request owns, at any step. That makes an acquire
  safe against any exception.
* A slot becomes free only after its connection was closed, so the server too never sees more
  connections than the limit.
* Clearing or closing the pool raises the generation. A connection of an earlier generation is never
  handed out and never becomes idle. A silent connection raises it too; then connections that
  answered since the silence began belong to the new generation.

`checkout`, `connects`, `checkin`, `doubt` and `maintenance` hold the transitions, `state` their
shared operations.
"""

from typing import TypeVar

from steadypool._core.checkin import Checkin
from steadypool._core.checkout import Checkout
from steadypool._core.connects import Connects
from steadypool._core.doubt import Doubt
from steadypool._core.entries import AcquireRequest, Step
from steadypool._core.maintenance import Maintenance
from steadypool.errors import (
    ConnectionPoolError,
    NotBorrowedError,
    PoolClosedError,
    PoolExhaustedError,
    PoolTimeoutError,
    ServerUnavailableError,
)
from steadypool.events import FailReason
from steadypool.stats import PoolStats

_Shortage = TypeVar("_Shortage", PoolTimeoutError, PoolExhaustedError)


class Core(Checkout, Connects, Checkin, Doubt, Maintenance):
    """All transitions, statistics and errors. Not thread-safe: the caller holds its lock."""

    __slots__ = ()

    def stats(self) -> PoolStats:
        """Return all counters and gauges of this moment."""
        return PoolStats(
            created=self.created,
            closed=self.closed,
            recycled=self.recycled,
            acquired=self.acquired,
            released=self.released,
            timeouts=self.timeouts,
            total_connections=self.created - self.closed,
            pool_size=len(self.idle),
            max_size=self.settings.limit,
            in_use=len(self.in_use),
            waiting=len(self.waiters),
            validation_failures=self.validation_failures,
            connect_failures=self.connect_failures,
            connect_retries=self.connect_retries,
            leaks_suspected=self.leaks_suspected,
        )

    def expire(self, request: AcquireRequest, waited: float, now: float) -> PoolTimeoutError | None:
        """End an acquire whose time is over; None: it was served at the last moment."""
        if request.step is not Step.WAIT:
            return None
        error = self.timeout_error(waited)
        self.withdraw(request, FailReason.TIMEOUT, now)
        return error

    def timeout_error(self, waited: float) -> PoolTimeoutError:
        """Make the error for an acquire that timed out and has not left the queue yet."""
        return self._shortage(PoolTimeoutError, waited)

    def closed_error(self) -> PoolClosedError:
        """Make the error for an acquire that the closed pool refuses."""
        return PoolClosedError(
            f"the pool {self.settings.name!r} is closed and hands out no connections; "
            "make another pool"
        )

    def refusal(self, request: AcquireRequest) -> ConnectionPoolError:
        """Make the error for an acquire whose step is REFUSED."""
        if request.refusal is FailReason.TIMEOUT:
            return self.timeout_error(0.0)
        if request.refusal is FailReason.EXHAUSTED:
            return self._shortage(PoolExhaustedError, 0.0)
        if request.refusal is FailReason.UNAVAILABLE:
            return ServerUnavailableError(
                name=self.settings.name,
                failures=self.breaker.failures,
                cooldown=self.breaker.cooldown,
            )
        return self.closed_error()

    def not_borrowed(self) -> NotBorrowedError:
        """Make the error for a connection that is not on loan."""
        return NotBorrowedError(
            f"this connection is not on loan from the pool {self.settings.name!r}: "
            "it was released already, or belongs to another pool"
        )

    def _shortage(self, kind: type[_Shortage], waited: float) -> _Shortage:
        return kind(
            full=self.ceiling.is_set,
            name=self.settings.name,
            limit=self.settings.limit,
            total=self.created - self.closed,
            active=self.loans_out(),
            idle=len(self.idle),
            waiting=len(self.waiters),
            waited=waited,
        )
