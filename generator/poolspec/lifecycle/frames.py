"""The frames of all threads in the process."""

import gc
import sys
from types import FrameType


def current_frames() -> dict[int, FrameType]:
    """Return the innermost frame of every thread, by the thread's `ident`. Safe in any thread.

    The garbage collector is off during the call: before Python 3.11.9, a collection inside
    `sys._current_frames` can wait for another thread for ever (CPython's issue gh-106883).
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return sys._current_frames()
    finally:
        if collecting:
            gc.enable()
