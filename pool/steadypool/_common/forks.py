"""What a fork makes of pools and virtual clocks: the child's begin again, empty."""

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """A pool or a virtual clock, as far as forks go."""

    def _after_fork(self) -> None:
        """Begin again, in the child."""


_THINGS: "weakref.WeakSet[Forkable]" = weakref.WeakSet()


def watch(thing: Forkable) -> None:
    """Have this begin again in every forked child."""
    _THINGS.add(thing)


def _after_fork_in_child() -> None:
    for thing in list(_THINGS):
        thing._after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
