"""A pool as many teams have one: a queue of connections with a limit.

`home_made_adapter.py` drives it, so that every spec can judge it.
"""

from collections.abc import Callable
from queue import Empty, LifoQueue
from threading import Lock
from typing import Any


class PoolTimeout(Exception):  # noqa: N818 - as `TimeoutError` without its base class
    """No connection came back in time."""


class Pool:
    """Hands out at most `limit` connections. Any thread may use it."""

    def __init__(self, connect: Callable[[], Any], limit: int, timeout: float) -> None:
        self._connect = connect
        self._timeout = timeout
        self._idle: LifoQueue[Any] = LifoQueue()
        self._lock = Lock()
        self._room = limit

    def get(self) -> Any:
        """Borrow an idle connection, or a new one, or wait until one comes back."""
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._new() or self._next()

    def _new(self) -> Any:
        with self._lock:
            if not self._room:
                return None
            self._room -= 1
        try:
            return self._connect()
        except BaseException:
            with self._lock:
                self._room += 1
            raise

    def _next(self) -> Any:
        try:
            return self._idle.get(timeout=self._timeout)
        except Empty:
            raise PoolTimeout(f"no connection came back within {self._timeout} s") from None

    def put(self, connection: Any) -> None:
        """Take a connection back."""
        connection.rollback()
        self._idle.put(connection)

    def close(self) -> None:
        """Close the idle connections."""
        while not self._idle.empty():
            self._idle.get_nowait().close()
