"""Hooks that a test hands to its pool, and what became of them."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import Hook

HOOK_PLACES = ("setup", "on_acquire")
"""The options of a pool that take a hook."""
SLOW_FOR = 1.0
"""Seconds of the test's clock that a slow hook takes."""


class HookError(Exception):
    """Raised by a hook that is told to fail."""


class Hooks:
    """Makes hooks and counts their calls. Safe to use from any thread.

    `sleep` lets time pass; where that is to be awaited, so are slow hooks.
    """

    def __init__(self, sleep: Callable[[float], Any]) -> None:
        self._sleep = sleep
        self._lock = FreshLock()
        self._calls: Counter[str] = Counter()
        self._made: dict[tuple[str, str], Callable[[Any], Any]] = {}
        self.are_idle = False
        """Whether they do nothing, for the moment."""

    def make(self, place: str, word: str) -> Callable[[Any], Any]:
        """Return the hook for `setup` or `on_acquire` that behaves as `word` says.

        It is the same each time, so that a pool which is asked for twice sees no other option.
        """
        with self._lock:
            return self._made.setdefault((place, word), self._hook(place, word))

    def _hook(self, place: str, word: str) -> Callable[[Any], Any]:
        def hook(connection: Any) -> Any:
            if self.are_idle:
                return None
            with self._lock:
                self._calls[place] += 1
                first = self._calls[place] == 1
            if word == Hook.FAILING or word == (Hook.FAILING_ONCE if first else Hook.FAILING_LATER):
                raise HookError(f"the {place} hook fails, for the test wants it so")
            if word == Hook.CLOSING:
                connection.close()
            return self._sleep(SLOW_FOR) if word == Hook.SLOW else None

        return hook

    def forget(self) -> None:
        """Count from nothing again: the next call is the first."""
        self._calls.clear()
        self.are_idle = False

    def calls(self, place: str) -> int:
        """Return how often a hook was called."""
        return self._calls[place]
