"""How late the machine itself is while a block is timed on it.

A busy machine wakes a sleeping thread late. That is no fault of the pool. So during the block, a
control thread sleeps for short moments and measures how late it wakes. A pool's delay counts only
beyond that. A virtual clock is never late.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from poolspec.lab.comparisons import Comparison, Expected, Number, mismatch

__tracebackhide__ = True  # a failure is shown where the test failed

_MOMENT = 0.005
"""Seconds for which the control sleeps each time."""
_STEPS = 20


class Lateness:
    """The largest delay that the control has measured, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def mismatch(self, expected: Expected, taken: float) -> str | None:
        """Return how a time misses the expectation even without the machine's delay, or None."""
        if isinstance(expected, Comparison):
            step = self.seconds / _STEPS
            if any(expected.holds(taken - step * n) for n in range(_STEPS + 1)):
                return None
        complaint = mismatch("took", expected, taken)
        late: Number = round(self.seconds, 4)
        noted = f"{complaint} (the machine was up to {late} s late)"
        return noted if complaint and late else complaint


@contextmanager
def lateness_beside(clock: object) -> Iterator[Lateness]:
    """Measure how late the machine is during a block, on a real clock."""
    lateness = Lateness()
    if not getattr(clock, "is_real", False):
        yield lateness
        return
    done = threading.Event()
    control = threading.Thread(target=_watch, args=(lateness, done), name="lateness", daemon=True)
    control.start()
    try:
        yield lateness
    finally:
        done.set()
        control.join()


def _watch(lateness: Lateness, done: threading.Event) -> None:
    asked = time.monotonic()
    while not done.wait(_MOMENT):
        now = time.monotonic()
        lateness.seconds = max(lateness.seconds, now - asked - _MOMENT)
        asked = time.monotonic()
