"""How an actor waits until something is true: by the event log, which wakes it."""

from collections.abc import Callable

from poolspec.invariants.log import Log
from poolspec.lab.aio.clock import AsyncClock

__tracebackhide__ = True  # a failure is shown where the test failed


async def wait_until(
    log: Log, clock: AsyncClock, holds: Callable[[], bool], deadline: float | None = None
) -> bool:
    """Wait until `holds()` is true, checking it again after every entry of the log.

    Returns whether it became true before the deadline. Raises an error of the clock when no actor
    is left that could make it true.
    """
    while True:
        watcher = clock.waiter()
        log.watch(watcher.wake)  # registered first, checked second: no entry is missed
        if holds():
            return True
        if deadline is not None and clock.now() >= deadline:
            return False
        await watcher.wait(deadline)
