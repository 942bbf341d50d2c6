"""The adapter of SQLAlchemy: an Engine with its QueuePool, over PyMySQL."""

from typing import Any, ClassVar

from sqlalchemy import Engine, create_engine, exc

from poolspec.lab.contract import Options, Wiring
from poolspec.testing import PyMySQLDriver, ThreadsAdapter
from poolspec.vocabulary import Capability, ErrorKind

ABLE = "overflow recycle_by_age timeout close_all lazy_start lifo fifo validation line reconnect"


class SqlalchemyAdapter(ThreadsAdapter):
    """Drives an Engine, which has a new pool after each `dispose`."""

    name = "sqlalchemy"
    capabilities = frozenset(map(Capability, ABLE.split()))
    driver = PyMySQLDriver()
    modules = ("sqlalchemy.pool.base", "sqlalchemy.pool.impl", "sqlalchemy.util.queue")
    errors: ClassVar = {exc.TimeoutError: ErrorKind.TIMEOUT}

    def create(self, options: Options, wiring: Wiring) -> Engine:
        return create_engine(
            "mysql+pymysql://",
            creator=wiring.connect,
            pool_size=options["size"],
            max_overflow=options["max_overflow"],
            pool_timeout=options["timeout"],
            pool_recycle=options.get("recycle", 0) or -1,
            pool_use_lifo=options.get("order") != "fifo",
            pool_pre_ping="validate_after" in options,
            _initialize=False,  # no statements of its own at the first connect
        )

    def acquire(self, pool: Engine, timeout: float | None) -> Any:
        return pool.raw_connection()

    def release(self, pool: Engine, connection: Any) -> None:
        connection.close()

    def raw(self, connection: Any) -> Any:
        return connection.dbapi_connection

    def close_all(self, pool: Engine) -> None:
        pool.dispose()

    close = close_all
