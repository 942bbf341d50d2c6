"""What stands for what: objects of `threading`, `queue` and `time`, and their virtual counterparts.

They are found by identity, so it does not matter under which name a module knows them.
"""

import _thread
import queue
import threading
import time
from collections.abc import Iterable
from types import ModuleType
from typing import Any

from poolspec.virtual import conditions, locks, queues, threads, times

_THREADING: dict[str, Any] = {
    "Lock": locks.Lock,
    "RLock": locks.RLock,
    "Condition": conditions.Condition,
    "Event": conditions.Event,
    "Semaphore": conditions.Semaphore,
    "BoundedSemaphore": conditions.BoundedSemaphore,
    "Barrier": conditions.Barrier,
    "Thread": threads.Thread,
    "Timer": threads.Timer,
}
_QUEUE: dict[str, Any] = {
    "Queue": queues.Queue,
    "LifoQueue": queues.LifoQueue,
    "PriorityQueue": queues.PriorityQueue,
    "SimpleQueue": queues.SimpleQueue,
}
_TIME: dict[str, Any] = {
    "time": times.time,
    "monotonic": times.time,
    "perf_counter": times.time,
    "time_ns": times.time_ns,
    "monotonic_ns": times.time_ns,
    "perf_counter_ns": times.time_ns,
    "sleep": times.sleep,
}
_LOW_LEVEL: dict[str, Any] = {
    "allocate_lock": locks.Lock,
    "LockType": locks.Lock,
    "RLock": locks.RLock,
}
_ALL: tuple[tuple[ModuleType, dict[str, Any]], ...] = (
    (threading, _THREADING),
    (queue, _QUEUE),
    (time, _TIME),
    (_thread, _LOW_LEVEL),
)


class _VirtualModule(ModuleType):
    """A module with some names replaced; all others are the real module's, as they are now."""

    def __init__(self, real: ModuleType, names: dict[str, Any]) -> None:
        super().__init__(real.__name__, real.__doc__)
        self.__dict__.update(names)
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _table(modules: Iterable[tuple[ModuleType, dict[str, Any]]]) -> dict[int, Any]:
    table: dict[int, Any] = {}
    for module, names in modules:
        table[id(module)] = _VirtualModule(module, names)
        table.update((id(getattr(module, name)), virtual) for name, virtual in names.items())
    return table


_TABLE = _table(_ALL)
_READINGS = _table(((time, {name: thing for name, thing in _TIME.items() if name != "sleep"}),))
_LOCK_TYPES = {type(threading.Lock()): locks.Lock, type(threading.RLock()): locks.RLock}


def counterpart(thing: Any) -> Any:
    """Return the counterpart of a class, a function, a module or a free lock, if it has one."""
    kind = _LOCK_TYPES.get(type(thing))
    if kind is None:
        return _TABLE.get(id(thing))
    if not thing.acquire(False):
        return None
    thing.release()
    return kind()


def reading(thing: Any) -> Any:
    """Return the counterpart of `time`, or of a function of it that reads a clock."""
    return _READINGS.get(id(thing))
