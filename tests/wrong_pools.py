"""Pools that are wrong on purpose, each in one way that real pools have been wrong.

Every one is steadypool with a single rule broken. `test_wrong_pools.py` proves that the generated
tests notice each of them; a suite that a wrong pool passes is not worth having.
"""

import math
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

from pymysql import OperationalError
from pymysql.constants import CR

import steadypool
from poolspec.adapters.steady import SteadypoolAdapter
from steadypool._common.hooks import Hooks
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, ConnectionState, PoolEntry, Step
from steadypool._core.settings import Settings
from steadypool._drivers import dbapi as driver
from steadypool._drivers.configuration import load
from steadypool.events import FailReason
from steadypool.stats import PoolStats


class WrongCore(steadypool.ConnectionPool):
    """A pool whose rules are those of `core`."""

    core: type[Core]

    def _make_core(self) -> Core:
        return self.core(self._settings, self._listeners, self._interrupts.listener_raised)


class OverLimitByOne(WrongCore):
    """Opens one connection more than it may."""

    class core(Core):
        def _has_room(self) -> bool:
            return self._used_slots() <= self.settings.limit


class WakesNobody(WrongCore):
    """Puts a connection that comes back on the shelf, whoever waits for it."""

    class core(Core):
        def _place(self, entry: PoolEntry, now: float) -> None:
            queue, self.waiters = self.waiters, deque()
            super()._place(entry, now)
            self.waiters = queue


class MiscountsByOne(WrongCore):
    """Reports one release too many."""

    class core(Core):
        def stats(self) -> PoolStats:
            right = super().stats()
            return replace(right, released=right.released + (right.released > 0))


class NeverRecycles(WrongCore):
    """Hands out connections of any age."""

    class core(Core):
        def _count_created(self, entry: PoolEntry) -> None:
            super()._count_created(entry)
            entry.expires = math.inf


class RecyclesTheYoung(WrongCore):
    """Replaces connections at half their time."""

    class core(Core):
        def _count_created(self, entry: PoolEntry) -> None:
            super()._count_created(entry)
            entry.expires -= self.settings.recycle / 2


class KeepsOverflowOpen(WrongCore):
    """Keeps every connection it ever opened."""

    class core(Core):
        def _place(self, entry: PoolEntry, now: float) -> None:
            size, self._size = self._size, self.settings.limit
            super()._place(entry, now)
            self._size = size


class IgnoresTimeouts(steadypool.ConnectionPool):
    """Waits for ever."""

    def acquire(self, timeout: float | None = None) -> Any:
        return super().acquire(math.inf)


class HandsOutTwice(WrongCore):
    """Leaves the connection on the shelf when it lends it."""

    class core(Core):
        def _reserve_idle(self, request: AcquireRequest, now: float) -> None:
            super()._reserve_idle(request, now)
            if request.entry is not None:
                self.idle.append(request.entry)


class LeaksWhenTheBodyRaises(steadypool.ConnectionPool):
    """Gives back at the end of a with-block, but only if all went well."""

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if kind is None:
            super().__exit__(kind, error, traceback)


class CloseAllForgetsOne(WrongCore):
    """Leaves one connection open when it is emptied."""

    class core(Core):
        def _empty(self, reason: steadypool.CloseReason, to_close: list[PoolEntry]) -> None:
            forgotten = self.idle.pop() if self.idle and not self.is_closed else None
            super()._empty(reason, to_close)
            if forgotten is not None:
                forgotten.generation = self.generation
                self.idle.append(forgotten)


class ForgetsTheRollback(WrongCore):
    """Takes every connection for clean."""

    class core(Core):
        def check_in(self, entry: PoolEntry, clean: bool, now: float) -> bool:
            return super().check_in(entry, True, now)


class CommitsWhatWasLeftOpen(steadypool.ConnectionPool):
    """Commits on behalf of its borrowers."""

    def release(self, connection: Any) -> None:
        if connection is not None and connection.open:
            connection.commit()
        super().release(connection)


