"""Work on many items, shared out among processes in batches.

Forked processes inherit the work and its items, which may be anything; only results go through a
pipe. Where there are few items, or no fork, all of them are one batch, worked on here. The work
must give the same for an item whatever batch it is in; then the results are the same.
"""

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

MANY = 64
"""From so many items on, starting processes costs less than it saves."""
_LEAST = 16
_BATCHES_EACH = 4
"""Batches for each process: enough that none waits long for the last to end."""

T = TypeVar("T")
R = TypeVar("R")

Progress = Callable[[int], None]
"""Told how many items have been worked on so far."""

_inherited: list[Callable[[range], Any]] = []
"""What forked processes work on."""


def in_batches(
    work: Callable[[Sequence[T]], R], items: Sequence[T], progress: Progress = lambda _: None
) -> list[R]:
    """Return what `work` makes of each batch, in the order of the items.

    Raises what `work` raises first. `work` must not print, nor rely on changing anything in
    memory; what it returns or raises must survive pickling.
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
    """Make a process fit for a short life: the parent hears Ctrl-C, and garbage may lie."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()


def _carry_out(part: range) -> Any:
    return _inherited[-1](part)
