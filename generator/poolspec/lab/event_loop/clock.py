"""The clock of an asyncio test whose pool does not take one: the virtual time of its event loop."""

import asyncio
from typing import Any

from poolspec.lab.aio.clock import RealAsyncClock
from poolspec.lab.event_loop.loop import START, LabLoop
from poolspec.lab.threads.clock import ClockAbortedError

DIGITS = 9
"""Decimal places of the time; sums of times differ in later ones."""


class LoopClock(RealAsyncClock):
    """The virtual time of the running event loop, which is a `LabLoop`; it starts at 0."""

    is_real = False

    def __init__(self) -> None:
        super().__init__()
        loop = self._loop
        if not isinstance(loop, LabLoop):
            raise TypeError("virtual time needs the lab's event loop: run it with LabLoop")
        loop.begin_virtual_time(self._give_up)

    def now(self) -> float:
        """Return the time in seconds."""
        return round(self._loop.time() - START, DIGITS)

    def _give_up(self, names: list[str]) -> None:
        """End the lab's waits; if there is none, end the wait of every task."""
        reason = f"all tasks wait without a deadline (a lost wake-up?): {', '.join(names)}"
        if any(not future.done() for future in self._futures):
            self.abort(reason)
            return
        for task in asyncio.all_tasks(self._loop):
            awaited: asyncio.Future[Any] | None = task._fut_waiter  # type: ignore[attr-defined]
            if awaited is None or awaited.done() or isinstance(awaited, asyncio.Task):
                continue
            awaited.set_exception(ClockAbortedError(reason))