class LeaksASlotAtATimeout(WrongCore):
    """Can lend one connection less after every timeout."""

    class core(Core):
        lost = 0

        def withdraw(
            self, request: AcquireRequest, reason: FailReason, now: float
        ) -> PoolEntry | None:
            self.lost += reason is FailReason.TIMEOUT
            return super().withdraw(request, reason, now)

        def _used_slots(self) -> int:
            return super()._used_slots() + self.lost


class ForgetsWaitersAtClose(WrongCore):
    """Leaves those who wait to their timeouts when it is closed."""

    class core(Core):
        def close(self, to_close: list[PoolEntry], now: float) -> None:
            queue, self.waiters = self.waiters, deque()
            super().close(to_close, now)
            self.waiters = queue


class KeepsWhatComesBackAfterClose(WrongCore):
    """Puts a connection on the shelf although the pool is closed."""

    class core(Core):
        def close(self, to_close: list[PoolEntry], now: float) -> None:
            super().close(to_close, now)
            for entry in self.in_use.values():
                entry.generation = self.generation


class WakesNobodyForAFreedSlot(WrongCore):
    """Serves waiters with connections that come back, not with slots that come free."""

    class core(Core):
        def freed(self, entry: PoolEntry, now: float) -> None:
            queue, self.waiters = self.waiters, deque()
            super().freed(entry, now)
            self.waiters = queue


class TakesUnlimitedForNone(steadypool.ConnectionPool):
    """Reads max_overflow=-1 as zero."""

    def __init__(self, size: int = 5, max_overflow: int = 10, **options: Any) -> None:
        super().__init__(size, max(0, max_overflow), **options)


class NeverRecyclesByDefault(steadypool.ConnectionPool):
    """Has forgotten its default age."""

    def __init__(self, size: int = 5, max_overflow: int = 10, **options: Any) -> None:
        super().__init__(size, max_overflow, **({"recycle": 0} | options))


class GivesUpABitEarly(steadypool.ConnectionPool):
    """Waits one per cent less than was agreed."""

    def acquire(self, timeout: float | None = None) -> Any:
        return super().acquire((self._timeout if timeout is None else timeout) * 0.99)


class ServesTheLastFirst(WrongCore):
    """Has a stack where a queue should be."""

    class core(Core):
        def _hand_over(self, entry: PoolEntry, now: float) -> None:
            self.waiters.rotate(1)
            super()._hand_over(entry, now)


class LeaksASlotWhenInterrupted(WrongCore):
    """Can open one connection less after every interrupt of a connect, or of a wait."""

    class core(Core):
        lost = 0

        def withdraw(
            self, request: AcquireRequest, reason: FailReason, now: float
        ) -> PoolEntry | None:
            self.lost += reason is FailReason.INTERRUPTED and request.entry is None
            return super().withdraw(request, reason, now)

        def _used_slots(self) -> int:
            return super()._used_slots() + self.lost


class LosesWhatItHasJustTaken(steadypool.ConnectionPool):
    """Lends an idle connection to nobody, if interrupted as it leaves its lock."""

    def acquire(self, timeout: float | None = None) -> Any:
        with self._lock:
            entry = self._core.take(self._now())
        return super().acquire(timeout) if entry is None else entry.connection


class TakesBackWhatItHasPassedOn(WrongCore):
    """Takes a connection back from the next borrower, if interrupted as it wakes him."""

    class core(Core):
        def salvage(self, entry: PoolEntry, now: float) -> None:
            self._handed_over = None
            super().salvage(entry, now)


class LosesWhatItIsAboutToTakeBack(WrongCore):
    """Leaves a connection on loan for ever, if interrupted as it begins to take it back."""

    class core(Core):
        def salvage(self, entry: PoolEntry, now: float) -> None:
            pass


class SharesWithItsChild(steadypool.ConnectionPool):
    """Goes on in a forked child with the connections of the parent."""

    def _after_fork(self) -> None:
        self._lock = threading.Lock()


