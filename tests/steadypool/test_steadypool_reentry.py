"""Calls from signal handlers and finalizers in the middle of the pool's work, in one thread.

Each call is made at every point where Python handles signals: at the start of a function of the
pool, and after a C call. The profiler hook finds these points.
"""

import itertools
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from steadypool import (
    ConnectionPool,
    ConnectionPoolError,
    EventKind,
    Housekeeper,
    NotBorrowedError,
    PoolClosedError,
    PoolEvent,
)
from steadypool.testing import ScriptedConnector

LIMIT = 10.0


class SignalError(BaseException):
    """The exception that a signal handler raises."""


class CleanConnection:
    """A DB-API connection that reports that it has no transaction."""

    in_transaction = False

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.closed = False

    def rollback(self) -> None:
        """Do nothing: there is nothing to roll back."""

    def close(self) -> None:
        self.closed = True


class Handler:
    """Calls a function at the point with this number, in all functions of these packages."""

    def __init__(self, count: int, call: Callable[[], object], *packages: str) -> None:
        self._left = count
        self._call = call
        self._packages = packages or ("steadypool",)
        self.where: tuple[str, str] | None = None

    def __enter__(self) -> "Handler":
        sys.setprofile(self._look)
        return self

    def __exit__(self, *details: object) -> None:
        sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, _: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] not in self._packages or "._testing." in module:
            return
        if event in ("call", "c_return"):
            self._left -= 1
            if self._left == 0:
                sys.setprofile(None)
                self.where = module, frame.f_code.co_name
                self._call()


def points(
    prepare: Callable[[], tuple[Callable[[], object], Callable[[], object]]], *packages: str
) -> Iterator[tuple[str, str]]:
    """Prepare an action and a call, and make the call in the action, until no point is left."""
    for count in itertools.count(1):
        action, call = prepare()
        handler = Handler(count, call, *packages)
        with suppress(SignalError, ConnectionPoolError), handler:
            action()
        if handler.where is None:
            return
        yield handler.where


def make_pool(**options: Any) -> ConnectionPool:
    chosen: dict[str, Any] = {"size": 2, "timeout": 1.0, "connect": ScriptedConnector()}
    return ConnectionPool(**chosen | options)


ACTIONS: dict[str, Callable[[ConnectionPool], object]] = {
    "acquire": lambda pool: pool.acquire(),
    "connect": lambda pool: [pool.acquire() for _ in range(3)],
    "stats": lambda pool: pool.stats(),
    "loans": lambda pool: pool.loans(),
    "health": lambda pool: pool.health(),
    "maintain": lambda pool: pool.maintain(),
}


@pytest.mark.parametrize("action", ACTIONS)
def test_a_close_from_a_signal_handler_that_then_raises_is_not_lost(action: str) -> None:
    pool = make_pool()

    def prepare() -> tuple[Callable[[], object], Callable[[], object]]:
        nonlocal pool
        pool = make_pool()

        def call() -> None:
            pool.close()
            raise SignalError

        return lambda: ACTIONS[action](pool), call

    assert [where for where in points(prepare) if not pool.closed] == []


def test_a_drain_from_a_signal_handler_does_not_wait_for_the_acquire_it_interrupts() -> None:
    pool = make_pool()
    refused = []

    def prepare() -> tuple[Callable[[], object], Callable[[], object]]:
        nonlocal pool
        pool = make_pool()

        def call() -> None:
            if pool._is_inside():
                pool.close(drain=LIMIT)

        def action() -> None:
            try:
                pool.acquire()
            except PoolClosedError:
                refused.append(pool.stats().total_connections)

        return action, call

    finishes(lambda: list(points(prepare)))
    assert refused
    assert set(refused) == {0}


def test_a_signal_handler_may_release_the_connection_that_is_being_released() -> None:
    pool = make_pool()

    def prepare() -> tuple[Callable[[], object], Callable[[], object]]:
        nonlocal pool
        pool = make_pool(size=1, connect=CleanConnection)
        connection = pool.acquire()

        def call() -> None:
            with suppress(NotBorrowedError):
                pool.release(connection)

        return lambda: pool.release(connection), call

    for where in points(prepare):
        stats = pool.stats()
        assert (stats.acquired, stats.released, stats.pool_size) == (1, 1, 1), where


def test_every_event_of_an_interrupted_call_reaches_the_listener() -> None:
    kinds: list[EventKind] = []
    pool = make_pool()

    def prepare() -> tuple[Callable[[], object], Callable[[], object]]:
        nonlocal pool
        kinds.clear()
        pool = make_pool(listeners=[listener])

        def action() -> None:
            pool.release(pool.acquire())

        return action, interrupt

    def listener(event: PoolEvent) -> None:
        kinds.append(event.kind)

    for where in points(prepare):
        if where[1] == "record":  # the core cannot know the event yet
            continue
        for loan in list(pool._core.in_use.values()):
            pool.release(loan.connection)
        pool.close()
        stats = pool.stats()
        assert kinds.count(EventKind.CHECKED_OUT) == stats.acquired, where
        assert kinds.count(EventKind.CHECKED_IN) == stats.released, where
        assert kinds.count(EventKind.CONNECTION_CLOSED) == stats.created == stats.closed, where


def interrupt() -> None:
    raise SignalError


