"""What monitors the pools of a test: a meter for each, so that their figures are told apart."""

from typing import cast

from poolspec.lab.contract import Meter, Metered


class Meters:
    """The meters of one test, by the number of their pool; 0 is the test's own."""

    is_measured = False
    """Whether the pools that are made from now on are monitored."""

    def __init__(self, adapter: object) -> None:
        self._adapter = adapter
        self._meters: dict[int, Meter] = {}

    def of_new(self, number: int) -> Meter | None:
        """Return the meter of a pool that is made now; None if the test asks for no metrics.

        Needs the capability `metrics`.
        """
        if self.is_measured and number not in self._meters:
            self._meters[number] = cast(Metered, self._adapter).meter()
        return self._meters.get(number)

    def of(self, number: int) -> Meter:
        """Return the meter of a pool that is monitored."""
        return self._meters[number]

    def stop(self) -> None:
        """Stop all of them."""
        for meter in self._meters.values():
            meter.stop()
