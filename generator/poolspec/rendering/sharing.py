"""Work on many items, shared out among processes.

Forked processes inherit the work and its items, which may be anything; only results go through a
pipe. Where there are few items, or no fork, the work is done here. The results are the same.
"""

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

MANY = 64
"""From so many items on, starting processes costs less than it saves."""
_CHUNK = 16
"""Items that a process takes at a time."""

T = TypeVar("T")
R = TypeVar("R")

_inherited: list[Callable[[range], list[Any]]] = []
"""What forked processes work on."""


def shared_map(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return the results of `work` for each item, in the order of the items.

    Raises what `work` raises first. `work` must not print, nor change anything in memory.
    """
    if len(items) < MANY or "fork" not in multiprocessing.get_all_start_methods():
        return [work(item) for item in items]
    _inherited.append(lambda part: [work(items[at]) for at in part])
    try:
        starts = range(0, len(items), _CHUNK)
        parts = [range(at, min(at + _CHUNK, len(items))) for at in starts]
        return [result for results in _in_processes(parts) for result in results]
    finally:
        _inherited.pop()


def _in_processes(parts: Sequence[range]) -> Iterable[list[Any]]:
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(os.cpu_count(), context, _prepare) as pool:
        try:
            return list(pool.map(_carry_out, parts))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _prepare() -> None:
    """Make a process fit for a short life: the parent hears Ctrl-C, and garbage may lie."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def _carry_out(part: range) -> list[Any]:
    return _inherited[-1](part)
