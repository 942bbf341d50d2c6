"""Cancel a coroutine at a chosen place: the n-th time that it suspends, in each of three ways."""

import asyncio
from collections.abc import Coroutine, Generator
from enum import Enum, auto
from functools import partial
from typing import Any


class Moment(Enum):
    """When, at that place, the cancellation strikes."""

    WAITING = auto()
    """While it waits: what it waits for is cancelled too."""
    RESUMING = auto()
    """What it waited for has just come true, as with a waiter at the moment of his grant."""
    EVER_AFTER = auto()
    """While it waits, and at every later wait again, as a cancelled scope of anyio does."""


class Struck:
    """Awaits `work`, and cancels the task around it at the `place`-th suspension (from 1)."""

    def __init__(self, work: Coroutine[Any, Any, Any], place: int, moment: Moment) -> None:
        self._work = work
        self._place = place
        self._moment = moment
        self.places = 0
        """How often it suspended."""
        self.hit = False

    def __await__(self) -> Generator[Any, Any, Any]:
        inner = self._work.__await__()
        step = partial(inner.send, None)
        while True:
            try:
                future = step()
            except StopIteration as end:
                return end.value
            self.places += 1
            if self._strikes_while_waiting():
                self._cancel()
            try:
                value = yield future
            except BaseException as error:
                step = partial(inner.throw, error)
            else:
                step = partial(inner.send, value)
                if self._moment is Moment.RESUMING and self.places == self._place:
                    self.hit = True
                    step = partial(inner.throw, asyncio.CancelledError())

    def _strikes_while_waiting(self) -> bool:
        if self._moment is Moment.EVER_AFTER:
            return self.places >= self._place
        return self._moment is Moment.WAITING and self.places == self._place

    def _cancel(self) -> None:
        self.hit = True
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
