"""Cancels a coroutine at a chosen interruption point: its n-th suspension, in one of three ways."""

import asyncio
from collections.abc import Coroutine, Generator
from enum import Enum, auto
from functools import partial
from typing import Any


class Moment(Enum):
    """The moment of the cancellation at the chosen point."""

    WAITING = auto()
    """During the wait; the awaited future is cancelled too."""
    RESUMING = auto()
    """After the awaited future is done, as for a waiter at the moment of its hand-over."""
    EVER_AFTER = auto()
    """During this wait and every later one, as in a cancelled scope of anyio."""


class CancelledCall:
    """Awaits `work` and cancels the current task at suspension number `point`, counted from 1."""

    def __init__(self, work: Coroutine[Any, Any, Any], point: int, moment: Moment) -> None:
        self._work = work
        self._point = point
        self._moment = moment
        self.points = 0
        """The number of suspensions so far."""
        self.was_cancelled = False

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._work.__await__()
        step = partial(inner.send, None)
        while True:
            try:
                future = step()
            except StopIteration as end:
                return end.value
            self.points += 1
            if self._cancels_while_waiting():
                self._cancel()
            try:
                value = yield future
            except BaseException as error:
                step = partial(inner.throw, error)
            else:
                step = partial(inner.send, value)
                if self._moment is Moment.RESUMING and self.points == self._point:
                    self.was_cancelled = True
                    step = partial(inner.throw, asyncio.CancelledError())

    def _cancels_while_waiting(self) -> bool:
        if self._moment is Moment.EVER_AFTER:
            return self.points >= self._point
        return self._moment is Moment.WAITING and self.points == self._point

    def _cancel(self) -> None:
        self.was_cancelled = True
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