class ForgetsItsMinimum(WrongCore):
    """Opens its first connections, and later none that nobody asks for."""

    class core(Core):
        def grow(self, request: AcquireRequest, now: float) -> bool:
            return self.created < self.settings.min_size and super().grow(request, now)


class OverlooksLeaks(WrongCore):
    """Never suspects a loan of lasting too long."""

    class core(Core):
        def leaks(self, now: float) -> list[steadypool.Loan]:
            return []


class ShowsMonitoringTooMuch(WrongCore):
    """Tells those who watch it of one idle connection too many."""

    class core(Core):
        def gauges(self) -> tuple[int, int, int]:
            idle, waiting, total = super().gauges()
            return idle + 1, waiting, total


class ShowsItsPassword(steadypool.ConnectionPool):
    """Says how it connects to whoever prints it."""

    def __repr__(self) -> str:
        config = getattr(self._opener._connect, "_config", None)
        return f"{super().__repr__()} {getattr(config, 'password', '')}"


class QuotesItsPassword(steadypool.ConnectionPool):
    """Repeats what it was told when it cannot start."""

    def __init__(self, *, config: Any = None, **options: Any) -> None:
        try:
            super().__init__(config=config, **options)
        except steadypool.PoolInitializationError as error:
            raise steadypool.PoolInitializationError(f"{error} It was told: {config}") from error


class SaysNotWhere(steadypool.ConnectionPool):
    """Keeps to itself which server it could not reach."""

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except steadypool.PoolInitializationError:
            raise steadypool.PoolInitializationError("Is the server running?") from None


class KeepsWhatAFailedStartOpened(steadypool.ConnectionPool):
    """Closes nothing when it cannot open all of its first connections."""

    started = False

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.started = True

    def close(self, drain: float | None = 0.0) -> None:
        if self.started:
            super().close(drain)


class GivesAConnectAMinute(steadypool.ConnectionPool):
    """Has forgotten the default of its connect timeout."""

    def __init__(self, *, config: Any = None, **options: Any) -> None:
        if config and load(config, "primary").connect_timeout == 10:
            config = replace(load(config, "primary"), connect_timeout=60)
        super().__init__(config=config, **options)


class WaitsForEverForAnswers(steadypool.ConnectionPool):
    """Has no default of its query timeout."""

    def __init__(self, *, config: Any = None, **options: Any) -> None:
        if config and load(config, "primary").query_timeout == 5:
            config = replace(load(config, "primary"), query_timeout=None)
        super().__init__(config=config, **options)


class KeepsWhatCannotBeRolledBack(steadypool.ConnectionPool):
    """Asks a connection to roll back, and keeps it whatever came of that."""

    def _start_afresh(self) -> None:
        super()._start_afresh()

        def restore(entry: PoolEntry, state: ConnectionState) -> bool:
            return driver.restore(entry.connection, state, self._settings.reset) or True

        self._engine._restore = restore  # type: ignore[method-assign]  # wrong on purpose


class BelievesEveryCheck(WrongCore):
    """Checks connections, and lends them whatever came of it."""

    class core(Core):
        def checked(self, request: AcquireRequest, alive: bool) -> None:
            super().checked(request, True)


class TriesOnceTooOften(steadypool.ConnectionPool):
    """Opens another connection as if nothing had happened, when the only attempt timed out."""

    def acquire(self, timeout: float | None = None) -> Any:
        try:
            return super().acquire(timeout)
        except steadypool.ConnectionFailedError:
            return super().acquire(timeout)


class KeepsTimeoutsToItself(steadypool.ConnectionPool):
    """Ends a unit of work well in which an answer did not come."""

    @contextmanager
    def transaction(self, timeout: float | None = None) -> Iterator[Any]:
        try:
            with super().transaction(timeout) as connection:
                yield connection
        except OperationalError as error:
            if error.args[0] != CR.CR_SERVER_LOST:
                raise


