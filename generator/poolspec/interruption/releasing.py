"""Where a pool is in the midst of a return: a function of its own begins while its lock is held.

Python looks for signals as a function begins, so a return can be cut short there, between two of
its moves. The lock is found among the pool's attributes; a pool that keeps none has no such points.
"""

import threading
from types import FrameType
from typing import Any

_LOCK = type(threading.Lock())


class Returning:
    """Knows a pool, and the adapter's method by which the lab gives back to it.

    `clock` names the module of the test's clock, which the lab uses as well.
    """

    def __init__(self, pool: Any, release: Any, clock: str) -> None:
        kinds = type(pool).__mro__[:-1]  # without `object`
        self._packages = {kind.__module__.partition(".")[0] for kind in kinds}
        attributes = getattr(pool, "__dict__", {}).values()
        self._locks = [item for item in attributes if isinstance(item, _LOCK)]
        self._release = getattr(release, "__code__", None)
        self._clock = clock

    def is_amid(self, frame: FrameType) -> bool:
        """Whether a function of the pool's begins, called by another, in the midst of a return."""
        caller = frame.f_back
        return (
            caller is not None
            and any(lock.locked() for lock in self._locks)
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
