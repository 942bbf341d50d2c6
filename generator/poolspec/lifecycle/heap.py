"""Garbage collections that look only at the objects of one test.

A session keeps all its tests and their reports, so a full collection of its heap stops all threads
for some tenths of a second. A service has no such heap. So its objects are set aside while a test
runs, and the garbage that tests have left is collected between two of them.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

EVERY = 100
"""Tests between two full collections."""


class Heap:
    """The heap of a session."""

    def __init__(self) -> None:
        self._tests = 0

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Hide all objects that exist from garbage collections within the block."""
        self._tests += 1
        if self._tests % EVERY == 0:
            gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            gc.unfreeze()
