"""Adapters: one short module for each kind of pool.

`--pool` takes the name of a bundled adapter, or the place of another: `package.module:NAME`, where
NAME is an adapter, or a callable without arguments that returns one.
"""

import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from poolspec.adapters.adapter_checks import ASYNCIO_NEEDS, NEEDS, Needs, unmet
from poolspec.drivers.contract import AnyDriver
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.contract import PoolAdapter
from poolspec.vocabulary import Capability, Concurrency

BUNDLED = {
    "steadypool": "poolspec.adapters.steady:SteadypoolAdapter",
    "steadypool-silent": "poolspec.adapters.steady:SilentSteadypoolAdapter",
    "aiomysql": "poolspec.adapters.aiomysql:AiomysqlAdapter",
    "dbutils": "poolspec.adapters.dbutils:DbutilsAdapter",
    "sqlalchemy": "poolspec.adapters.sqlalchemy:SqlalchemyAdapter",
    "sqlalchemy-asyncio": "poolspec.adapters.sqlalchemy_asyncio:SqlalchemyAsyncioAdapter",
}


class UnknownPoolError(Exception):
    """There is no adapter of that name, or it cannot be used."""


@dataclass(frozen=True, slots=True)
class PoolUnderTest:
    """A pool with the adapters of its forms, at least one."""

    name: str
    threads: PoolAdapter | None
    asyncio: AsyncPoolAdapter | None
    keeps_all: bool
    """Whether the pool must pass the tests of every level."""

    def capabilities(self, concurrency: Concurrency) -> frozenset[Capability]:
        """Return what a form of the pool can do; nothing if it has not got the form."""
        threads = concurrency is Concurrency.THREADS
        adapter: PoolAdapter | AsyncPoolAdapter | None = self.threads if threads else self.asyncio
        return frozenset() if adapter is None else adapter.capabilities


@cache
def find_pool(name: str) -> PoolUnderTest:
    """Return the pool of that name, or with the adapter at that place. Raises UnknownPoolError.

    An adapter whose `acquire` is a coroutine function is for asyncio. One for threads may have an
    adapter for asyncio as its attribute `asyncio`.
    """
    place = BUNDLED.get(name, name)
    module, separator, attribute = place.partition(":")
    if not separator:
        known = ", ".join(BUNDLED)
        raise UnknownPoolError(f"no pool {name!r}; give one of: {known}; or package.module:ADAPTER")
    here = str(Path.cwd())
    if here not in sys.path:  # as with `python -m pytest`; `pytest` alone leaves it out
        sys.path.insert(0, here)
    try:
        found: Any = getattr(import_module(module), attribute)
        adapter = found() if callable(found) else found
        return _pool(adapter, place)
    except UnknownPoolError:
        raise
    except Exception as error:
        raise UnknownPoolError(f"no adapter at {place!r}: {error}") from error


def _pool(adapter: Any, place: str) -> PoolUnderTest:
    """Return the pool that an adapter drives. Raises UnknownPoolError if it is no adapter."""
    threads, tasks, where = adapter, getattr(adapter, "asyncio", None), f"{place!r}.asyncio"
    if iscoroutinefunction(getattr(adapter, "acquire", None)):
        threads, tasks, where = None, adapter, repr(place)
    else:
        _check(threads, repr(place), PoolAdapter, NEEDS)
    if tasks is not None:
        _check(tasks, where, AsyncPoolAdapter, ASYNCIO_NEEDS)
    return PoolUnderTest(adapter.name, threads, tasks, getattr(adapter, "keeps_all", False))


def _lacking(thing: object, *contracts: type) -> str:
    """Return the names in a contract that a thing does not have; empty if it has all."""
    wanted = {
        n: None for contract in contracts for n in {**contract.__annotations__, **vars(contract)}
    }
    return ", ".join(n for n in wanted if not n.startswith("_") and not hasattr(thing, n))


def _check(adapter: Any, place: str, contract: type, needs: Needs) -> None:
    """Raise UnknownPoolError if an attribute of the contract is missing."""
    if missing := _lacking(adapter, contract):
        raise UnknownPoolError(f"{place} is not an adapter: it lacks {missing}")
    driver = contract.__annotations__["driver"]
    if missing := _lacking(adapter.driver, AnyDriver, driver):
        raise UnknownPoolError(f"the driver of {place} is not a driver: it lacks {missing}")
    able: object = getattr(adapter, "capabilities", None)
    if not isinstance(able, frozenset | set):
        raise UnknownPoolError(f"capabilities of {place} must be a frozenset of Capability")
    strange = sorted(repr(item) for item in able if not isinstance(item, Capability))
    if strange:
        what = ", ".join(strange)
        raise UnknownPoolError(f"capabilities of {place} must be of Capability, unlike {what}")
    lacking = ", ".join(unmet(adapter, frozenset(able), needs))
    if lacking:
        raise UnknownPoolError(
            f"{place} claims {lacking}: give it that, or take the capability from its "
            "`capabilities`"
        )
