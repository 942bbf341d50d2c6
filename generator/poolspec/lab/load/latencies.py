"""The times of operations: few are kept as they are, many in an HdrHistogram of a fixed size.

HdrHistogram counts values in buckets of three significant digits, so a percentile is at most 0.1 %
above the true value however long a load runs. Mean, minimum and maximum are exact, and no
percentile lies outside them. The histogram is made, and its library imported, when the first
percentile is needed, or when BUFFER times have been noted.
"""

import math
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hdrh.histogram import HdrHistogram

PERCENTILES = ("p50", "p90", "p95", "p99", "p99.9")
BUFFER = 8192
"""Times that wait to be counted."""
UNIT = 1e-7
"""Seconds of one unit of the histogram."""
LONGEST = 24 * 3600.0
"""The largest time in seconds that the histogram can hold; longer ones count as this."""
DIGITS = 3


class Latencies:
    """The times of some operations. One thread at a time may use it."""

    __slots__ = ("_histogram", "_total", "_waiting", "count", "longest", "shortest")

    def __init__(self) -> None:
        self.count = 0
        self.shortest, self.longest = math.inf, 0.0
        self._total = 0.0
        self._waiting = array("d")
        self._histogram: HdrHistogram | None = None

    def note(self, seconds: float) -> None:
        """Add a time."""
        self.count += 1
        self._total += seconds
        self.shortest = min(self.shortest, seconds)
        self.longest = max(self.longest, seconds)
        self._waiting.append(seconds)
        if len(self._waiting) >= BUFFER:
            self._counted()

    def figures(self) -> dict[str, float]:
        """Return mean, maximum and percentiles in seconds; nothing if there is no time."""
        if not self.count:
            return {}
        wanted = [float(name[1:]) for name in PERCENTILES]
        found = self._counted().get_percentile_to_value_dict(wanted)
        ranked = zip(
            PERCENTILES, (self._within(found[each] * UNIT) for each in wanted), strict=True
        )
        return {"mean": self._total / self.count, "max": self.longest, **dict(ranked)}

    def _within(self, seconds: float) -> float:
        return min(max(seconds, self.shortest), self.longest)

    def _counted(self) -> "HdrHistogram":
        """Count the times that wait, and return the histogram."""
        if self._histogram is None:
            from hdrh.histogram import HdrHistogram  # 10 ms, which few tests need

            self._histogram = HdrHistogram(1, int(LONGEST / UNIT), DIGITS)
        for seconds in self._waiting:
            self._histogram.record_value(round(min(seconds, LONGEST) / UNIT))
        del self._waiting[:]
        return self._histogram
