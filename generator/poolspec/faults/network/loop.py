"""The thread of a line: it waits for sockets and times, and calls what is ready.

A query over a connection without a toxic costs two turns of this loop. So a turn only waits, and
calls the side whose socket is ready. `selectors` would cost 2 µs in each turn.
"""

import heapq
import itertools
import math
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent import futures
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

_LOOK_EVERY = 1.0
"""Real seconds after which a caller checks again whether the thread still runs."""
READ, WRITE = select.POLLIN, select.POLLOUT
"""The events of `poll`, which `epoll` shares; an error or a hang-up counts as READ."""


class Ready(Protocol):
    """An object with a socket."""

    def read(self) -> None:
        """Read from the socket."""

    def write(self) -> None:
        """Continue to write to it."""


class Loop:
    """Runs in a thread until `stop`. Other threads call `run` and `stop` only."""

    def __init__(self) -> None:
        self._poll, self._wait = _poll()
        self._ready: dict[int, Ready] = {}
        self._timers: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._orders: deque[Callable[[], object]] = deque()
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self.watch(self._bell, READ, self)
        self._is_over = False
        self._thread = threading.Thread(target=self._work, name="line", daemon=True)
        self._thread.start()

    def run(self, order: Callable[[], T]) -> T:
        """Carry out an order in the loop's thread, and return its result. Thread-safe."""
        done: Future[T] = Future()

        def carry_out() -> None:
            try:
                done.set_result(order())
            except BaseException as error:
                done.set_exception(error)

        self._orders.append(carry_out)
        self._rope.send(b"!")
        while self._thread.is_alive() and not futures.wait([done], timeout=_LOOK_EVERY).done:
            pass
        if not done.done():
            raise RuntimeError("the thread of the line has ended")
        return done.result()

    def stop(self, last: Callable[[], object]) -> None:
        """Carry out a last order, and end the thread. Stopping twice does nothing more."""
        if not self._is_over:
            self.run(last)
            self._is_over = True
            self._rope.send(b"!")
            self._thread.join()
            self._bell.close()
            self._rope.close()
            if hasattr(self._poll, "close"):  # `epoll` has a file descriptor, `poll` none
                self._poll.close()

    def watch(self, one: socket.socket, events: int, ready: Ready) -> None:
        """Call `ready` when a socket has these events, which replace the former; 0: never again."""
        number = one.fileno()
        if not events:
            if self._ready.pop(number, None) is not None:
                self._poll.unregister(number)
        elif number in self._ready:
            self._poll.modify(number, events)
        else:
            self._ready[number] = ready
            self._poll.register(number, events)

    def at(self, due: float, action: Callable[[], object]) -> None:
        """Call an action at a time of `time.monotonic`."""
        heapq.heappush(self._timers, (due, next(self._numbers), action))

    def read(self) -> None:
        """Carry out the orders of other threads."""
        with suppress(BlockingIOError):
            self._bell.recv(4096)
        while self._orders:
            self._orders.popleft()()

    def write(self) -> None:
        """Do nothing: the bell is never written to here."""

    def _work(self) -> None:
        wait, ready, timers = self._wait, self._ready, self._timers
        while not self._is_over:
            timeout = max(0.0, timers[0][0] - time.monotonic()) if timers else None
            for number, events in wait(timeout):
                side = ready.get(number)
                if side is None:  # closed in this turn
                    continue
                if events != WRITE:
                    side.read()
                if events & WRITE:
                    side.write()
            while timers and timers[0][0] <= time.monotonic():
                heapq.heappop(timers)[2]()


def _poll() -> tuple[Any, Callable[[float | None], list[tuple[int, int]]]]:
    """Return the system's way to wait for many sockets, and a function that waits some seconds."""
    if hasattr(select, "epoll"):
        fast = select.epoll()
        return fast, fast.poll
    slow = select.poll()
    return slow, lambda seconds: slow.poll(None if seconds is None else math.ceil(seconds * 1000))
