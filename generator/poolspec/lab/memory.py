"""The memory that a pool and its driver hold, over several rounds of the same work.

After a garbage collection the lab counts the objects that can be reached from the pool, and from
the variables of the modules of the pool and its driver. The search does not enter objects of the
lab, whose log grows with each call, nor loggers, threads, modules and classes.

A pool may fill a cache, or grow to its size. So a rise alone is no leak: memory leaks if the number
of objects, or their size, is larger after each of the last five rounds than after the one before.
"""

import gc
import sys
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextvars import Context
from dataclasses import dataclass, field
from itertools import pairwise
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

from poolspec.interruption.reentry import packages_of
from poolspec.invariants.connection import Sockets
from poolspec.invariants.defects import Defect, Finding

__tracebackhide__ = True  # a failure is shown where the test failed

TREND = 5
"""Rounds in a row that must all leave more memory for it to count as a leak."""
_SHOWN = 2
"""How many types are named, of those with the most new objects."""
_OTHERS = frozenset({"poolspec", "logging", "_pytest", "pytest", "pluggy"})
"""Packages whose objects do not belong to a pool."""
_NOT_COUNTED = (ModuleType, type, FrameType, CodeType)
_NOT_ENTERED = (Context, threading.Thread)


@dataclass(slots=True)
class _Held:
    """What is held after a round."""

    size: int = 0
    """In bytes."""
    types: Counter[str] = field(default_factory=Counter)
    """The number of objects of each type."""


class MemoryTrend:
    """Measures after each round what a pool holds."""

    def __init__(self, pool: Any, sockets: Sockets) -> None:
        self._pool = pool
        self._sockets = sockets
        self._held: list[_Held] = []

    def measure(self) -> None:
        """Measure what is held at the end of a round."""
        gc.collect()
        packages = set(packages_of(self._pool))
        for _, connection in self._sockets.numbered():
            packages |= packages_of(connection)
        self._held.append(_held_by([self._pool, *_variables(packages)]))

    def findings(self) -> Iterator[Finding]:
        """Report memory that grew in each of the last rounds."""
        last = self._held[-TREND - 1 :]
        for what, figures in (
            ("objects", [one.types.total() for one in last]),
            ("bytes", [one.size for one in last]),
        ):
            if len(figures) > TREND and all(after > before for before, after in pairwise(figures)):
                grown = last[-1].types - last[0].types
                most = ", ".join(f"{name} +{more}" for name, more in grown.most_common(_SHOWN))
                shown = " ".join(map(str, figures))
                text = f"the pool holds more {what} after each round: {shown}; most: {most}"
                yield Finding(Defect.LEAK, text)
                return


def _variables(packages: Collection[str]) -> Iterator[dict[str, Any]]:
    """Yield the variables of each module of these packages."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in packages and isinstance(module, ModuleType):
            yield vars(module)


def _held_by(roots: Iterable[Any]) -> _Held:
    """Return what can be reached from some objects."""
    held, seen, waiting = _Held(), set[int](), [*roots]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or _is_foreign(one):
            continue
        seen.add(id(one))
        held.size += sys.getsizeof(one)
        held.types[type(one).__name__] += 1
        waiting += _referents(one)
    return held


def _is_foreign(one: Any) -> bool:
    if isinstance(one, _NOT_COUNTED):
        return True
    owner = one if isinstance(one, FunctionType) else type(one)
    return str(getattr(owner, "__module__", "")).partition(".")[0] in _OTHERS


def _referents(one: Any) -> Iterable[Any]:
    """Return what an object refers to: of a function its closure, but not its module."""
    if isinstance(one, _NOT_ENTERED):
        return ()
    if isinstance(one, FunctionType):
        return one.__closure__ or ()
    return gc.get_referents(one)
