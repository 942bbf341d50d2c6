"""The process-wide pool. All requests of a test have equal options, the connector included."""

from dataclasses import replace
from typing import Any

from poolspec.lab.contract import PoolAdapter
from poolspec.lab.threads.pool import Pool, ThreadsContext
from poolspec.lab.threads.pools import Pools

__tracebackhide__ = True  # a failure is shown where the test failed


class GlobalPool:
    """Asks for the process-wide pool. Safe to use from any actor."""

    def __init__(self, context: ThreadsContext, adapter: PoolAdapter, pools: Pools) -> None:
        self._context = context
        self._adapter = adapter
        self._pools = pools
        self._account = context.new_account(context.options({}))
        self._connector = pools.connector(self._account)
        self._listen = context.numbered_listener(self._account.pool)

    def get(self, options: dict[str, Any]) -> Pool:
        """Return the process-wide pool."""
        wiring = self._pools.wiring(self._connector, self._account.pool)
        wiring = replace(wiring, listen=self._listen)
        made = self._context.options(options)
        raw = self._adapter.global_pool(made, wiring)
        self._account.resize(made["size"], made.get("max_overflow", 0))
        pool = self._pools.registered(raw, self._account)
        pool.is_default = True
        return pool
