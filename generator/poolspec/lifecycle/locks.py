"""Locks that are free in a forked child.

Another thread may hold a lock at the moment of a fork. The child has no such thread, so nothing
there would release it.
"""

import os
import weakref
from _thread import RLock


class FreshLock(RLock):  # type: ignore[misc]  # its stub calls it final
    """A re-entrant lock that is free again in a forked child.

    C code enters and leaves it, so no signal can come between the lock and its `with` block.
    """

    def __init__(self) -> None:
        _LOCKS.add(self)


_LOCKS: "weakref.WeakSet[FreshLock]" = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for lock in list(_LOCKS):
        lock._at_fork_reinit()  # type: ignore[attr-defined]  # as threading does


os.register_at_fork(after_in_child=_after_fork_in_child)