class FreesASlotBeforeItsConnectionIsClosed(steadypool.ConnectionPool):
    """Serves the next with the slot of a connection that is still open."""

    def _start_afresh(self) -> None:
        super()._start_afresh()
        engine = self._engine

        def discard(entry: PoolEntry) -> None:
            engine._free(entry)
            driver.close(entry.connection)

        engine._discard = discard  # type: ignore[method-assign]  # wrong on purpose


class InventsItsHealth(steadypool.ConnectionPool):
    """Says rightly whether it is healthy, with figures that it has made up."""

    def health(self) -> steadypool.Health:
        right = super().health()
        return replace(right, stats=PoolStats(*[7] * len(fields(PoolStats))))


class ForgetsItsHooksWhenEmptied(steadypool.ConnectionPool):
    """Opens and lends unprepared connections once it was emptied."""

    def close_all(self) -> None:
        super().close_all()
        self._opener._hooks = Hooks(None, None)


class ForgetsItsRulesWhenEmptied(WrongCore):
    """Keeps its sizes when it is emptied, and no other figure."""

    class core(Core):
        def clear(self, to_close: list[PoolEntry], now: float) -> None:
            settings = self.settings
            bare = Settings(name=settings.name, size=settings.size, limit=settings.limit)
            self._apply_settings(bare)
            super().clear(to_close, now)


class KeepsWhatWasOnLoanWhenEmptied(WrongCore):
    """Closes what is idle when it is emptied, and keeps what comes back later."""

    class core(Core):
        def clear(self, to_close: list[PoolEntry], now: float) -> None:
            super().clear(to_close, now)
            for entry in self.in_use.values():
                entry.generation = self.generation


class LeavesATransactionWhenMaintained(steadypool.ConnectionPool):
    """Asks idle connections for a sign of life, and does not roll back."""

    def maintain(self) -> None:
        super().maintain()
        for entry in self._core.idle:
            entry.connection.cursor().execute("SELECT 1")


class KeepsInterruptsToItself(steadypool.ConnectionPool):
    """Goes on as if nothing had happened after an interrupt in a listener."""

    def _make_core(self) -> Core:
        return Core(self._settings, self._listeners)


class KeepsALoanThatWasInterrupted(WrongCore):
    """Leaves a connection on loan to whoever was interrupted as it was lent to him."""

    class core(Core):
        def withdraw(
            self, request: AcquireRequest, reason: FailReason, now: float
        ) -> PoolEntry | None:
            return None if request.step is Step.OUT else super().withdraw(request, reason, now)


class Sound(WrongCore):
    """Is not wrong at all: what is noticed in the others is noticed because of their faults."""

    core = Core


