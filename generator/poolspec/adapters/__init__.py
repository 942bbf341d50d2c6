"""Adapters: one short module for each kind of pool.

A pool is named by the adapter's name, or, for an adapter of your own, by where it is:
`package.module:NAME`, where NAME is an adapter, or a callable without arguments that makes one.
"""

from importlib import import_module
from typing import Any

from poolspec.runtime.contract import PoolAdapter

BUNDLED = {
    "steadypool": "poolspec.adapters.steady:SteadypoolAdapter",
    "steadypool-silent": "poolspec.adapters.steady:SilentSteadypoolAdapter",
}


class UnknownPoolError(Exception):
    """No adapter goes by that name."""


def find_adapter(name: str) -> PoolAdapter:
    """Return the adapter of that name, or at that place. Raises UnknownPoolError."""
    place = BUNDLED.get(name, name)
    module, separator, attribute = place.partition(":")
    if not separator:
        known = ", ".join(BUNDLED)
        raise UnknownPoolError(f"no pool {name!r}; give one of: {known}; or package.module:ADAPTER")
    try:
        found: Any = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise UnknownPoolError(f"no adapter at {place!r}: {error}") from error
    adapter: PoolAdapter = found() if callable(found) else found
    return adapter
