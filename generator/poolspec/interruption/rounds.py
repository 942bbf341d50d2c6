"""Rounds: the same again, on a pool made anew, cut short at another point each time.

What both modes ask: whether nothing is missing after a round, and whether there were points.
"""

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from poolspec.invariants.complaints import demand
from poolspec.vocabulary import Capability, StatName

__tracebackhide__ = True  # a failure is shown where the test failed

CALM = 1.0
"""Seconds of a virtual clock in which a pool does what it still has to do."""
_MANY = 5
"""A pool that lends more than this is asked for so many."""


class AnyCut(Protocol):
    """What cuts a round short, whichever the concurrency."""

    where: str


@contextmanager
def telling(cut: AnyCut) -> Iterator[None]:
    """Have what is raised tell where the round was cut short."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"cut short {cut.where}" if cut.where else "not cut short")
        raise


def lendable(stats: Mapping[str, int], may: frozenset[Capability]) -> int:
    """Return how many connections a pool at rest must be able to lend at once."""
    if Capability.STATISTICS not in may:
        return 1
    return max(1, min(stats[StatName.MAX_SIZE], _MANY))


def check_idle(stats: Mapping[str, int], may: frozenset[Capability]) -> None:
    """Raise AssertionError if somebody waits for, or holds, what nobody knows of."""
    if Capability.STATISTICS in may:
        left = {name: stats[name] for name in (StatName.IN_USE, StatName.WAITING)}
        demand(*(f"{n} {name} after all was given back" for name, n in left.items() if n))


class OpenSockets:
    """Sees to it that no round leaves a socket open in this process, whoever opened it."""

    def __init__(self) -> None:
        self._at_first: int | None = None

    def check(self) -> None:
        """Raise AssertionError if there are more than there were at first; pools are closed."""
        now = open_sockets()
        if self._at_first is None:
            self._at_first = now
        if now > self._at_first:
            gc.collect()  # what is left to a finalizer is let go of, if not at once
            left = open_sockets() - self._at_first
            demand(f"{left} sockets are open that were not before" if left > 0 else None)


def open_sockets() -> int:
    """Return how many sockets this process has open; 0 on systems that do not tell."""
    count = 0
    for descriptor in Path("/proc/self/fd").glob("*"):
        with suppress(OSError):  # the look itself took one
            count += str(descriptor.readlink()).startswith("socket:")
    return count


def check_points(found: int, at_least: int) -> None:
    """Raise AssertionError if there were too few points to cut short at."""
    few = f"cut short at {found} points, there must be {at_least} at least"
    demand(few if found < at_least else None)
