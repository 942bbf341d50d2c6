"""Virtual locks.

A real lock holds the state, so a lock that is free is taken and released at little cost, and an
interrupt cannot change the state by half. Only a thread that finds it taken waits on the clock. A
release wakes the first waiter, which tries again: like a real lock, it promises no order.

No wake-up is lost. A waiter is in the queue before it tries once more, and a release looks at the
queue after the lock is free. A waiter that leaves without the lock, by a timeout or an interrupt,
wakes the next one if the lock is free.
"""

import _thread
import os
from collections import deque
from contextlib import suppress
from types import TracebackType

from poolspec.virtual.waits import Waiter, current

GRACE = 1.0
"""Real seconds in which a thread that must take its lock back does so when the clock has failed."""


class Lock:
    """A lock whose waits are the clock's."""

    def __init__(self) -> None:
        self._waits = current()
        self._lock = _thread.allocate_lock()
        self._queue: deque[tuple[int, Waiter]] = deque()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; False if it is taken until the timeout."""
        if timeout != -1 and (not blocking or timeout < 0):
            raise ValueError("a timeout must be positive, and needs blocking=True")
        if self._lock.acquire(False):
            return True
        deadline = None if timeout == -1 else self._waits.deadline(timeout)
        return blocking and self._wait_for_turn(deadline)

    def release(self) -> None:
        """Release the lock. Any thread may."""
        try:
            self._lock.release()
        finally:
            self._wake_first()

    def locked(self) -> bool:
        """Return whether the lock is taken."""
        return self._lock.locked()

    def __enter__(self) -> bool:
        return self._lock.acquire(False) or self._wait_for_turn(None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._lock.__exit__(kind, error, traceback)  # an interruption point of the block's end
        finally:
            self._wake_first()

    def _wait_for_turn(self, deadline: float | None) -> bool:
        while True:
            turn = (os.getpid(), self._waits.waiter())
            self._queue.append(turn)
            taken = False
            try:
                taken = self._lock.acquire(False)
                in_time = taken or self._waits.wait(turn[1], deadline)
                taken = taken or self._lock.acquire(False)
                if taken or not in_time:
                    return taken
            finally:
                with suppress(ValueError):  # woken
                    self._queue.remove(turn)
                if not taken:
                    self._wake_first()

    def _wake_first(self) -> None:
        while self._queue and not self._lock.locked():
            try:
                process, waiter = self._queue.popleft()
            except IndexError:  # another thread was faster
                return
            if process == os.getpid():  # else of a thread of the process that has forked this one
                waiter.wake()
                return

    # --- for conditions, as in `threading` -------------------------------------------------------

    def _is_owned(self) -> bool:
        return self._lock.locked()

    def _release_save(self) -> None:
        self.release()

    def _acquire_restore(self, saved: None = None) -> None:
        """Take the lock back for a block that will release it; then raise an interrupt, if any."""
        interrupt: BaseException | None = None
        while True:
            try:
                self.acquire()
                break
            except BaseException as error:
                interrupt = interrupt or error
                if self._waits.failed and self._lock.acquire(True, GRACE):
                    break
                if self._waits.failed:
                    raise
        if interrupt is not None:
            raise interrupt

    def _at_fork_reinit(self) -> None:
        self._lock = _thread.allocate_lock()
        self._queue.clear()


class RLock:
    """A lock that the thread which has taken it may take again."""

    def __init__(self) -> None:
        self._block = Lock()
        self._owner: int | None = None
        self._count = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock; False if another thread has it until the timeout."""
        me = _thread.get_ident()
        if self._owner == me:
            self._count += 1
            return True
        if not self._block.acquire(blocking, timeout):
            return False
        self._owner, self._count = me, 1
        return True

    def __enter__(self) -> bool:
        return self.acquire()

    def release(self) -> None:
        """Undo one acquire of this thread."""
        if self._is_last():
            self._block.release()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_last():
            self._block.__exit__(kind, error, traceback)

    def _is_last(self) -> bool:
        if self._owner != _thread.get_ident():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if self._count == 0:
            self._owner = None
        return self._count == 0

    # --- for conditions, as in `threading` -------------------------------------------------------

    def _is_owned(self) -> bool:
        return self._owner == _thread.get_ident()

    def _release_save(self) -> tuple[int, int | None]:
        if self._count == 0:
            raise RuntimeError("cannot release un-acquired lock")
        saved = self._count, self._owner
        self._count, self._owner = 0, None
        self._block.release()
        return saved

    def _acquire_restore(self, saved: tuple[int, int | None]) -> None:
        try:
            self._block._acquire_restore()
        finally:
            self._count, self._owner = saved

    def _recursion_count(self) -> int:
        return self._count if self._is_owned() else 0

    def _at_fork_reinit(self) -> None:
        self._block._at_fork_reinit()
        self._owner, self._count = None, 0
