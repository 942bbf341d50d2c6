"""Registers wrong pools, each with the test that must fail on it.

A fault of the core concerns both concurrencies, so it is defined once, as a subclass of `Core`. The
faults of threads and of asyncio are subclasses of their pools, or of the engine for asyncio.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import steadypool
from poolspec.vocabulary import Concurrency
from steadypool._asyncio.acquire import AsyncEngine
from steadypool._core.core import Core

T = TypeVar("T", bound=type[Any])


@dataclass(frozen=True)
class WrongPool:
    """A pool with one fault, and the id of the spec's test that must notice it."""

    name: str
    concurrency: Concurrency
    pool: type[Any]
    test: str

    def __str__(self) -> str:
        return f"{self.name}-{self.concurrency.value}"


WRONG: list[WrongPool] = []
"""All wrong pools, in the order of their definitions."""


def noticed_by(test: str, *concurrencies: Concurrency) -> Callable[[T], T]:
    """Register a fault with the test that must notice it.

    A core is registered for both concurrencies, unless some are given.
    """

    def register(fault: T) -> T:
        for concurrency in concurrencies or _concurrencies_of(fault):
            pool = pool_with(fault, concurrency)
            WRONG.append(WrongPool(fault.__name__, concurrency, pool, test))
        return fault

    return register


def _concurrencies_of(fault: type[Any]) -> tuple[Concurrency, ...]:
    if issubclass(fault, Core):
        return tuple(Concurrency)
    if issubclass(fault, steadypool.ConnectionPool):
        return (Concurrency.THREADS,)
    return (Concurrency.ASYNCIO,)


def pool_with(part: type[Any], concurrency: Concurrency) -> type[Any]:
    """Return a pool class that uses `part`: a core, an engine, or the pool class itself."""
    if issubclass(part, AsyncEngine):
        return type(
            part.__name__, (OnAsyncEngine,), {"engine": part, "__module__": part.__module__}
        )
    if issubclass(part, Core):
        base = OnCore if concurrency is Concurrency.THREADS else OnAsyncCore
        return type(part.__name__, (base,), {"core": part, "__module__": part.__module__})
    return part


class OnCore(steadypool.ConnectionPool):
    """A pool for threads on another core."""

    core: type[Core]

    def _make_core(self) -> Core:
        return self.core(self._settings, threading.get_ident if self._listeners else None)


class OnAsyncCore(steadypool.AsyncConnectionPool):
    """A pool for asyncio on another core."""

    core: type[Core]

    def _make_core(self) -> Core:
        return self.core(self._settings, threading.get_ident if self._listeners else None)


class OnAsyncEngine(steadypool.AsyncConnectionPool):
    """A pool for asyncio on another engine."""

    engine: type[AsyncEngine]

    def __init__(self, *positional: Any, **options: Any) -> None:
        super().__init__(*positional, **options)
        self._engine.__class__ = self.engine  # it has the same state
