"""A connection that one thread has put in its place is no longer its own, whatever comes next.

The tests let another thread borrow the connection, and give it back with work to undo, in the gap
between two turns of the lock of the thread that put it there.
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
    """What a signal might raise."""


class Intruder:
    """Borrows in a thread of its own, and stays in the midst of the rollback until it may go on."""

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
        connection = self._pool.acquire(timeout=0)
        connection.in_transaction = True
        connection.on_rollback = self._gate
        self._pool.release(connection)


class Lock:
    """A lock that does something once, in the thread that has just left it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
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
    pool._lock = pool._engine._lock = lock
    return pool, lock


def check(pool: ConnectionPool) -> None:
    """At rest each connection is in one place, and no slot is lost or made up."""
    core = pool._core
    assert (core.pending, core.connecting, len(core.in_use)) == (0, 0, 0)
    held = [pool.acquire(timeout=0) for _ in range(2)]
    assert held[0] is not held[1]
    assert not any(connection.closed for connection in held)
    for connection in held:
        pool.release(connection)
    stats = pool.stats()
    assert stats.total_connections == stats.pool_size == 2
    pool.close()
    assert pool.stats().total_connections == 0


def test_what_housekeeping_opened_and_another_has_borrowed_is_left_to_him() -> None:
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


def test_a_return_that_is_to_tidy_up_leaves_the_next_borrowers_connection_alone() -> None:
    pool, lock = make_pool(max_idle_time=1000)
    pool._core.tidy_at = 0.0  # it is time
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


def test_a_return_that_is_interrupted_when_it_is_done_leaves_the_next_borrower_alone() -> None:
    pool, lock = make_pool()
    intruder = Intruder(pool)
    held = pool.acquire()
    lock.gap = interrupted_by(intruder)
    with pytest.raises(Interrupt):
        pool.release(held)
    intruder.leave()
    assert not held.closed
    check(pool)


def test_a_reset_that_is_interrupted_when_it_is_done_leaves_the_next_borrower_alone() -> None:
    pool, lock = make_pool()
    intruder = Intruder(pool)
    held = pool.acquire()
    held.in_transaction = True

    def begun() -> None:
        lock.gap = interrupted_by(intruder)

    lock.gap = begun
    with pytest.raises(Interrupt):
        pool.release(held)
    intruder.leave()
    assert not held.closed
    check(pool)


def test_an_acquire_that_is_interrupted_twice_leaves_the_next_borrower_alone() -> None:
    pool, lock = make_pool(on_acquire=lambda connection: None)
    intruder = Intruder(pool)

    def interrupt() -> None:
        lock.gap = interrupted_by(intruder)
        raise Interrupt

    def begun() -> None:
        lock.gap = interrupt

    lock.gap = begun  # after the short way, which is closed, comes the start
    with pytest.raises(Interrupt):
        pool.acquire()
    intruder.leave()
    check(pool)


def test_who_gives_up_at_the_deadline_is_handed_nothing_any_more() -> None:
    pool, lock = make_pool(size=1)
    held = pool.acquire()

    def begun() -> None:
        lock.gap = lambda: pool.release(held)

    lock.gap = begun  # after the start comes the look whether the turn has come
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=0)
    stats = pool.stats()
    assert (stats.timeouts, stats.acquired, stats.released, stats.pool_size) == (1, 1, 1, 1)
    pool.close()


def test_two_who_resize_at_once_both_get_what_they_asked_for() -> None:
    pool, lock = make_pool()
    lock.gap = lambda: pool.resize(max_overflow=5)
    pool.resize(size=3)
    assert (pool.size, pool.max_size) == (3, 8)
    pool.close()


def test_who_sees_his_turn_before_he_is_woken_is_not_woken_for_the_next_one_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Threads that do not share an interpreter lock see each other in the midst of a move."""
    giver = threading.current_thread()
    renewed = threading.Event()
    requests: list[AcquireRequest] = []

    class Watched(AcquireRequest):
        """Lets who gives it its step look for the waiter as late as he can."""

        __slots__ = ("_place",)

        @property
        def waiter(self) -> Any:
            if threading.current_thread() is giver:
                renewed.wait(0.2)
            return self._place

        @waiter.setter
        def waiter(self, place: Any) -> None:
            self._place = place
            if self in requests:
                renewed.set()
            else:
                requests.append(self)

    def see_the_turn() -> None:
        queued.set()
        while requests[0].step is Step.WAIT:
            threading.Event().wait(0.001)

    pool, lock = make_pool(size=1, recycle=0.05)
    held = pool.acquire()
    monkeypatch.setattr(engine, "AcquireRequest", Watched)
    queued = threading.Event()
    lock.gap = see_the_turn
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