def test_a_signal_handler_may_stop_the_housekeeper_that_is_being_stopped() -> None:
    keepers: list[Housekeeper] = []

    def prepare() -> tuple[Callable[[], object], Callable[[], object]]:
        keepers.append(Housekeeper(interval=1000))
        return keepers[-1].stop, keepers[-1].stop

    def stop_them() -> None:
        for _ in points(prepare, "steadypool", "threading"):
            assert not keepers[-1]._thread.is_alive()

    finishes(stop_them)


def test_a_hook_may_stop_the_housekeeper_that_runs_it() -> None:
    connects: list[int] = []
    stopped = threading.Event()

    def connect() -> CleanConnection:
        connects.append(1)
        if len(connects) > 1:
            keeper.stop()
            stopped.set()
        return CleanConnection()

    pool = make_pool(size=2, min_size=1, connect=connect)
    keeper = Housekeeper(interval=0.01)
    pool.clear()
    keeper.watch(pool)
    assert stopped.wait(LIMIT)
    keeper.stop()
    assert not keeper._thread.is_alive()
    pool.close()


def finishes(work: Callable[[], object]) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LIMIT)
    assert not thread.is_alive(), "it hangs"
    assert errors == []


# --- no I/O and no foreign code inside the monitor ------------------------------------------------


def test_a_transaction_collected_inside_the_monitor_is_rolled_back_after_it() -> None:
    class Connection(CleanConnection):
        in_transaction = True

        def rollback(self) -> None:
            inside.append(pool._is_inside())

    def rows() -> Generator[Any, None, None]:
        with pool.transaction() as connection:
            yield connection

    inside: list[bool] = []
    pool = make_pool(size=1, connect=Connection)
    generator = rows()
    next(generator)
    with pool._lock:  # as in a transition
        generator.close()
        assert inside == []
    pool.stats()  # the next call does the deferred work
    stats = pool.stats()
    assert inside
    assert not any(inside)
    assert (stats.in_use, stats.pool_size) == (0, 1)


def test_a_read_only_server_noticed_inside_the_monitor_empties_the_pool_after_it() -> None:
    class Connection(CleanConnection):
        def close(self) -> None:
            inside.append(pool._is_inside())
            super().close()

    def rows() -> Generator[Any, None, None]:
        with pool as connection:
            try:
                raise ValueError(1836, "read only")
            except ValueError:
                yield connection

    inside: list[bool] = []
    pool = make_pool(connect=Connection)
    generator = rows()
    next(generator)
    with pool._lock:
        generator.close()
    pool.stats()  # the next call does the deferred work
    assert pool.stats().total_connections == 0
    assert inside == [False, False]


def test_the_pool_reads_no_attribute_of_a_foreign_connection_inside_the_monitor() -> None:
    class Connection(CleanConnection):
        def __getattr__(self, name: str) -> Any:
            if pools and pools[0]._is_inside():
                read.append(name)
            raise AttributeError(name)

    pools: list[ConnectionPool] = []
    read: list[str] = []
    pool = make_pool(connect=Connection, check_after=0)
    pools.append(pool)
    connection = pool.acquire()
    pool.maintain()
    pool._engine.doubt(pool._core.in_use[id(connection)], pool._now())
    pool.release(connection)
    assert read == []


def test_a_drain_cuts_off_a_connection_whose_rollback_hangs() -> None:
    class Connection(CleanConnection):
        in_transaction = True

        def __init__(self) -> None:
            super().__init__()
            self._sock, self._server = socket.socketpair()

        def fileno(self) -> int:
            return self._sock.fileno()

        def rollback(self) -> None:
            began.set()
            self._sock.recv(1)
            raise OSError("the server sent no answer")

        def close(self) -> None:
            self._sock.close()
            self._server.close()

    began = threading.Event()
    pool = make_pool(size=1, connect=Connection)
    connection = pool.acquire()
    releaser = threading.Thread(target=pool.release, args=(connection,), daemon=True)
    releaser.start()
    assert began.wait(LIMIT)
    pool.close(drain=0.1)
    releaser.join(LIMIT)
    assert not releaser.is_alive()
    assert pool.stats().total_connections == 0


def test_a_slow_listener_captures_no_thread() -> None:
    def listen(event: PoolEvent) -> None:
        threading.Event().wait(0.002)

    pool = ConnectionPool(size=4, min_size=0, connect=ScriptedConnector(), listeners=[listen])
    over = threading.Event()
    calls = [0] * 4

    def client(number: int) -> None:
        while not over.is_set():
            pool.release(pool.acquire())
            calls[number] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    over.wait(1.5)
    over.set()
    for thread in threads:
        thread.join(LIMIT)
    assert min(calls) > 0
    pool.close()


@pytest.mark.parametrize("where", ["connect", "rollback"])
def test_a_drain_from_inside_a_call_does_not_wait_for_that_call(where: str) -> None:
    class Draining(CleanConnection):
        in_transaction = True

        def rollback(self) -> None:
            if where == "rollback":
                pool.close(drain=LIMIT * 2)

    def connect() -> Draining:
        if where == "connect" and opened:
            pool.close(drain=LIMIT * 2)
        opened.append(None)
        return Draining()

    opened: list[None] = []
    pool = ConnectionPool(size=2, min_size=1, max_overflow=0, connect=connect)
    held = pool.acquire()
    done = threading.Event()

    def call() -> None:
        with suppress(PoolClosedError):
            if where == "connect":
                other = pool.acquire()
                pool.release(other)
            else:
                pool.release(held)
        done.set()

    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    if where == "connect":
        while not pool.closed:
            threading.Event().wait(0.001)
        pool.release(held)
    assert done.wait(LIMIT)
    assert pool.stats().total_connections == 0
