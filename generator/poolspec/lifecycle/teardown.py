"""What a test's end takes, step by step: a step that fails or does not end holds up no other.

A pool that does not answer is never asked again, and kept for ever: a finalizer of its own might
wait for the lock that nobody will let go. A thread that does not end is a daemon, and left behind.
"""

import asyncio
import traceback
from collections.abc import Callable, Coroutine
from typing import Any

from poolspec.lifecycle.alarm import TooLongError, at_most
from poolspec.lifecycle.body_errors import BodyInterrupt

PATIENCE = 5.0
"""Real seconds that a step may take that depends on the pool."""
LAST = 1.0
"""Real seconds for what has been told to end once more."""

LEFT_BEHIND: list[object] = []
"""Pools and tasks that are never touched again."""


class Undoing:
    """The end of one test."""

    def __init__(self, excuse: str) -> None:
        """Errors that say `excuse`, the reason why the test's clock was aborted, are no news."""
        self._excuse = excuse
        self._errors: list[Exception] = []

    def do(
        self, what: str, step: Callable[[], object], *, patience: float | None = PATIENCE
    ) -> bool:
        """Do a step, and say whether it has come to an end. Patience None is for the lab's own."""
        try:
            step() if patience is None else at_most(patience, step)
        except TooLongError as error:
            self.note(AssertionError(f"{what}: {error}"))
            return False
        except Exception as error:
            self._note_unless_excused(error)
        except BodyInterrupt:  # the test's own, which went on late
            pass
        return True

    async def see(
        self, what: str, step: Coroutine[Any, Any, object], *, patience: float = PATIENCE
    ) -> bool:
        """Do a step as a task of its own, and say whether it has come to an end."""
        task = asyncio.create_task(step, name=what)
        await asyncio.wait([task], timeout=patience)
        if not task.done():
            task.cancel()
            self.note(AssertionError(f"{what}: not done after {patience:g} s"))
            return False
        error = None if task.cancelled() else task.exception()
        if isinstance(error, TooLongError):
            self.note(AssertionError(f"{what}: {error}"))
            return False
        if isinstance(error, Exception):
            self._note_unless_excused(error)
        return True

    def note(self, error: Exception) -> None:
        """Keep an error for the end."""
        self._errors.append(error)

    def judge(self) -> None:
        """Raise the first error that there was; it names the others."""
        if self._errors:
            first, *others = self._errors
            for other in others:
                first.add_note(f"and: {told(other)}")
            raise first

    def _note_unless_excused(self, error: Exception) -> None:
        if self._excuse not in told(error):
            self.note(error)


def told(error: BaseException) -> str:
    """Return what an error says, whatever its own text does."""
    return "".join(traceback.format_exception_only(error)).strip()
