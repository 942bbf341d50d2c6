"""Finds the names in a module that mean something of `threading`, `queue` or `time`.

They are global names of the module, attributes and bases of the classes that it defines, and
default values of its functions. A change is written down before it is made, so that an error or an
interrupt at any point leaves nothing replaced.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from poolspec.virtual.replacements import counterpart, reading
from poolspec.virtual.waits import Clock, Waiter, Waits, begin

Undo = list[Callable[[], object]]
Find = Callable[[Any], Any]
"""Returns the virtual counterpart of a thing; None if it has none."""


class VirtualModulesError(Exception):
    """Modules cannot be made virtual."""


class _Reading:
    """A clock that is only read."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now

    def waiter(self) -> Waiter:
        raise RuntimeError("nothing waits on a clock that is only read")

    def enter(self) -> None:
        """Do nothing: nothing waits on it."""

    def leave(self) -> None:
        """Do nothing: nothing waits on it."""


_active: list[tuple[str, ...]] = []


def virtual_modules(clock: Clock, *names: str) -> AbstractContextManager[None]:
    """Let the modules of these names use virtual locks, threads, queues and time in the block.

    Raises VirtualModulesError for a module that cannot be virtual, and within another such block.
    """
    return _virtual(Waits(clock), names, counterpart)


def virtual_readings(now: Callable[[], float], *names: str) -> AbstractContextManager[None]:
    """Let the modules of these names read the time from `now` in the block; nothing else changes.

    Raises VirtualModulesError as `virtual_modules` does.
    """
    return _virtual(Waits(_Reading(now)), names, reading)


@contextmanager
def _virtual(waits: Waits, names: tuple[str, ...], find: Find) -> Iterator[None]:
    if _active:
        raise VirtualModulesError(f"the modules {', '.join(_active[0])} are virtual already")
    modules = [_imported(name) for name in names]
    undo: Undo = []
    _active.append(names)
    try:
        begin(waits)
        for module in modules:
            _make_virtual(module, undo, find)
        yield
    finally:
        while undo:
            undo[-1]()  # before it is removed: an interrupt in between repeats it
            undo.pop()
        _active.clear()


def _imported(name: str) -> ModuleType:
    try:
        module = import_module(name)
    except ImportError as error:
        raise VirtualModulesError(f"the module {name} cannot be imported: {error}") from error
    if name in ("threading", "queue", "time", "_thread"):
        raise VirtualModulesError(f"name the modules that use {name}, not {name} itself")
    if not str(getattr(module, "__file__", "")).endswith(".py"):
        raise VirtualModulesError(f"{name} is not a module of Python source: no virtual time")
    return module


def _make_virtual(module: ModuleType, undo: Undo, find: Find) -> None:
    for name, value in list(vars(module).items()):
        if name.startswith("__"):
            continue
        _replace(module, name, value, undo, find(value))
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, type):
            _make_class_virtual(value, undo, find)
        elif isinstance(value, FunctionType):
            _make_defaults_virtual(value, undo, find)


def _make_class_virtual(kind: type, undo: Undo, find: Find) -> None:
    bases = tuple(find(base) or base for base in kind.__bases__)
    if bases != kind.__bases__:
        undo.append(partial(setattr, kind, "__bases__", kind.__bases__))
        try:
            kind.__bases__ = bases
        except TypeError as error:
            undo.pop()
            raise VirtualModulesError(f"{kind.__qualname__} cannot be virtual: {error}") from error
    for name, value in list(vars(kind).items()):
        function = value.__func__ if isinstance(value, (staticmethod, classmethod)) else value
        if isinstance(function, FunctionType):
            _make_defaults_virtual(function, undo, find)
        elif isinstance(value, staticmethod):
            _replace(kind, name, value, undo, find(value.__func__))
        elif isinstance(value, type) and value.__qualname__ == f"{kind.__qualname__}.{name}":
            _make_class_virtual(value, undo, find)
        elif not name.startswith("__"):
            _replace(kind, name, value, undo, find(value))


def _make_defaults_virtual(function: FunctionType, undo: Undo, find: Find) -> None:
    if function.__defaults__:
        defaults = tuple(_or_itself(value, find) for value in function.__defaults__)
        if any(new is not old for new, old in zip(defaults, function.__defaults__, strict=True)):
            undo.append(partial(setattr, function, "__defaults__", function.__defaults__))
            function.__defaults__ = defaults
    keywords = function.__kwdefaults__ or {}
    for name, value in keywords.items():
        new = _or_itself(value, find)
        if new is not value:
            undo.append(partial(keywords.__setitem__, name, value))
            keywords[name] = new


def _or_itself(value: Any, find: Find) -> Any:
    found = find(value)
    return value if found is None else found


def _replace(owner: Any, name: str, value: Any, undo: Undo, new: Any) -> None:
    if new is None:
        return
    if isinstance(owner, type) and isinstance(new, FunctionType):
        new = staticmethod(new)  # the builtin function does not bind to an instance either
    undo.append(partial(setattr, owner, name, value))
    setattr(owner, name, new)
