"""Waits for a server to notice a change."""

import time
from collections.abc import Callable
from typing import Any


def settled(look: Callable[[], Any], expected: Any) -> Any:
    """Return what `look` returns, once it is as expected or after 2 s."""
    deadline = time.monotonic() + 2
    while (seen := look()) != expected and time.monotonic() < deadline:
        time.sleep(0.001)
    return seen
