"""Locks that are free in a forked child.

Another thread may hold a lock at the moment of a fork. The child has no such thread, so nothing
there would release it.
"""

import os
import threading
import weakref


class FreshLock:
    """A lock for `with`. A forked child gets a new one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        _LOCKS.add(self)

    def __enter__(self) -> None:
        self._lock.__enter__()

    def __exit__(self, *exc: object) -> None:
        self._lock.release()

    def renew(self) -> None:
        """Replace the lock by one that is free."""
        self._lock = threading.Lock()


_LOCKS: "weakref.WeakSet[FreshLock]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for lock in list(_LOCKS):
        lock.renew()


os.register_at_fork(after_in_child=_after_fork_in_child)
