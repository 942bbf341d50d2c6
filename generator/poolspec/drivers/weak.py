"""References that keep no connection alive.

What the lab attaches to a connection refers to it by one of these. So a connection that a pool
drops is collected at once, and its driver's finalizer closes its socket, as in a program.
"""

from collections.abc import Callable
from typing import Any
from weakref import ref

Reference = Callable[[], Any]
"""Returns a connection, or None when it was collected."""


def weakly(connection: Any, collected: Callable[[object], object] | None = None) -> Reference:
    """Return a reference to a connection; call `collected` when it was collected."""
    try:
        return ref(connection, collected)
    except TypeError:  # not every type of an extension allows it
        return lambda: connection


def forwarding(connection: Any, name: str) -> Callable[..., Any]:
    """Return a function that calls a method of a connection; it does nothing once that is gone.

    It calls the method of the connection's class, so one of the connection's own may replace it.
    """
    weak, method = weakly(connection), getattr(type(connection), name)

    def call(*arguments: Any, **options: Any) -> Any:
        own = weak()
        return None if own is None else method(own, *arguments, **options)

    return call
