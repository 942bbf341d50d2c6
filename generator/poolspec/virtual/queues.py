"""Virtual queues: those of `queue`, whose waits are the clock's.

The real classes keep the items; only the locks and the waits are virtual.
"""

import queue
from collections import deque
from collections.abc import Callable
from typing import Any

from poolspec.virtual.conditions import Condition
from poolspec.virtual.locks import Lock


class Queue(queue.Queue[Any]):
    """A queue, first in, first out."""

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self.mutex: Any = Lock()
        self.not_empty: Any = Condition(self.mutex)
        self.not_full: Any = Condition(self.mutex)
        self.all_tasks_done: Any = Condition(self.mutex)

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add an item; raises Full if there is no room until the timeout."""
        with self.not_full:
            self._check_open(draining=False)
            if self.maxsize > 0:
                has_room = self._await(
                    self.not_full, lambda: self._qsize() < self.maxsize, block, timeout
                )
                self._check_open(draining=False)
                if not has_room:
                    raise queue.Full
            self._put(item)
            self.unfinished_tasks += 1
            self.not_empty.notify()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item; raises Empty if there is none until the timeout."""
        with self.not_empty:
            has_item = self._await(self.not_empty, self._qsize, block, timeout)
            if not has_item:
                self._check_open(draining=True)
                raise queue.Empty
            item = self._get()
            self.not_full.notify()
            return item

    def _await(
        self,
        condition: Any,
        holds: Callable[[], object],
        block: bool,
        timeout: float | None,
    ) -> bool:
        """Wait until something holds, or the queue was shut down; return whether it holds."""
        if block and timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        limit = timeout if block else 0
        condition.wait_for(lambda: holds() or self._is_shut(), limit)
        return bool(holds())

    def _is_shut(self) -> bool:
        return getattr(self, "is_shutdown", False)  # from Python 3.13

    def _check_open(self, *, draining: bool) -> None:
        if self._is_shut() and (not draining or not self._qsize()):
            raise queue.ShutDown  # type: ignore[attr-defined]


class LifoQueue(Queue, queue.LifoQueue[Any]):
    """A queue, last in, first out."""


class PriorityQueue(Queue, queue.PriorityQueue[Any]):
    """A queue whose smallest item comes first."""


class SimpleQueue:
    """A queue without a limit."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._cond = Condition(Lock())

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Add an item; never blocks."""
        with self._cond:
            self._items.append(item)
            self._cond.notify()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take an item; raises Empty if there is none until the timeout."""
        if block and timeout is not None and timeout < 0:
            raise ValueError("'timeout' must be a non-negative number")
        with self._cond:
            if not self._cond.wait_for(lambda: self._items, timeout if block else 0):
                raise queue.Empty
            return self._items.popleft()

    def put_nowait(self, item: Any) -> None:
        """Add an item."""
        self.put(item)

    def get_nowait(self) -> Any:
        """Take an item; raises Empty if there is none."""
        return self.get(block=False)

    def empty(self) -> bool:
        """Return whether there is no item."""
        return not self._items

    def qsize(self) -> int:
        """Return the number of items."""
        return len(self._items)
