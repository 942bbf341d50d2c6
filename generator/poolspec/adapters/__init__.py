"""Adapters: one short module for each kind of pool.

A pool is named by the adapter's name, or, for an adapter of your own, by where it is:
`package.module:NAME`, where NAME is an adapter, or a callable without arguments that makes one.
"""

import sys
from importlib import import_module
from pathlib import Path
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
    here = str(Path.cwd())
    if here not in sys.path:  # as `python -m pytest` has it, and `pytest` has not
        sys.path.insert(0, here)
    try:
        found: Any = getattr(import_module(module), attribute)
        adapter = found() if callable(found) else found
    except Exception as error:
        raise UnknownPoolError(f"no adapter at {place!r}: {error}") from error
    if not isinstance(adapter, PoolAdapter):
        raise UnknownPoolError(f"{place!r} is no adapter: it lacks methods of PoolAdapter")
    return adapter
