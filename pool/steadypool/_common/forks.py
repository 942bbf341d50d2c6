"""Resets pools and virtual clocks in a forked child, where they start empty."""

import os
import weakref
from typing import Protocol


class Forkable(Protocol):
    """A pool or a virtual clock, as far as forks are concerned."""

    def _after_fork(self) -> None:
        """Start again in the child."""


_WATCHED: "weakref.WeakSet[Forkable]" = weakref.WeakSet()


def watch(item: Forkable) -> None:
    """Have this item start again in every forked child; the reference is weak."""
    _WATCHED.add(item)


def _after_fork_in_child() -> None:
    for item in list(_WATCHED):
        item._after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
