"""What tests of virtual time share: a clock, actors that are its participants, and real time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from steadypool.testing import VirtualClock


class Running:
    """Threads that take part on a clock, as the lab's actors do."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def start(self, *works: Callable[[], object]) -> None:
        """Start a thread for each work."""
        self._clock.enter(len(works))
        for work in works:
            thread = threading.Thread(target=self._run, args=(work,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def queue(self, *works: Callable[[], object]) -> None:
        """Start each work when all the previous ones wait on the clock."""
        for work in works:
            before = self._clock.waiting()
            self.start(work)
            while self._clock.waiting() == before:
                time.sleep(0.0005)

    def join(self) -> None:
        """Wait for all threads while time passes; raise the first error of any."""
        with self._clock.away():
            for thread in self._threads:
                thread.join(20)
        assert not any(thread.is_alive() for thread in self._threads), "a thread hangs"
        if self._errors:
            raise self._errors[0]

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            self._errors.append(error)
        finally:
            self._clock.leave()


@contextmanager
def at_once() -> Iterator[None]:
    """Check that a block takes next to no real time."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 5, "virtual time passed in real time"
