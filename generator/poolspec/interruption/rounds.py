"""Rounds: one attempt repeated on new pools, each time interrupted at another point.

Both concurrency modes check here whether a round has lost anything, and whether there were points.
"""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

from poolspec.invariants.complaints import PremiseError
from poolspec.invariants.defects import Defect, Finding, broken

__tracebackhide__ = True  # a failure is shown where the test failed

CALM = 1.0
"""Seconds of a virtual clock that a pool has to finish its work."""


class TooFewPointsError(PremiseError):
    """A pool has fewer interruption points than a test takes for granted."""


class AnyPoint(Protocol):
    """The interruption of a round, in either concurrency mode."""

    where: str


@contextmanager
def noting_point(point: AnyPoint) -> Iterator[None]:
    """Add the point of the interruption to an exception."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"interrupted {point.where}" if point.where else "not interrupted")
        raise


class OpenSockets:
    """Checks that no round leaves a socket open in this process."""

    def __init__(self) -> None:
        self._at_first: int | None = None

    def left(self) -> int:
        """Return how many more are open than there were at first. The pools are closed."""
        now = open_sockets()
        self._at_first = now if self._at_first is None else min(now, self._at_first)
        return now - self._at_first

    def check(self) -> None:
        """Raise AssertionError if there are more than at first. The pools are closed."""
        if self.left():
            gc.collect()  # run finalizers, which may close some
            left = self.left()
            text = f"{left} more sockets are open than before the first round"
            broken([Finding(Defect.LEAK, text)] if left else [])


def open_sockets() -> int:
    """Return how many sockets this process has open; 0 on systems without `/proc`."""
    count = 0
    with suppress(FileNotFoundError), os.scandir("/proc/self/fd") as descriptors:
        for descriptor in descriptors:
            with suppress(OSError):  # listing them took one
                link = os.readlink(descriptor)  # noqa: PTH115 - a round is short, pathlib slow
                count += link.startswith("socket:")
    return count


def check_points(found: int, at_least: int) -> None:
    """Raise TooFewPointsError if there were too few points."""
    if found < at_least:
        raise TooFewPointsError(f"interrupted at {found} points, expected at least {at_least}")


def check_points_by(report: str) -> None:
    """Raise TooFewPointsError if a forked child reports one."""
    name, _, text = report.partition(": ")
    if name == TooFewPointsError.__name__:
        raise TooFewPointsError(text.partition("\n")[0])
