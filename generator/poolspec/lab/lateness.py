"""How late the machine itself is, while something else is timed on it.

A busy machine wakes whoever sleeps later than he asked. That is no fault of a pool, so a control
sleeps beside the block that is timed, a moment at a time, and notes by how much it was woken too
late. What a pool takes too long counts against it only beyond that. A virtual clock is never late.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from poolspec.lab.comparisons import Comparison, Expected, Number, mismatch

__tracebackhide__ = True  # a failure is shown where the test failed

_MOMENT = 0.005
"""Seconds that the control sleeps at a time."""
_STEPS = 20


class Lateness:
    """The worst that the control beside a block has met, in seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def mismatch(self, expected: Expected, taken: float) -> str | None:
        """Say how a time falls short of what was expected, whatever the machine's part in it."""
        if isinstance(expected, Comparison):
            step = self.seconds / _STEPS
            if any(expected.holds(taken - step * n) for n in range(_STEPS + 1)):
                return None
        said = mismatch("took", expected, taken)
        late: Number = round(self.seconds, 4)
        return f"{said} (the machine was up to {late} s late)" if said and late else said


@contextmanager
def lateness_beside(clock: object) -> Iterator[Lateness]:
    """Measure how late the machine is during a block, if the clock is the machine's."""
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
