"""The connections that a thread or task itself has while its acquire waits for another.

To record the borrower of each loan would make every acquire slower. So the pool records it only for
blocks (`with pool`, `connection()`, `transaction()`), with `leak_after`, and where an acquire waits
or does I/O.

For other loans the pool looks for evidence after an acquire has waited in vain: a local variable of
a function that waits for the acquire refers to the connection, directly, as an element of a list,
tuple, set or dict, or as an attribute of an object. This does not prove a loan, because the
variable may be left over from an earlier one.
"""

import gc
import inspect
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from threading import current_thread
from types import FrameType
from typing import Any

from steadypool._common.callers import is_own
from steadypool._core.entries import PoolEntry
from steadypool.errors import PoolTimeoutError

_WORTHWHILE = 0.001
"""Seconds of waiting from which an acquire is worth the search."""
_MOST_FRAMES = 50
_MOST_PARTS = 100
"""The search skips the parts of an object that has more."""
_INSTANCE = 1 << 9
"""Flag of types that are made by a program, not built in (Py_TPFLAGS_HEAPTYPE)."""
_CONTAINERS = (list, tuple, set, frozenset, dict)
_REFERENCES = 3
"""Of a dictionary that only its frame, a variable and the call of `getrefcount` refer to."""


def reference(runner: Any) -> Callable[[], Any] | None:
    """Return a function that returns this thread or task while it exists."""
    return None if runner is None else weakref.ref(runner)


def name_own_loans(error: PoolTimeoutError, entries: Iterable[PoolEntry], task: Any = None) -> None:
    """Let an error say which connections the running thread, or this running task, itself has.

    Called in the acquire that timed out, without the pool's lock.
    """
    who = "thread" if task is None else "task"
    runner = current_thread() if task is None else task
    unknown: dict[int, PoolEntry] = {}
    found = []
    for entry in entries:
        borrower = None if entry.borrower is None else entry.borrower()
        if borrower is runner:
            place = f" (at {entry.where[0]})" if entry.where else ""
            found.append(f"This {who} itself borrowed connection {entry.serial}{place}.")
        elif entry.borrower is None:
            unknown[entry.key] = entry
    if unknown and error.waited >= _WORTHWHILE:
        with suppress(Exception):  # other threads may change what is searched
            for entry, place in _in_variables(unknown, _frames(sys._getframe(1), task)):
                said = f"Perhaps this {who} itself borrowed connection {entry.serial}: {place}."
                found.append(said)
    error.name_own_loans(tuple(found))


def _frames(frame: FrameType | None, task: Any) -> Iterator[FrameType]:
    """Yield the frames that wait. Those beyond the outermost one of a task are the event loop's."""
    outermost = None if task is None else getattr(task.get_coro(), "cr_frame", None)
    for _ in range(_MOST_FRAMES):
        if frame is None:
            return
        if not is_own(frame):
            yield frame
        frame = None if frame is outermost else frame.f_back


def _in_variables(
    unknown: dict[int, PoolEntry], frames: Iterable[FrameType]
) -> Iterator[tuple[PoolEntry, str]]:
    for frame in frames:
        code = frame.f_code
        looks_inside = frame.f_locals is not frame.f_globals  # a module's are the whole program's
        for entry, variable in _found_in(unknown, _variables(frame), looks_inside):
            del unknown[entry.key]
            place = f"{code.co_filename}:{frame.f_lineno} {code.co_name}"
            yield entry, f"its variable {variable!r} at {place} refers to it"


def _variables(frame: FrameType) -> list[tuple[str, Any]]:
    """Return the local variables of a frame."""
    variables = frame.f_locals
    copied = list(variables.items())
    # Before Python 3.13 the frame keeps this dictionary, which would keep the values alive.
    if (
        sys.version_info < (3, 13)
        and frame.f_code.co_flags & inspect.CO_OPTIMIZED
        and sys.gettrace() is None  # a debugger writes the variables back
        and sys.getrefcount(variables) <= _REFERENCES  # the program does not have it
    ):
        variables.clear()
    return copied


def _found_in(
    unknown: Mapping[int, PoolEntry], variables: list[tuple[str, Any]], looks_inside: bool
) -> list[tuple[PoolEntry, str]]:
    found: dict[int, tuple[PoolEntry, str]] = {}
    for name, value in variables:
        for one in (value, *(_parts(value) if looks_inside else ())):
            entry = unknown.get(id(one))
            if entry is not None and entry.connection is one:
                found.setdefault(id(one), (entry, name))
    return list(found.values())


def _parts(value: Any) -> list[Any]:
    """Return elements or attributes of an object, without running its code."""
    kind = type(value)
    if isinstance(value, _CONTAINERS):
        return [] if len(value) > _MOST_PARTS else gc.get_referents(value)
    if not kind.__flags__ & _INSTANCE or isinstance(value, type):
        return []
    if kind.__module__.partition(".")[0] == _PACKAGE:
        return []
    parts = gc.get_referents(value)
    for attributes in [part for part in parts if type(part) is dict]:
        if len(attributes) <= _MOST_PARTS:
            parts.extend(attributes.values())
    return parts


_PACKAGE = __name__.partition(".")[0]
