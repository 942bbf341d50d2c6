"""The user's hooks: one for every new connection, one for every acquire."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Hook = Callable[[Any], object]
"""Gets a connection. If it raises, the connection is closed and the acquire raises the same."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """The hooks of one pool; None does nothing."""

    setup: Hook | None = None
    on_acquire: Hook | None = None
