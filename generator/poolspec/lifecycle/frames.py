"""Where every thread of the process is."""

import gc
import sys
from types import FrameType


def current_frames() -> dict[int, FrameType]:
    """Return the innermost frame of every thread, by the thread's `ident`. Safe in any thread.

    Garbage is not collected meanwhile: before Python 3.11.9 a collection in the midst of
    `sys._current_frames` can wait for ever for another thread (CPython's issue gh-106883).
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return sys._current_frames()
    finally:
        if collecting:
            gc.enable()
