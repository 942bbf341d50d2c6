"""While a test runs, garbage collections look at its own objects only."""

import gc
import weakref

from poolspec.lifecycle.heap import EVERY, Heap


class Cycle:
    def __init__(self) -> None:
        self.itself = self


def garbage() -> "weakref.ref[Cycle]":
    return weakref.ref(Cycle())


def test_a_collection_leaves_out_what_was_set_aside() -> None:
    gc.disable()
    try:
        before = garbage()
        with Heap().set_aside():
            within = garbage()
            gc.collect()
            assert before() is not None
            assert within() is None
        gc.collect()
        assert before() is None
    finally:
        gc.enable()


def test_garbage_of_earlier_tests_is_collected_now_and_then() -> None:
    heap, left = Heap(), garbage()
    for _ in range(EVERY):
        with heap.set_aside():
            pass
    assert left() is None
