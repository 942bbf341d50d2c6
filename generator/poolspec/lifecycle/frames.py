"""The frames of all threads in the process, and work that the garbage collector may not disturb."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector off within the block.

    Python 3.11 parses code to show a traceback. If the collector runs meanwhile, and a finalizer
    raises an error, showing that error parses code again, and both fail with SystemError.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def current_frames() -> dict[int, FrameType]:
    """Return the innermost frame of every thread, by the thread's `ident`. Safe in any thread.

    The garbage collector is off during the call: before Python 3.11.9, a collection inside
    `sys._current_frames` can wait for another thread for ever (CPython's issue gh-106883).
    """
    with no_collection():
        return sys._current_frames()
