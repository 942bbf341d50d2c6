"""Whatever is raised into an acquire or a release, and wherever, nothing is lost."""

import gc
import itertools
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from steadypool import (
    ConnectionFailedError,
    ConnectionPool,
    NotBorrowedError,
    PoolClosedError,
    PoolEvent,
    PoolExhaustedError,
    PoolTimeoutError,
    Reset,
)
from steadypool._core.core import Core
from steadypool.testing import ScriptedConnection


class Interrupt(BaseException):
    """What a signal might raise."""


class Tripwire:
    """Counts the places where an acquire or release may block or be interrupted; trips at one."""

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
    """A clock that stands still but for waits, which end at once; tripping at every use."""

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
            assert deadline is not None, "nobody will wake it"
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


class Stage:
    """A pool of two on tripping parts."""

    def __init__(self, way: str = "plain", **options: Any) -> None:
        self.wire = Tripwire()
        self.failing = 0
        self.clock = TrippingClock(self.wire)
        self.numbers = itertools.count(1)
        self.opened: list[TrippingConnection] = []
        settings: dict[str, Any] = {"size": 1, "max_overflow": 1, "recycle": 1000}
        settings |= {"random": lambda: 1.0, "breaker_failures": None}
        if way == "hooked":
            settings |= {"setup": self.hook, "on_acquire": self.hook}
        self.pool = ConnectionPool(
            connect=self.connect,
            clock=self.clock,
            listeners=[self.listen] if way == "listening" else [],
            **(settings | options),
        )

    def connect(self) -> TrippingConnection:
        self.wire.touch()
        if self.failing:
            self.failing -= 1
            raise OSError("down")
        connection = TrippingConnection(self.wire, next(self.numbers))
        self.opened.append(connection)
        return connection

    def listen(self, event: PoolEvent) -> None:
        self.wire.touch()

    def hook(self, connection: TrippingConnection) -> None:
        self.wire.touch()
        connection.in_transaction = False

    def check(self, interrupts: int = 1) -> None:
        """At rest, nothing is missing: two can still be borrowed, and all are accounted for."""
        self.wire.left = float("inf")
        self.failing = 0
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
        held = [self.pool.acquire(timeout=0) for _ in range(2)]
        assert held[0] is not held[1]
        assert all(not connection.closed for connection in held)
        for connection in held:
            self.pool.release(connection)
        stats = self.pool.stats()
        assert stats.acquired == stats.released
        self.pool.close()
        assert self.pool.stats().total_connections == 0
        # A connection whose close was interrupted before it began is left to its finalizer.
        assert sum(not connection.closed for connection in self.opened) <= interrupts


def fresh(stage: Stage) -> None:
    stage.pool.release(stage.pool.acquire())


def overflow(stage: Stage) -> None:
    with stage.pool, stage.pool:
        pass


def long_idle(stage: Stage) -> None:
    stage.clock.time += 10
    fresh(stage)


def dead(stage: Stage) -> None:
    stage.clock.time += 10
    stage.opened[-1].die()
    fresh(stage)


def stale(stage: Stage) -> None:
    stage.clock.time += 2000
    fresh(stage)


def dirty(stage: Stage) -> None:
    with stage.pool as connection:
        connection.in_transaction = True


def broken(stage: Stage) -> None:
    with stage.pool as connection:
        connection.in_transaction = True
        connection.on_rollback = OSError("gone")


def cleared(stage: Stage) -> None:
    with stage.pool:
        stage.pool.close_all()


def emptied(stage: Stage) -> None:
    with stage.pool:
        pass
    stage.pool.close_all()


def late(stage: Stage) -> None:
    with stage.pool, stage.pool, suppress(PoolTimeoutError):
        stage.pool.acquire(timeout=0.001)


def unreachable(stage: Stage) -> None:
    stage.pool.clear()
    stage.failing = 2
    fresh(stage)


def lost(stage: Stage) -> None:
    stage.pool.clear()
    stage.failing = 3
    with suppress(ConnectionFailedError):
        fresh(stage)


def dead_and_unreachable(stage: Stage) -> None:
    stage.failing = 1
    dead(stage)


def held_back(stage: Stage) -> None:
    stage.pool.suspend()
    with suppress(PoolTimeoutError):
        stage.pool.acquire(timeout=0.001)
    stage.pool.resume()
    fresh(stage)


def resized(stage: Stage) -> None:
    with stage.pool, stage.pool:
        stage.pool.resize(max_overflow=0)
    stage.pool.resize(size=2)
    overflow(stage)
    stage.pool.resize(size=1, max_overflow=1)


