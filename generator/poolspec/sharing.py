"""Divides work on many items into batches, and the batches among processes.

Forked processes inherit the work and its items, which may be of any type; only results pass through
a pipe. If there are few items, or no fork, all items are one batch of this process. The result for
an item must not depend on its batch.
"""

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

MANY = 64
"""With this many items, processes save more time than they cost."""
_LEAST = 16
_BATCHES_EACH = 4
"""Batches for each process: enough that no process waits long for the last one."""

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[int], None]
"""Called with the number of finished items."""

_inherited: list[Callable[[range], Any]] = []
"""The work of the forked processes."""


def in_batches(
    work: Callable[[Sequence[T]], R], items: Sequence[T], progress: Progress = lambda _: None
) -> list[R]:
    """Return the result of `work` for each batch, in the order of the items.

    Raises the first exception of `work`. `work` must not print or change anything in memory; its
    results and exceptions must survive pickling.
    """
    if len(items) < MANY or "fork" not in multiprocessing.get_all_start_methods():
        return [work(items)]
    processes = os.cpu_count() or 1
    size = max(_LEAST, -(-len(items) // (processes * _BATCHES_EACH)))
    parts = [range(at, min(at + size, len(items))) for at in range(0, len(items), size)]
    _inherited.append(lambda part: work(items[part.start : part.stop]))
    try:
        return _in_processes(processes, parts, progress)
    finally:
        _inherited.pop()


def _in_processes(processes: int, parts: Sequence[range], progress: Progress) -> list[Any]:
    context = multiprocessing.get_context("fork")
    results = []
    with ProcessPoolExecutor(processes, context, _prepare) as pool:
        try:
            for part, result in zip(parts, pool.map(_carry_out, parts), strict=True):
                results.append(result)
                progress(part.stop)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return results


def _prepare() -> None:
    """Set up a short-lived process: the parent handles Ctrl-C, and garbage is not collected."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def _carry_out(part: range) -> Any:
    return _inherited[-1](part)
