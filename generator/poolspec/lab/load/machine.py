"""The CPU time that a load used, and the time for which it waited for a CPU.

On a busy machine a thread that could run waits for a CPU. That is no fault of the pool, so a
throughput that misses its limit is judged again without this time. Linux counts it for each thread.

Two waits count. One is that of the thread that started the load: in asyncio, the thread of the
event loop. The other is that of the server's threads, if the server is private and so on the same
machine. While a client waits for an answer, the server works or waits for a CPU; the share of its
waiting is taken off the time in which this process did nothing. In the threads form the starting
thread only waits for the clients, so only the server's wait counts.
"""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_TASKS = Path("/proc/self/task")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of CPU, and seconds of waiting for one."""

    cpu: float = 0.0
    """Of this process."""
    waited: float = 0.0
    """Of the thread that started the load."""
    server_cpu: float = 0.0
    server_waited: float = 0.0

    def __sub__(self, before: "Spent") -> "Spent":
        """Return the seconds since a moment. Threads that have ended meanwhile do not count."""
        return Spent(
            self.cpu - before.cpu,
            max(self.waited - before.waited, 0.0),
            max(self.server_cpu - before.server_cpu, 0.0),
            max(self.server_waited - before.server_waited, 0.0),
        )

    def granted(self, elapsed: float) -> float:
        """Return how many of these seconds the machine let the load and the server run."""
        at_server = max(elapsed - self.waited - self.cpu, 0.0)
        busy = self.server_cpu + self.server_waited
        kept = at_server * self.server_waited / busy if busy else 0.0
        return max(elapsed - self.waited - kept, 0.0)


class Usage:
    """Measures from its creation on, for the thread that creates it; any thread may read it."""

    def __init__(self, server: int | None = None) -> None:
        """`server` is the server's process, if it runs on this machine."""
        self._thread = threading.get_native_id()
        self._server = server
        self._before = self._so_far()

    def spent(self) -> Spent:
        """Return what was spent since the creation."""
        return self._so_far() - self._before

    def _so_far(self) -> Spent:
        _, waited = _schedule([_TASKS / str(self._thread)])
        return Spent(time.process_time(), waited, *_schedule(self._threads_of_server()))

    def _threads_of_server(self) -> list[Path]:
        if self._server is None:
            return []
        with suppress(OSError):  # it has ended, or this is another system
            return [*Path(f"/proc/{self._server}/task").iterdir()]
        return []


def _schedule(threads: Iterable[Path]) -> tuple[float, float]:
    """Return the seconds for which threads have run, and have waited for a CPU."""
    ran = waited = 0
    for thread in threads:
        with suppress(OSError, IndexError, ValueError):  # it has ended, or this is another system
            words = (thread / "schedstat").read_text().split()
            ran, waited = ran + int(words[0]), waited + int(words[1])
    return ran / 1e9, waited / 1e9
