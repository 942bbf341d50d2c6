"""Pools that deadlock or lose something when they are re-entered, or hold up others meanwhile."""

import threading
from typing import Any

from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._common.delivery import Delivery
from steadypool.events import PoolEvent


class PlainLock:
    """A lock that its own thread cannot take twice; it does not know its owner."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()


@noticed_by("reentry.a_signal_handler_reads_the_figures_without_listeners")
class DeadlocksInASignalHandler(steadypool.ConnectionPool):
    """Takes a lock that is not re-entrant for every call, also to read its figures."""

    def _make_engine(self) -> None:
        super()._make_engine()
        plain: Any = PlainLock()
        self._monitor.lock = self._lock = self._engine._lock = plain

    def stats(self) -> steadypool.PoolStats:
        with self._lock:
            return self._core.stats()


@noticed_by("reentry.a_finalizer_calls_the_pool")
class DeadlocksInAFinalizer(DeadlocksInASignalHandler):
    """Takes a lock that is not re-entrant, and never knows that it is inside."""


@noticed_by("reentry.a_signal_handler_changes_the_pool")
class ChangesHalfAStep(steadypool.ConnectionPool):
    """Takes a re-entrant lock, and lets a re-entrant call change what is half done."""

    def _make_engine(self) -> None:
        super()._make_engine()
        self._is_inside = self._monitor.is_inside = self._engine._is_inside = bool


@noticed_by("reentry.a_signal_handler_changes_the_pool")
class AsyncChangesHalfAStep(steadypool.AsyncConnectionPool):
    """Lets a re-entrant call change what is half done."""

    def _make_engine(self) -> None:
        super()._make_engine()
        run = self._monitor.run

        def run_anyway(transition: Any, *arguments: Any) -> Any:
            self._monitor._is_busy = False
            return run(transition, *arguments)

        self._monitor.run = self._engine._run = run_anyway  # type: ignore[method-assign]


@noticed_by("reentry.a_signal_handler_releases_during_an_acquire_or_a_release")
class ForgetsDeferredCalls(steadypool.ConnectionPool):
    """Drops a release that came in the middle of a step."""

    def _make_engine(self) -> None:
        super()._make_engine()
        self._monitor.defer = lambda work: None  # type: ignore[method-assign]


class _UnderLock(Delivery):
    """Delivers events while the lock is held."""

    lock: Any

    def deliver(self) -> None:
        with self.lock:
            super().deliver()


@noticed_by("foreign_code.a_slow_listener_delays_no_other_borrower")
class CallsListenersUnderItsLock(steadypool.ConnectionPool):
    """Holds its lock while it calls a listener."""

    def _make_engine(self) -> None:
        super()._make_engine()
        delivery = self._monitor._delivery
        delivery.__class__ = _UnderLock  # it has the same state
        assert isinstance(delivery, _UnderLock)
        delivery.lock = self._lock


@noticed_by("foreign_code.a_slow_log_handler_delays_no_other_borrower")
class WritesItsLogUnderItsLock(steadypool.ConnectionPool):
    """Holds its lock while it writes a record of its log."""

    def _make_engine(self) -> None:
        super()._make_engine()
        write, lock = self._log._write, self._lock

        def write_under_lock(*arguments: Any, **figures: Any) -> None:
            with lock:
                write(*arguments, **figures)

        self._log._write = write_under_lock  # type: ignore[method-assign]


@noticed_by("reentry.a_listener_calls_the_pool")
class RefusesItsListeners(steadypool.ConnectionPool):
    """Raises an error when a listener calls it."""

    def _make_engine(self) -> None:
        super()._make_engine()
        self._listening = threading.local()
        send = self._monitor._delivery._send

        def send_marked(event: PoolEvent) -> None:
            self._listening.now = True
            try:
                send(event)
            finally:
                self._listening.now = False

        self._monitor._delivery._send = send_marked  # type: ignore[method-assign]

    def stats(self) -> steadypool.PoolStats:
        if getattr(self._listening, "now", False):
            raise RuntimeError("a listener may not call the pool")
        return super().stats()


@noticed_by("no_wait.a_timeout_of_zero_opens_no_connection")
class ConnectsWithoutTime(steadypool.ConnectionPool):
    """Makes one connect attempt although the timeout is 0."""

    def acquire(self, timeout: float | None = None) -> Any:
        return super().acquire(1e-3 if timeout == 0 else timeout)


@noticed_by("no_wait.a_timeout_of_zero_opens_no_connection")
class AsyncConnectsWithoutTime(steadypool.AsyncConnectionPool):
    """Makes one connect attempt although the timeout is 0."""

    async def acquire(self, timeout: float | None = None) -> Any:
        return await super().acquire(1e-3 if timeout == 0 else timeout)
