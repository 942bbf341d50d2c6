"""A thread that has made a connection idle no longer owns it, even if an exception follows.

In the tests another thread borrows the connection, and releases it with an open transaction, while
the first thread is between two acquisitions of the pool's lock.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from steadypool import ConnectionPool, PoolTimeoutError
from steadypool._core.entries import AcquireRequest, Step
from steadypool._threads import acquire as engine
from steadypool.testing import Gate, ScriptedConnector

Gap = Callable[[], object]


class Interrupt(BaseException):
    """Stands for the exception of a signal."""


class Intruder:
    """Borrows in another thread, whose release waits in the rollback until `leave`."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._gate = Gate()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def come(self) -> None:
        self._thread.start()
        assert self._gate.arrived.wait(10)

    def leave(self) -> None:
        self._gate.open()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        connection = self._pool.acquire(timeout=5)
        connection.in_transaction = True
        connection.on_rollback = self._gate
        self._pool.release(connection)


class Lock:
    """A lock that runs a function once, in the thread that has just released it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self.gap: Gap | None = None

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *details: object) -> None:
        self._lock.release()
        if self.gap is not None:
            gap, self.gap = self.gap, None
            gap()


def make_pool(**options: Any) -> tuple[ConnectionPool, Lock]:
    settings: dict[str, Any] = {"size": 2, "min_size": 1, "max_overflow": 0, "timeout": 10}
    pool = ConnectionPool(connect=ScriptedConnector(), **(settings | options))
    lock: Any = Lock()
    pool._lock = pool._engine._lock = pool._monitor.lock = lock
    return pool, lock


def check(pool: ConnectionPool) -> None:
    """Check at rest that each connection is idle once and that the number of slots is right."""
    core = pool._core
    assert (core.pending, core.connecting, len(core.in_use)) == (0, 0, 0)
    held = [pool.acquire(timeout=5) for _ in range(2)]
    assert held[0] is not held[1]
    assert not any(connection.closed for connection in held)
    for connection in held:
        pool.release(connection)
    stats = pool.stats()
    assert stats.total_connections == stats.pool_size == 2
    pool.close()
    assert pool.stats().total_connections == 0


def test_maintenance_leaves_its_new_connection_to_a_borrower_that_took_it() -> None:
    connect = ScriptedConnector(None, OSError("down"))
    pool = ConnectionPool(size=2, min_size=1, max_overflow=0, connect=connect)
    pool.clear()
    pool.maintain()
    intruder = Intruder(pool)

    class SlowLog(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if getattr(record, "event", "") == "server_recovered":
                intruder.come()

    handler = SlowLog()
    logger = logging.getLogger("steadypool")
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        pool.maintain()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    intruder.leave()
    check(pool)


def test_a_release_that_also_tidies_leaves_the_next_borrowers_connection_alone() -> None:
    pool, lock = make_pool(max_idle_time=1000)
    pool._core.tidy_at = 0.0  # due now
    intruder = Intruder(pool)
    held = pool.acquire()
    lock.gap = intruder.come
    pool.release(held)
    intruder.leave()
    check(pool)


def interrupted_by(intruder: Intruder) -> Gap:
    def gap() -> None:
        intruder.come()
        raise Interrupt

    return gap


def test_a_release_interrupted_at_its_end_leaves_the_next_borrower_alone() -> None:
    pool, lock = make_pool()
    intruder = Intruder(pool)
    held = pool.acquire()
    lock.gap = interrupted_by(intruder)
    with pytest.raises(Interrupt):
        pool.release(held)
    intruder.leave()
    assert not held.closed
    check(pool)


def test_a_reset_interrupted_at_its_end_leaves_the_next_borrower_alone() -> None:
    pool, lock = make_pool()
    intruder = Intruder(pool)
    held = pool.acquire()
    held.in_transaction = True
    lock.gap = interrupted_by(intruder)
    with pytest.raises(Interrupt):
        pool.release(held)
    intruder.leave()
    assert not held.closed
    check(pool)


def test_an_acquire_interrupted_twice_leaves_the_next_borrower_alone() -> None:
    pool, lock = make_pool(on_acquire=lambda connection: None)
    intruder = Intruder(pool)

    def interrupt() -> None:
        lock.gap = interrupted_by(intruder)
        raise Interrupt

    def begun() -> None:
        lock.gap = interrupt

    lock.gap = begun  # first the fast path, which is closed, then the start
    with pytest.raises(Interrupt):
        pool.acquire()
    intruder.leave()
    check(pool)


def test_an_acquire_that_times_out_gets_no_later_hand_over() -> None:
    pool, lock = make_pool(size=1)
    held = pool.acquire()

    def tried() -> None:
        lock.gap = begun

    def begun() -> None:
        lock.gap = lambda: pool.release(held)

    lock.gap = tried  # first the fast path, then the start, then the look at the step
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=0)
    stats = pool.stats()
    assert (stats.timeouts, stats.acquired, stats.released, stats.pool_size) == (1, 1, 1, 1)
    pool.close()


def test_two_concurrent_resizes_both_take_effect() -> None:
    pool, lock = make_pool()
    lock.gap = lambda: pool.resize(max_overflow=5)
    pool.resize(size=3)
    assert (pool.size, pool.max_size) == (3, 8)
    pool.close()


def test_a_waiter_that_sees_its_step_before_the_wake_up_gets_no_wake_up_for_its_next_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a global interpreter lock, a thread can see another one's unfinished transition."""
    granter = threading.current_thread()
    renewed = threading.Event()
    requests: list[AcquireRequest] = []

    class Watched(AcquireRequest):
        """Delays the read of its waiter by the thread that sets its step."""

        __slots__ = ("_current",)

        @property
        def waiter(self) -> Any:
            if threading.current_thread() is granter:
                renewed.wait(0.2)
            return self._current

        @waiter.setter
        def waiter(self, current: Any) -> None:
            self._current = current
            if self in requests:
                renewed.set()
            else:
                requests.append(self)

    def see_the_step() -> None:
        queued.set()
        while requests[0].step is Step.WAIT:
            threading.Event().wait(0.001)

    pool, lock = make_pool(size=1, recycle=0.05)
    held = pool.acquire()
    monkeypatch.setattr(engine, "AcquireRequest", Watched)
    queued = threading.Event()
    lock.gap = lambda: setattr(lock, "gap", see_the_step)  # first the fast path, then the start
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(pool.acquire()), daemon=True)
    thread.start()
    assert queued.wait(10)
    threading.Event().wait(0.06)  # until the connection is too old
    pool.release(held)
    thread.join(10)
    assert [connection.closed for connection in got] == [False]
    pool.release(got[0])
    pool.close()
