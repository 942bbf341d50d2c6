"""The thread of a line: it waits for sockets and times, and calls what is ready.

A connection without a toxic costs each query two turns of this loop. So a turn does nothing else
than to wait, and to call the side whose socket is ready.
"""

import heapq
import itertools
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from typing import Protocol, TypeVar

T = TypeVar("T")

_LOOK_EVERY = 1.0
"""Real seconds between two looks whether the thread still runs."""
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


class Ready(Protocol):
    """An object with a socket."""

    def read(self) -> None:
        """Read from the socket."""

    def write(self) -> None:
        """Continue to write to it."""


class Loop:
    """Runs in a thread until `stop`. Other threads call `run` and `stop` only."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._orders: deque[Callable[[], object]] = deque()
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._selector.register(self._bell, READ, self)
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
        while self._thread.is_alive() and not wait([done], timeout=_LOOK_EVERY).done:
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
            for one in (self._selector, self._bell, self._rope):
                one.close()

    def watch(self, one: socket.socket, events: int, ready: Ready) -> None:
        """Call `ready` when a socket has these events, in place of those before; 0: no more."""
        known = one.fileno() in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(one)
        elif known:
            self._selector.modify(one, events, ready)
        else:
            self._selector.register(one, events, ready)

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
        select, timers = self._selector.select, self._timers
        while not self._is_over:
            timeout = max(0.0, timers[0][0] - time.monotonic()) if timers else None
            for key, events in select(timeout):
                if events & READ:
                    key.data.read()
                if events & WRITE:
                    key.data.write()
            while timers and timers[0][0] <= time.monotonic():
                heapq.heappop(timers)[2]()
