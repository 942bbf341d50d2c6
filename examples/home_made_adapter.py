"""The adapter of `home_made_pool`: all that the specs need to judge a pool.

    pytest -n auto generated_tests --pool examples.home_made_adapter:HomeMadeAdapter

The guide (docs/adapters.md) explains it.
"""

from typing import Any, ClassVar

from home_made_pool import Pool, PoolTimeout
from poolspec.lab.contract import Options, Wiring
from poolspec.testing import PyMySQLDriver, ThreadsAdapter
from poolspec.vocabulary import Capability, ErrorKind


class HomeMadeAdapter(ThreadsAdapter):
    name = "home-made"
    capabilities = frozenset({Capability.TIMEOUT, Capability.LAZY_START, Capability.LIFO})
    driver = PyMySQLDriver()
    modules = ("home_made_pool",)
    errors: ClassVar = {PoolTimeout: ErrorKind.TIMEOUT}

    def create(self, options: Options, wiring: Wiring) -> Pool:
        return Pool(wiring.connect, int(options["size"]), float(options["timeout"]))

    def acquire(self, pool: Pool, timeout: float | None) -> Any:
        return pool.get()

    def release(self, pool: Pool, connection: Any) -> None:
        pool.put(connection)

    def close(self, pool: Pool) -> None:
        pool.close()
