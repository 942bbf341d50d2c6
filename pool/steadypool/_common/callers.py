"""The caller of the pool: the name of its thread, and its places in the program."""

import sys
import threading
from collections.abc import Collection
from types import CodeType, FrameType

_DEPTH = 8
_OWN = __name__.partition(".")[0]


def thread_name() -> str:
    """Return the name of the running thread."""
    return threading.current_thread().name


def whereabouts() -> tuple[str, ...]:
    """Return the innermost 8 stack frames that are not the pool's own, as `file:line function`."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and is_own(frame):
        frame = frame.f_back
    places: list[str] = []
    while frame is not None and len(places) < _DEPTH:
        code = frame.f_code
        places.append(f"{code.co_filename}:{frame.f_lineno} {code.co_name}")
        frame = frame.f_back
    return tuple(places)


def is_within(codes: Collection[CodeType], owner: object) -> bool:
    """Whether the running thread is inside one of these methods of this object."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code in codes and frame.f_locals.get("self") is owner:
            return True
        frame = frame.f_back
    return False


def is_own(frame: FrameType) -> bool:
    """Whether a frame runs the pool's code, or contextlib's."""
    module = str(frame.f_globals.get("__name__", ""))
    return module == "contextlib" or module.partition(".")[0] == _OWN
