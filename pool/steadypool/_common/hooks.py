"""The user's hooks: one for every new connection, one for every acquire, one for every release."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Hook = Callable[[Any], object]
"""Gets a connection. If it raises, the connection is closed."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks of one pool; None does nothing."""

    setup: Hook | None = None
    on_acquire: Hook | None = None
    on_release: Hook | None = None


def setup_failed(pool: str) -> str:
    """Return the text of the error for a setup hook that leaves a connection unusable."""
    return (
        f"the setup hook of the pool {pool!r} left a connection that cannot be used: "
        "closed, or with an unread result"
    )


def setup_reconnects(pool: str) -> str:
    """Return the text of the error for a setup hook in which the driver connects each time."""
    return (
        f"the driver connected again in each run of the setup hook of the pool {pool!r}, which "
        "undoes the hook's statements: do not let the hook reconnect"
    )


def acquire_reconnects(pool: str) -> str:
    """Return the text of the error for an on_acquire hook that reconnects a new connection."""
    return (
        f"the driver connected again in the on_acquire hook of the pool {pool!r}, on a new "
        "connection, which undoes the setup hook: do not let the hook reconnect"
    )
