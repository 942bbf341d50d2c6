"""Interruption points inside a release: where a function of the pool starts under its lock.

Python checks for signals when a function starts, so an interrupt can stop a release there, between
two changes of the pool's state. The lock is looked for among the pool's attributes; a pool without
one has no such points.
"""

import threading
from types import FrameType
from typing import Any

from poolspec.virtual.locks import Lock, RLock

_LOCKS = (type(threading.Lock()), type(threading.RLock()), Lock, RLock)


class Releasing:
    """Knows a pool, and the adapter's method with which the lab releases a connection.

    `clock` names the module of the test's clock, which the lab uses too.
    """

    def __init__(self, pool: Any, release: Any, clock: str) -> None:
        kinds = type(pool).__mro__[:-1]  # without `object`
        self._packages = {kind.__module__.partition(".")[0] for kind in kinds}
        attributes = getattr(pool, "__dict__", {}).values()
        self._locks = [item for item in attributes if isinstance(item, _LOCKS)]
        self._release = getattr(release, "__code__", None)
        self._clock = clock

    def is_inside(self, frame: FrameType) -> bool:
        """Return whether one function of the pool starts another one inside a release."""
        caller = frame.f_back
        return (
            caller is not None
            and any(is_held(lock) for lock in self._locks)
            and self._is_of_pool(frame)
            and self._is_of_pool(caller)
            and self._is_within(caller)
        )

    def _is_of_pool(self, frame: FrameType) -> bool:
        module = str(frame.f_globals.get("__name__", ""))
        return module != self._clock and module.partition(".")[0] in self._packages

    def _is_within(self, frame: FrameType | None) -> bool:
        while frame is not None and frame.f_code is not self._release:
            frame = frame.f_back
        return frame is not None


def is_held(lock: Any) -> bool:
    """Return whether a lock is held; a re-entrant one, whether this thread holds it."""
    is_owned = getattr(lock, "_is_owned", lock.locked if hasattr(lock, "locked") else None)
    return bool(is_owned and is_owned())
