"""What a fork makes of pools: the child's begin again, empty."""

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """A pool, as far as forks go."""

    def _after_fork(self) -> None:
        """Begin again, in the child."""


_POOLS: "weakref.WeakSet[Forkable]" = weakref.WeakSet()


def watch(pool: Forkable) -> None:
    """Have this pool begin again in every forked child."""
    _POOLS.add(pool)


def _after_fork_in_child() -> None:
    for pool in list(_POOLS):
        pool._after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
