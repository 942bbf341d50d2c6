"""Pools that lose a connection or an interrupt when a call is interrupted."""

from typing import Any

from tests.wrong_pools.faults import noticed_by

import steadypool
from poolspec.vocabulary import Concurrency
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, PoolEntry, Step
from steadypool.events import FailReason


@noticed_by("interrupts.an_interrupted_connect_frees_its_slot")
class LosesASlotWhenInterrupted(Core):
    """Opens one connection less after every interrupted connect or wait."""

    lost = 0

    def withdraw(self, request: AcquireRequest, reason: FailReason, now: float) -> PoolEntry | None:
        self.lost += reason is FailReason.INTERRUPTED and request.entry is None
        return super().withdraw(request, reason, now)

    def _used_slots(self) -> int:
        return super()._used_slots() + self.lost


@noticed_by("interrupts.an_interrupted_borrower_without_listeners_loses_no_connection")
class LosesAnIdleConnection(steadypool.ConnectionPool):
    """Loses an idle connection if the acquire is interrupted as it leaves the lock."""

    def acquire(self, timeout: float | None = None) -> Any:
        with self._lock:
            entry = self._core.take(self._now())
        return super().acquire(timeout) if entry is None else entry.connection


@noticed_by(
    "interrupts.an_interrupted_hand_over_without_listeners_serves_the_waiter", Concurrency.THREADS
)
class TakesBackAHandedOverConnection(steadypool.ConnectionPool):
    """Takes a connection from its next borrower if the hand-over is interrupted."""

    def release(self, connection: Any) -> None:
        try:
            super().release(connection)
        except KeyboardInterrupt:
            if id(connection) in self._core.in_use:
                super().release(connection)
            raise


@noticed_by("interrupts.an_interrupted_borrower_loses_no_connection", Concurrency.THREADS)
class LeavesAnInterruptedReleaseUnfinished(steadypool.ConnectionPool):
    """Leaves a connection reserved if its release is interrupted."""

    def _make_engine(self) -> None:
        super()._make_engine()
        self._engine.rescue = lambda *_: None  # type: ignore[method-assign]  # wrong on purpose


@noticed_by("listeners.an_interrupted_acquire_leaves_nothing_on_loan")
class KeepsAnInterruptedLoan(Core):
    """Leaves a connection on loan to an acquire that was interrupted after its checkout."""

    def withdraw(self, request: AcquireRequest, reason: FailReason, now: float) -> PoolEntry | None:
        return None if request.step is Step.OUT else super().withdraw(request, reason, now)


@noticed_by("listeners.an_interrupted_release_still_returns_the_connection")
class SwallowsInterrupts(steadypool.ConnectionPool):
    """Drops an interrupt that a listener raised."""

    def _make_engine(self) -> None:
        self._deferred.defer = lambda work: None  # type: ignore[method-assign]  # wrong on purpose
        super()._make_engine()


@noticed_by("listeners.an_interrupted_release_still_returns_the_connection")
class AsyncSwallowsInterrupts(steadypool.AsyncConnectionPool):
    """Drops an interrupt that a listener raised."""

    def __init__(self, *positional: Any, **options: Any) -> None:
        super().__init__(*positional, **options)
        self._deferred.defer = lambda work: None  # type: ignore[method-assign]  # wrong on purpose
