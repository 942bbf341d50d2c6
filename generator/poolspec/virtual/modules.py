"""Finds the names in a module that mean something of `threading`, `queue` or `time`.

They are global names of the module, attributes and bases of the classes that it defines, and
default values of its functions. A change is written down before it is made, so that an error or an
interrupt at any point leaves nothing replaced.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from poolspec.virtual.replacements import counterpart
from poolspec.virtual.waits import Clock, Waits, begin

Undo = list[Callable[[], object]]


class VirtualModulesError(Exception):
    """Modules cannot be made virtual."""


_active: list[tuple[str, ...]] = []


@contextmanager
def virtual_modules(clock: Clock, *names: str) -> Iterator[None]:
    """Let the modules of these names use virtual locks, threads, queues and time in the block.

    Raises VirtualModulesError for a module that cannot be virtual, and within another such block.
    """
    if _active:
        raise VirtualModulesError(f"the modules {', '.join(_active[0])} are virtual already")
    modules = [_imported(name) for name in names]
    undo: Undo = []
    _active.append(names)
    try:
        begin(Waits(clock))
        for module in modules:
            _make_virtual(module, undo)
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


def _make_virtual(module: ModuleType, undo: Undo) -> None:
    for name, value in list(vars(module).items()):
        if name.startswith("__"):
            continue
        _replace(module, name, value, undo, counterpart(value))
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if isinstance(value, type):
            _make_class_virtual(value, undo)
        elif isinstance(value, FunctionType):
            _make_defaults_virtual(value, undo)


def _make_class_virtual(kind: type, undo: Undo) -> None:
    bases = tuple(counterpart(base) or base for base in kind.__bases__)
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
            _make_defaults_virtual(function, undo)
        elif isinstance(value, staticmethod):
            _replace(kind, name, value, undo, counterpart(value.__func__))
        elif isinstance(value, type) and value.__qualname__ == f"{kind.__qualname__}.{name}":
            _make_class_virtual(value, undo)
        elif not name.startswith("__"):
            _replace(kind, name, value, undo, counterpart(value))


def _make_defaults_virtual(function: FunctionType, undo: Undo) -> None:
    if function.__defaults__:
        defaults = tuple(_or_itself(value) for value in function.__defaults__)
        if any(new is not old for new, old in zip(defaults, function.__defaults__, strict=True)):
            undo.append(partial(setattr, function, "__defaults__", function.__defaults__))
            function.__defaults__ = defaults
    keywords = function.__kwdefaults__ or {}
    for name, value in keywords.items():
        new = _or_itself(value)
        if new is not value:
            undo.append(partial(keywords.__setitem__, name, value))
            keywords[name] = new


def _or_itself(value: Any) -> Any:
    found = counterpart(value)
    return value if found is None else found


def _replace(owner: Any, name: str, value: Any, undo: Undo, new: Any) -> None:
    if new is None:
        return
    if isinstance(owner, type) and isinstance(new, FunctionType):
        new = staticmethod(new)  # the builtin function does not bind to an instance either
    undo.append(partial(setattr, owner, name, value))
    setattr(owner, name, new)
