"""Pools for threads with which the lab's judgement of fairness is tested.

`FairPool` passes a returned connection to the first waiter, under its lock, and wakes the waiter
afterwards. `LateFairPool` wakes it a moment later, and `HelpedFairPool` lets a thread of its own do
so. `BargingPool` makes a returned connection idle and wakes a waiter; any acquire that runs before
that waiter takes the connection. The others forget their waiters or connections.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Protocol

from poolspec.adapters.steady import SteadypoolAdapter
from poolspec.lab.contract import Options, Wiring
from poolspec.lab.threads.clock import Clock, RealClock
from poolspec.vocabulary import Capability, ErrorKind, TimeKind

POLL = 0.05
"""Seconds after which a pool that polls looks again."""
LATE = 0.002
"""Seconds between a hand-over and the waiter's wake-up, in pools that wake late."""


class NoConnectionError(Exception):
    """An acquire waited for as long as it may."""


class _Waiter:
    """One acquire in the queue."""

    def __init__(self) -> None:
        self.gate = threading.Lock()
        self.gate.acquire()
        self.connection: Any = None


class FairPool:
    """Serves waiters first in, first out."""

    def __init__(self, connect: Callable[[], Any], limit: int, timeout: float) -> None:
        self._connect = connect
        self._limit = limit
        self._timeout = timeout
        self._lock = threading.Lock()
        self._idle: deque[Any] = deque()
        self._queue: deque[_Waiter] = deque()
        self._opened = 0
        self._is_closed = False

    def acquire(self, timeout: float | None) -> Any:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if self._opened < self._limit:
                self._opened += 1
                waiter = None
            else:
                waiter = _Waiter()
                self._queue.append(waiter)
        if waiter is None:
            return self._connect()
        if not waiter.gate.acquire(timeout=self._timeout if timeout is None else timeout):
            with self._lock:
                if waiter in self._queue:
                    self._queue.remove(waiter)
                    raise NoConnectionError
            waiter.gate.acquire()
        if self._is_closed:
            raise NoConnectionError
        return waiter.connection

    def release(self, connection: Any) -> None:
        with self._lock:
            if not self._queue:
                self._idle.append(connection)
                return
            waiter = self._queue.popleft()
            waiter.connection = connection
        self._wake(waiter)

    def _wake(self, waiter: _Waiter) -> None:
        waiter.gate.release()

    def close(self) -> None:
        self._is_closed = True
        while self._queue:
            self._queue.pop().gate.release()
        while self._idle:
            self._idle.pop().close()


class LateFairPool(FairPool):
    """Wakes a waiter some time after it has given it a connection."""

    def _wake(self, waiter: _Waiter) -> None:
        time.sleep(LATE)
        waiter.gate.release()


class HelpedFairPool(FairPool):
    """Has a thread that wakes waiters."""

    def __init__(self, connect: Callable[[], Any], limit: int, timeout: float) -> None:
        super().__init__(connect, limit, timeout)
        self._served: SimpleQueue[_Waiter | None] = SimpleQueue()
        self._helper = threading.Thread(target=self._help, name="helper", daemon=True)
        self._helper.start()

    def _wake(self, waiter: _Waiter) -> None:
        self._served.put(waiter)

    def _help(self) -> None:
        while (waiter := self._served.get()) is not None:
            time.sleep(LATE)
            waiter.gate.release()

    def close(self) -> None:
        self._served.put(None)
        self._helper.join()
        super().close()


class BargingPool:
    """Serves the acquire that looks first."""

    def __init__(self, connect: Callable[[], Any], limit: int, timeout: float) -> None:
        self._connect = connect
        self._limit = limit
        self._timeout = timeout
        self._changed = threading.Condition()
        self._idle: deque[Any] = deque()
        self._opened = 0

    def acquire(self, timeout: float | None) -> Any:
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        with self._changed:
            while not self._idle and self._opened == self._limit:
                if not self._changed.wait(deadline - time.monotonic()):
                    raise NoConnectionError
            if self._idle:
                return self._idle.pop()
            self._opened += 1
        return self._connect()

    def release(self, connection: Any) -> None:
        with self._changed:
            self._idle.append(connection)
            self._changed.notify()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class ForgetfulPool(FairPool):
    """Wakes no waiter: a returned connection becomes idle."""

    def release(self, connection: Any) -> None:
        with self._lock:
            self._idle.append(connection)


class PollingPool(ForgetfulPool):
    """Wakes no waiter either, but each looks again every `POLL` seconds."""

    def acquire(self, timeout: float | None) -> Any:
        deadline = time.monotonic() + (self._timeout if timeout is None else timeout)
        while time.monotonic() < deadline:
            try:
                return super().acquire(POLL)
            except NoConnectionError:
                continue
        raise NoConnectionError


class LosingPool(FairPool):
    """Forgets every connection that is returned, and counts it as taken."""

    def release(self, connection: Any) -> None:
        connection.close()


class ControlPool(Protocol):
    """How the adapter makes a control pool."""

    def __call__(self, connect: Callable[[], Any], limit: int, timeout: float) -> Any:
        """Make one."""


class ControlAdapter(SteadypoolAdapter):
    """Drives a control pool in real time; its connections are those of steadypool's adapter."""

    capabilities = frozenset({Capability.FAIR_QUEUE, Capability.TIMEOUT})

    def __init__(self, make: ControlPool) -> None:
        self._make = make

    def clock(self, time: TimeKind) -> Clock:
        return RealClock()

    def create(self, options: Options, wiring: Wiring) -> Any:
        return self._make(wiring.connect, int(options["size"]), float(options["timeout"]))

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        return ErrorKind.TIMEOUT if isinstance(error, NoConnectionError) else None
