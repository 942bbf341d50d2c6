"""Scripted connections as the lab sees them."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class ScriptedLink(Protocol):
    """A scripted connection, as far as the lab uses it."""

    def thread_id(self) -> int:
        """Return its number."""

    def when_gone(self, notify: Callable[[], object]) -> None:
        """Call `notify` when it is closed."""

    def end(self) -> None:
        """Close it at once."""

    def session_state(self) -> str:
        """Return what its last use left behind; empty for a clean connection."""

    def execute(self) -> Any:
        """Run a statement; in asyncio, return an awaitable that does."""
