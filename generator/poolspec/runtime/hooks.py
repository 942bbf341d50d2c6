"""Hooks that a test hands to its pool, and what became of them."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from poolspec.vocabulary import Hook

HOOK_PLACES = ("setup", "on_acquire")
"""The options of a pool that take a hook."""


class HookError(Exception):
    """Raised by a hook that is told to fail."""


class Hooks:
    """Makes hooks and counts their calls. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()

    def make(self, place: str, word: str) -> Callable[[Any], None]:
        """Return a hook for `setup` or `on_acquire` that behaves as `word` says."""

        def hook(_connection: Any) -> None:
            with self._lock:
                self._calls[place] += 1
                first = self._calls[place] == 1
            if word == Hook.FAILING or (word == Hook.FAILING_ONCE and first):
                raise HookError(f"the {place} hook fails, for the test wants it so")

        return hook

    def calls(self, place: str) -> int:
        """Return how often a hook was called."""
        return self._calls[place]
