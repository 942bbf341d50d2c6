"""The CPU time that a load used, and the time that it waited for a CPU.

On a busy machine a thread that could run waits for a CPU. That is no fault of the pool, so a
throughput that misses its limit is judged again without this time. Linux counts it for each
thread. The lab reads it in the thread that started the load: the thread of the event loop in
asyncio. In the threads form that thread only waits for the clients, so the figure stays as it is.
"""

import time
from dataclasses import dataclass
from pathlib import Path

_SCHEDSTAT = Path("/proc/thread-self/schedstat")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of CPU of this process, and seconds that this thread waited for a CPU."""

    cpu: float
    waited: float

    @classmethod
    def so_far(cls) -> "Spent":
        """Return the seconds since the start of the process and of the thread."""
        return cls(time.process_time(), _waited())

    def since(self, before: "Spent") -> "Spent":
        """Return the seconds since a moment."""
        return Spent(self.cpu - before.cpu, max(self.waited - before.waited, 0.0))


NOTHING = Spent(0.0, 0.0)


def _waited() -> float:
    try:
        return int(_SCHEDSTAT.read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):  # another system
        return 0.0
