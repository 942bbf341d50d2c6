"""The adapter of DBUtils: its PooledDB, over PyMySQL."""

from typing import Any

from dbutils.pooled_db import PooledDB

from poolspec.lab.contract import Options, Wiring
from poolspec.testing import PyMySQLDriver, ThreadsAdapter
from poolspec.vocabulary import Capability, ErrorKind

ABLE = "overflow close_all prefill lazy_start min_size fifo validation line reconnect"


class DbutilsAdapter(ThreadsAdapter):
    """Drives a PooledDB whose acquires wait. It has no timeout, and no end: close empties it."""

    name = "dbutils"
    capabilities = frozenset(map(Capability, ABLE.split()))
    driver = PyMySQLDriver()
    modules = ("dbutils.pooled_db",)

    def create(self, options: Options, wiring: Wiring) -> Any:
        return PooledDB(
            wiring.connect,
            mincached=options.get("min_size", options["size"]),
            maxcached=options["size"],
            maxconnections=int(options["size"]) + int(options["max_overflow"]),
            blocking=True,
            isfatal=self._is_lost,  # else any error makes it connect and run the statement again
        )

    def acquire(self, pool: Any, timeout: float | None) -> Any:
        return pool.connection()

    def release(self, pool: Any, connection: Any) -> None:
        connection.close()

    def raw(self, connection: Any) -> Any:
        return connection._con._con

    def close_all(self, pool: Any) -> None:
        pool.close()

    close = close_all

    def _is_lost(self, error: BaseException) -> bool:
        return self.driver.kind_of(error) is ErrorKind.LOST
