"""Virtual conditions, and the objects of `threading` that are made of one."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

from poolspec.virtual.locks import Lock, RLock
from poolspec.virtual.waits import Waiter, current

T = TypeVar("T")


class Condition:
    """A condition whose waits are the clock's."""

    def __init__(self, lock: Any = None) -> None:
        self._waits = current()
        self._lock: Any = RLock() if lock is None else lock
        self.acquire = self._lock.acquire
        self.release = self._lock.release
        self._queue: deque[Waiter] = deque()

    def __enter__(self) -> Any:
        return self._lock.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lock.__exit__(kind, error, traceback)

    def wait(self, timeout: float | None = None) -> bool:
        """Release the lock, wait until notified (True) or the timeout (False), take it back."""
        self._check_owned()
        waiter = self._waits.waiter()
        deadline = self._waits.deadline(timeout)
        self._queue.append(waiter)
        woken = False
        try:
            saved = self._give_up_lock()
            try:
                woken = self._waits.wait(waiter, deadline)
            finally:
                self._take_back(saved)
        finally:
            if not woken:
                with suppress(ValueError):  # notified since
                    self._queue.remove(waiter)
        return woken

    def wait_for(self, predicate: Callable[[], T], timeout: float | None = None) -> T:
        """Wait until the predicate holds, or the timeout; return its last value."""
        deadline = self._waits.deadline(timeout)
        result = predicate()
        while not result:
            remaining = None if deadline is None else deadline - self._waits.now()
            if remaining is not None and remaining <= 0:
                break
            self.wait(remaining)
            result = predicate()
        return result

    def notify(self, n: int = 1) -> None:
        """Wake the first n waiters."""
        self._check_owned()
        for _ in range(min(n, len(self._queue))):
            self._queue.popleft().wake()

    def notify_all(self) -> None:
        """Wake all waiters."""
        self.notify(len(self._queue))

    def _check_owned(self) -> None:
        if hasattr(self._lock, "_is_owned"):
            is_owned = self._lock._is_owned()
        else:
            is_owned = self._lock.locked()
        if not is_owned:
            raise RuntimeError("cannot wait on or notify a condition whose lock is not held")

    def _give_up_lock(self) -> Any:
        if hasattr(self._lock, "_release_save"):
            return self._lock._release_save()
        return self._lock.release()

    def _take_back(self, saved: Any) -> None:
        if hasattr(self._lock, "_acquire_restore"):
            self._lock._acquire_restore(saved)
        else:  # a real lock
            self._lock.acquire()

    def _at_fork_reinit(self) -> None:
        self._lock._at_fork_reinit()
        self._queue.clear()


class Event:
    """A flag that threads wait for."""

    def __init__(self) -> None:
        self._cond = Condition(Lock())
        self._is_set = False

    def is_set(self) -> bool:
        """Return whether the flag is set."""
        return self._is_set

    def set(self) -> None:
        """Set the flag, and wake all waiters."""
        with self._cond:
            self._is_set = True
            self._cond.notify_all()

    def clear(self) -> None:
        """Unset the flag."""
        with self._cond:
            self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the flag is set; return whether it is."""
        with self._cond:
            return self._is_set or self._cond.wait(timeout)

    def _at_fork_reinit(self) -> None:
        self._cond._at_fork_reinit()


class Semaphore:
    """A count of permits that threads take and give."""

    def __init__(self, value: int = 1) -> None:
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._cond = Condition(Lock())
        self._value = value

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        """Take a permit; False if there is none until the timeout."""
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        with self._cond:
            if not self._cond.wait_for(lambda: self._value > 0, timeout if blocking else 0):
                return False
            self._value -= 1
            return True

    def release(self, n: int = 1) -> None:
        """Give n permits."""
        if n < 1:
            raise ValueError("n must be one or more")
        with self._cond:
            self._check(n)
            self._value += n
            self._cond.notify(n)

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def _check(self, n: int) -> None:
        """Raise ValueError if n permits must not be given."""


class BoundedSemaphore(Semaphore):
    """A semaphore that never has more permits than at the start."""

    def __init__(self, value: int = 1) -> None:
        super().__init__(value)
        self._initial_value = value

    def _check(self, n: int) -> None:
        if self._value + n > self._initial_value:
            raise ValueError("Semaphore released too many times")


class Barrier(threading.Barrier):
    """A barrier whose waits are the clock's; the real one is made of one condition alone."""

    def __init__(
        self,
        parties: int,
        action: Callable[[], None] | None = None,
        timeout: float | None = None,
    ) -> None:
        super().__init__(parties, action, timeout)
        self._cond = Condition(Lock())
