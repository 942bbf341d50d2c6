"""Monitors the pools of a test: a meter for each keeps their figures apart."""

from collections.abc import Callable
from typing import Generic, Protocol, TypeVar


class AnyMeter(Protocol):
    """What monitors one pool."""

    def stop(self) -> None:
        """Stop measuring."""


M = TypeVar("M", bound=AnyMeter)


class Meters(Generic[M]):
    """The meters of one test, by the number of their pool; 0 is the test's own."""

    is_measured = False
    """Whether the pools that are made from now on are monitored."""

    def __init__(self, make: Callable[[], M]) -> None:
        self._make = make
        self._meters: dict[int, M] = {}

    def of_new(self, number: int) -> M | None:
        """Return the meter of a pool that is made now; None if the test asks for no metrics."""
        if self.is_measured and number not in self._meters:
            self._meters[number] = self._make()
        return self._meters.get(number)

    def of(self, number: int) -> M:
        """Return the meter of a pool that is monitored."""
        return self._meters[number]

    def stop(self) -> None:
        """Stop all of them."""
        for meter in self._meters.values():
            meter.stop()
