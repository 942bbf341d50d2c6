"""The teardown of a test, step by step: a step that fails or hangs delays no other.

A pool that does not answer is never called again and is kept for ever: its finalizer could wait for
a lock that is never released. A thread that does not end is a daemon, and is left behind.
"""

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

from poolspec.lifecycle.alarm import TooLongError, at_most
from poolspec.lifecycle.body_errors import BodyInterrupt

STEP_LIMIT = 5.0
"""Real seconds for a step that depends on the pool."""
LAST_LIMIT = 1.0
"""Real seconds for a thread that was asked to exit for the last time."""

LEFT_BEHIND: list[object] = []
"""Pools and tasks that are never used again."""


class Teardown:
    """The teardown of one test."""

    def __init__(self, excuse: str) -> None:
        """Ignore errors whose text contains `excuse`, the reason the test's clock was aborted."""
        self._excuse = excuse
        self._errors: list[Exception] = []

    def do(
        self, what: str, step: Callable[[], object], *, limit: float | None = STEP_LIMIT
    ) -> bool:
        """Do a step and return whether it ended. Only the lab's own steps have no limit."""
        try:
            step() if limit is None else at_most(limit, step)
        except TooLongError as error:
            self.note(AssertionError(f"{what}: {error}"))
            return False
        except Exception as error:
            self._note_unless_excused(error)
        except BodyInterrupt:  # raised by the test on purpose, and still on its way
            pass
        return True

    async def do_in_task(
        self, what: str, step: Coroutine[Any, Any, object], *, limit: float = STEP_LIMIT
    ) -> bool:
        """Do a step in a new task and return whether it ended."""
        task = asyncio.create_task(step, name=what)
        await asyncio.wait([task], timeout=limit)
        if not task.done():
            task.cancel()
            self.note(AssertionError(f"{what}: not done after {limit:g} s"))
            return False
        error = None if task.cancelled() else task.exception()
        if isinstance(error, TooLongError):
            self.note(AssertionError(f"{what}: {error}"))
            return False
        if isinstance(error, Exception):
            self._note_unless_excused(error)
        return True

    def note(self, error: Exception) -> None:
        """Keep an error until all steps are done."""
        self._errors.append(error)

    def raise_first(self) -> None:
        """Raise the first error, if there was any, with the others as notes."""
        if self._errors:
            first, *others = self._errors
            for other in others:
                first.add_note(f"and: {text_of(other)}")
            raise first

    def _note_unless_excused(self, error: Exception) -> None:
        if self._excuse not in text_of(error):
            self.note(error)


def text_of(error: BaseException) -> str:
    """Return an error's type and text, even if its own `__str__` fails."""
    return "".join(traceback.format_exception_only(error)).strip()