WRONG: dict[type[steadypool.ConnectionPool], tuple[str, str]] = {
    OverLimitByOne: ("limits", "pool_size_limit"),
    WakesNobody: ("timeout", "acquire_succeeds_after_release"),
    MiscountsByOne: ("statistics", "acquire_release_tracking"),
    NeverRecycles: ("recycling", "connection_recycling_by_age"),
    RecyclesTheYoung: ("recycling", "young_connection_not_recycled"),
    KeepsOverflowOpen: ("limits", "overflow_connection_closed_on_release"),
    IgnoresTimeouts: ("timeout", "acquire_timeout_default"),
    HandsOutTwice: ("basics", "acquire_release_multiple"),
    LeaksWhenTheBodyRaises: ("basics", "context_manager_with_a_failing_body"),
    CloseAllForgetsOne: ("errors", "close_all_connections"),
    ForgetsTheRollback: ("hygiene", "uncommitted_work_is_rolled_back"),
    CommitsWhatWasLeftOpen: ("hygiene", "uncommitted_work_is_rolled_back"),
    LeaksASlotAtATimeout: ("timeout", "after_a_timeout_every_slot_can_be_used"),
    ForgetsWaitersAtClose: ("errors", "closing_the_pool_ends_every_wait_at_once"),
    KeepsWhatComesBackAfterClose: ("errors", "release_after_close"),
    WakesNobodyForAFreedSlot: ("errors", "a_dropped_connection_frees_its_slot_for_a_waiter"),
    TakesUnlimitedForNone: ("limits", "unlimited_overflow"),
    NeverRecyclesByDefault: ("recycling", "the_default_age_is_an_hour"),
    GivesUpABitEarly: ("timeout", "acquire_timeout_default"),
    ServesTheLastFirst: ("statistics", "waiting_tracking"),
    ForgetsItsMinimum: ("lifecycle", "maintenance_restores_the_minimum"),
    OverlooksLeaks: ("loans", "a_suspected_leak_is_reported_once"),
    ShowsMonitoringTooMuch: ("metrics", "connections_are_counted_by_state"),
    ShowsItsPassword: ("initialization", "the_database_is_given_by_options"),
    QuotesItsPassword: ("initialization", "a_refused_connect_is_reported_at_the_start"),
    SaysNotWhere: ("initialization", "a_refused_connect_is_reported_at_the_start"),
    KeepsWhatAFailedStartOpened: (
        "initialization",
        "a_failed_start_leaves_nothing_open",
    ),
    GivesAConnectAMinute: ("time_limits", "a_connect_may_take_ten_seconds_by_default"),
    WaitsForEverForAnswers: ("time_limits", "an_answer_may_take_five_seconds_by_default"),
    LeaksASlotWhenInterrupted: ("interrupts", "an_interrupted_connect_frees_its_slot"),
    LosesWhatItHasJustTaken: (
        "interrupts",
        "an_interrupted_borrower_without_listeners_loses_no_connection",
    ),
    TakesBackWhatItHasPassedOn: (
        "interrupts",
        "an_interrupted_hand_over_without_listeners_serves_the_waiter",
    ),
    LosesWhatItIsAboutToTakeBack: ("interrupts", "an_interrupted_borrower_loses_no_connection"),
    KeepsWhatCannotBeRolledBack: (
        "connection_faults",
        "a_failed_rollback_frees_the_slot_for_a_waiter",
    ),
    BelievesEveryCheck: ("connection_faults", "a_connection_that_fails_its_check_is_replaced"),
    TriesOnceTooOften: ("interrupts", "a_timeout_of_the_only_connect_attempt_is_raised"),
    KeepsTimeoutsToItself: ("interrupts", "a_timeout_in_a_transaction_is_raised"),
    FreesASlotBeforeItsConnectionIsClosed: (
        "connection_faults",
        "a_slot_is_freed_only_after_its_connection_is_closed",
    ),
    InventsItsHealth: ("health", "a_pool_with_waiters_is_degraded"),
    ForgetsItsHooksWhenEmptied: ("shutdown", "hooks_survive_emptying"),
    ForgetsItsRulesWhenEmptied: ("shutdown", "lifetimes_survive_emptying"),
    KeepsWhatWasOnLoanWhenEmptied: ("shutdown", "close_all_races_with_borrowers"),
    LeavesATransactionWhenMaintained: ("lifecycle", "maintenance_leaves_no_transaction"),
    SharesWithItsChild: ("forking", "a_child_opens_its_own_connections"),
    KeepsALoanThatWasInterrupted: ("listeners", "an_interrupted_acquire_leaves_nothing_on_loan"),
    KeepsInterruptsToItself: ("listeners", "an_interrupted_release_still_returns_the_connection"),
}
"""Each wrong pool with a spec and the test in it that must notice."""


def __getattr__(name: str) -> SteadypoolAdapter:
    """Make the adapter of a wrong pool, for `--pool wrong_pools:adapter_of_NAME`."""
    pools: list[type[steadypool.ConnectionPool]] = [Sound, *WRONG]
    for pool in pools:
        if name == f"adapter_of_{pool.__name__}":
            adapter = SteadypoolAdapter()
            adapter.pool_class = pool
            return adapter
    raise AttributeError(name)
