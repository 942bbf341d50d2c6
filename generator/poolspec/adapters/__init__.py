"""Adapters: one short module for each kind of pool.

`--pool` takes the name of a bundled adapter, or the place of another: `package.module:NAME`, where
NAME is an adapter, or a callable without arguments that returns one.
"""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from poolspec.adapters.adapter_checks import ASYNCIO_NEEDS, NEEDS, Needs, unmet
from poolspec.drivers.contract import AnyDriver
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.contract import PoolAdapter
from poolspec.vocabulary import Capability

BUNDLED = {
    "steadypool": "poolspec.adapters.steady:SteadypoolAdapter",
    "steadypool-silent": "poolspec.adapters.steady:SilentSteadypoolAdapter",
}


class UnknownPoolError(Exception):
    """There is no adapter of that name, or it cannot be used."""


def find_adapter(name: str) -> PoolAdapter:
    """Return the adapter of that name or at that place. Raises UnknownPoolError."""
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
        _check_all(adapter, place)
    except UnknownPoolError:
        raise
    except Exception as error:
        raise UnknownPoolError(f"no adapter at {place!r}: {error}") from error
    return cast(PoolAdapter, adapter)


def _check_all(adapter: object, place: str) -> None:
    """Check an adapter and its asyncio form. Raises UnknownPoolError."""
    _check(adapter, repr(place), PoolAdapter, NEEDS)
    concurrency = getattr(adapter, "asyncio", None)
    if concurrency is not None:
        _check(concurrency, f"{place!r}.asyncio", AsyncPoolAdapter, ASYNCIO_NEEDS)


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