def looked_after(stage: Stage) -> None:
    fresh(stage)
    stage.opened[-1].die()
    stage.clock.time += 10
    stage.pool.maintain()
    stage.clock.time += 2000
    stage.pool.maintain()


def drained(stage: Stage) -> None:
    with stage.pool, suppress(PoolClosedError):
        stage.pool.close(drain=0.001)


def unit_of_work(stage: Stage) -> None:
    with stage.pool.transaction() as connection:
        connection.in_transaction = True
    with suppress(ValueError), stage.pool.transaction() as connection:
        connection.in_transaction = True
        raise ValueError


def crowded(stage: Stage) -> None:
    with stage.pool, stage.pool, suppress(PoolExhaustedError):
        stage.pool.acquire()


SCENES: tuple[tuple[Callable[[Stage], None], dict[str, Any]], ...] = (
    *((scene, {}) for scene in (fresh, overflow, long_idle, dead, stale, dirty, broken, cleared)),
    *((scene, {}) for scene in (emptied, late, unreachable, lost, dead_and_unreachable)),
    *((scene, {}) for scene in (held_back, resized, looked_after, drained, unit_of_work)),
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
    (looked_after, {"max_idle_time": 5, "min_size": 0}),
)


def trips(scene: Callable[[Stage], None], way: str, options: dict[str, Any]) -> Iterator[bool]:
    for count in itertools.count(1):
        stage = Stage(way, **options)
        stage.wire.left = count
        with suppress(Interrupt):
            scene(stage)
        tripped = stage.wire.tripped
        stage.check()
        yield tripped
        if not tripped:
            return


@pytest.mark.parametrize("way", ["plain", "listening", "hooked"])
@pytest.mark.parametrize(("scene", "options"), SCENES)
def test_an_interrupt_at_any_point_loses_nothing(
    scene: Callable[[Stage], None], options: dict[str, Any], way: str
) -> None:
    assert sum(trips(scene, way, options)) >= 2


def test_a_return_that_is_interrupted_before_its_first_move_is_finished(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = Stage()
    held = stage.pool.acquire()

    def interrupted(*_: object) -> bool:
        raise Interrupt

    with monkeypatch.context() as patch, pytest.raises(Interrupt):
        patch.setattr(Core, "check_in", interrupted)
        stage.pool.release(held)
    stage.check()


@pytest.mark.parametrize("when", ["before the wait", "after the hand-over"])
def test_a_waiter_that_is_interrupted_leaves_the_connection_to_the_next(
    when: str, clock: Any, connect: Any, crew: Any
) -> None:
    pool = ConnectionPool(size=1, max_overflow=0, connect=connect, clock=clock)
    held = pool.acquire()
    served: list[object] = []
    engine: Any = pool._engine

    class Doomed:
        def __init__(self) -> None:
            self._waiter = clock.waiter()
            self.wake = self._waiter.wake

        def wait(self, deadline: float | None) -> bool:
            if when == "after the hand-over":
                self._waiter.wait(deadline)
            raise Interrupt

    def client() -> None:
        with pool as connection:
            served.append(connection)

    def victim() -> None:
        with pytest.raises(Interrupt):
            pool.acquire()

    if when == "after the hand-over":
        engine._waiter = Doomed
        crew.queue(pool, victim)
    else:
        engine._waiter = Doomed
        victim()
    engine._waiter = clock.waiter
    crew.queue(pool, client)
    pool.release(held)
    crew.join()
    assert served == [held]
    pool.close()


def test_a_storm_of_signals_loses_no_connection() -> None:
    """Ctrl-C over and over, at whatever bytecode it happens to come, once per operation."""
    stage = Stage()
    armed = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise Interrupt

    def interrupted(work: Callable[[], None]) -> bool:
        nonlocal armed
        try:
            armed = True
            work()
            armed = False
        except Interrupt:
            return True
        return False

    held: list[Any] = []
    interrupts = 0
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
    gc.disable()  # others' callbacks run in a collection, and would swallow the interrupt
    try:
        for turn in range(1500):
            for _ in range(2):
                interrupts += interrupted(lambda: held.append(stage.pool.acquire()))
            for connection in held:
                connection.in_transaction = turn % 4 == 0
                if interrupted(partial(stage.pool.release, connection)):
                    interrupts += 1
                    with suppress(NotBorrowedError):  # unless it came before the release began
                        stage.pool.release(connection)
            held.clear()
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupts > 0
    stage.check(interrupts)
