"""A pool whose parts all have interruption points, and scenarios that use it."""

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pymysql

from steadypool import (
    ConnectionFailedError,
    ConnectionPool,
    PoolClosedError,
    PoolEvent,
    PoolExhaustedError,
    PoolTimeoutError,
    Reset,
)
from steadypool.testing import ScriptedConnection


class Interrupt(BaseException):
    """Stands for the exception of a signal."""


class Tripwire:
    """Counts the interruption points of an acquire or release, and raises at one of them."""

    def __init__(self) -> None:
        self.left: float = float("inf")

    def touch(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise Interrupt

    @property
    def tripped(self) -> bool:
        return self.left <= 0


class TrippingClock:
    """A clock on which only waits take time and end at once; every use is an interruption point."""

    def __init__(self, wire: Tripwire) -> None:
        self._wire = wire
        self.time = 0.0

    def now(self) -> float:
        self._wire.touch()
        return self.time

    def waiter(self) -> "TrippingWaiter":
        self._wire.touch()
        return TrippingWaiter(self, self._wire)

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class TrippingWaiter:
    def __init__(self, clock: TrippingClock, wire: Tripwire) -> None:
        self._clock = clock
        self._wire = wire
        self._woken = False

    def wait(self, deadline: float | None) -> bool:
        self._wire.touch()
        if not self._woken:
            assert deadline is not None, "no thread will wake it"
            self._clock.time = max(self._clock.time, deadline)
        self._wire.touch()
        return self._woken

    def wake(self) -> None:
        self._woken = True


class TrippingConnection(ScriptedConnection):
    def __init__(self, wire: Tripwire, number: int) -> None:
        self._wire = wire
        super().__init__(number)

    def fileno(self) -> int:
        self._wire.touch()
        return super().fileno()

    def rollback(self) -> None:
        self._wire.touch()
        super().rollback()
        self._wire.touch()

    def ping(self) -> None:
        self._wire.touch()
        super().ping()
        self._wire.touch()

    def reset_session(self) -> None:
        self._wire.touch()
        super().reset_session()
        self._wire.touch()

    def commit(self) -> None:
        self._wire.touch()

    def close(self) -> None:
        self._wire.touch()
        super().close()
        self._wire.touch()


class Rig:
    """A pool of two connections whose parts all have interruption points."""

    def __init__(self, variant: str = "plain", **options: Any) -> None:
        self.wire = Tripwire()
        self.failing = self.full = 0
        self.clock = TrippingClock(self.wire)
        self.numbers = itertools.count(1)
        self.opened: list[TrippingConnection] = []
        settings: dict[str, Any] = {"size": 1, "max_overflow": 1, "recycle": 1000}
        settings |= {"random": lambda: 1.0, "breaker_failures": None}
        if variant == "hooked":
            settings |= {"setup": self.hook, "on_acquire": self.hook}
        self.pool = ConnectionPool(
            connect=self.connect,
            clock=self.clock,
            listeners=[self.listen] if variant == "listening" else [],
            **(settings | options),
        )

    def connect(self) -> TrippingConnection:
        self.wire.touch()
        if self.failing:
            self.failing -= 1
            raise OSError("down")
        if self.full:
            self.full -= 1
            raise pymysql.OperationalError(1040, "Too many connections")
        connection = TrippingConnection(self.wire, next(self.numbers))
        self.opened.append(connection)
        return connection

    def listen(self, event: PoolEvent) -> None:
        self.wire.touch()

    def hook(self, connection: TrippingConnection) -> None:
        self.wire.touch()
        connection.in_transaction = False

    def check(self, interrupts: int = 1) -> None:
        """Check at rest that two connections can be borrowed and that all counts are right."""
        self.wire.left = float("inf")
        self.failing = self.full = 0
        self.clock.time += 2  # for the breaker
        self.pool.resume()
        self.pool.resize(size=1, max_overflow=1)
        core = self.pool._core
        assert core.pending == core.connecting == 0
        assert not core.in_use
        assert not core.waiters
        assert not core.backing_off
        if self.pool.closed:
            assert self.pool.stats().total_connections == 0
            return
        held = [self.pool.acquire(timeout=5) for _ in range(2)]
        assert held[0] is not held[1]
        assert all(not connection.closed for connection in held)
        for connection in held:
            self.pool.release(connection)
        stats = self.pool.stats()
        assert stats.acquired == stats.released
        self.pool.close()
        assert self.pool.stats().total_connections == 0
        # If a close was interrupted before it began, the finalizer closes the connection.
        assert sum(not connection.closed for connection in self.opened) <= interrupts


def fresh(rig: Rig) -> None:
    rig.pool.release(rig.pool.acquire())


def overflow(rig: Rig) -> None:
    with rig.pool, rig.pool:
        pass


def long_idle(rig: Rig) -> None:
    rig.clock.time += 10
    fresh(rig)


def dead(rig: Rig) -> None:
    rig.clock.time += 10
    rig.opened[-1].die()
    fresh(rig)


def stale(rig: Rig) -> None:
    rig.clock.time += 2000
    fresh(rig)


def dirty(rig: Rig) -> None:
    with rig.pool as connection:
        connection.in_transaction = True


def broken(rig: Rig) -> None:
    with rig.pool as connection:
        connection.in_transaction = True
        connection.on_rollback = OSError("gone")


def cleared(rig: Rig) -> None:
    with rig.pool:
        rig.pool.close_all()


def emptied(rig: Rig) -> None:
    with rig.pool:
        pass
    rig.pool.close_all()


def late(rig: Rig) -> None:
    with rig.pool, rig.pool, suppress(PoolTimeoutError):
        rig.pool.acquire(timeout=5)


def unreachable(rig: Rig) -> None:
    rig.pool.clear()
    rig.failing = 2
    fresh(rig)


def lost(rig: Rig) -> None:
    rig.pool.clear()
    rig.failing = 3
    with suppress(ConnectionFailedError):
        fresh(rig)


def full(rig: Rig) -> None:
    with rig.pool:
        rig.full = 2
        fresh(rig)


def full_for_long(rig: Rig) -> None:
    with rig.pool:
        rig.full = 9
        with suppress(PoolTimeoutError):
            rig.pool.acquire(timeout=0.5)


def full_and_empty(rig: Rig) -> None:
    rig.pool.clear()
    rig.full = 1
    fresh(rig)


def dead_and_unreachable(rig: Rig) -> None:
    rig.failing = 1
    dead(rig)


def suspended(rig: Rig) -> None:
    rig.pool.suspend()
    with suppress(PoolTimeoutError):
        rig.pool.acquire(timeout=5)
    rig.pool.resume()
    fresh(rig)


def resized(rig: Rig) -> None:
    with rig.pool, rig.pool:
        rig.pool.resize(max_overflow=0)
    rig.pool.resize(size=2)
    overflow(rig)
    rig.pool.resize(size=1, max_overflow=1)


def maintained(rig: Rig) -> None:
    fresh(rig)
    rig.opened[-1].die()
    rig.clock.time += 10
    rig.pool.maintain()
    rig.clock.time += 2000
    rig.pool.maintain()


def drained(rig: Rig) -> None:
    with rig.pool, suppress(PoolClosedError):
        rig.pool.close(drain=0.001)


def unit_of_work(rig: Rig) -> None:
    with rig.pool.transaction() as connection:
        connection.in_transaction = True
    with suppress(ValueError), rig.pool.transaction() as connection:
        connection.in_transaction = True
        raise ValueError


def crowded(rig: Rig) -> None:
    with rig.pool, rig.pool, suppress(PoolExhaustedError):
        rig.pool.acquire()


SCENARIOS: tuple[tuple[Callable[[Rig], None], dict[str, Any]], ...] = (
    *(
        (scenario, {})
        for scenario in (fresh, overflow, long_idle, dead, stale, dirty, broken, cleared)
    ),
    *((scenario, {}) for scenario in (emptied, late, unreachable, lost, dead_and_unreachable)),
    *((scenario, {}) for scenario in (suspended, resized, maintained, drained, unit_of_work)),
    *((scenario, {}) for scenario in (full, full_for_long, full_and_empty)),
    (crowded, {"max_waiting": 0}),
    (long_idle, {"validate_after": 5}),
    (dead, {"validate_after": 5}),
    (dirty, {"reset": Reset.SESSION}),
    (dirty, {"reset": Reset.NONE}),
    (overflow, {"max_uses": 1}),
    (overflow, {"max_connecting": 1}),
    (unreachable, {"max_connecting": 1}),
    (lost, {"breaker_failures": 2}),
    (overflow, {"leak_after": 0}),
    (long_idle, {"max_idle_time": 5, "min_size": 0}),
    (maintained, {"max_idle_time": 5, "min_size": 0}),
)
