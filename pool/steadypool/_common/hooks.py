"""What the user wants done to connections: to a new one, and at every acquire."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Hook = Callable[[Any], object]
"""Gets a connection; what it raises drops the connection and goes to whoever acquires."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks of one pool; None does nothing."""

    setup: Hook | None = None
    on_acquire: Hook | None = None
