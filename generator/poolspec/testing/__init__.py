"""Parts for adapters and for tests of pools.

An adapter is a subclass of `ThreadsAdapter` or of `AsyncioAdapter`. A driver is the object that an
adapter has as `driver`; its method `scripted` makes connections without a server, for any pool that
takes a connect callable. `Replaced` is for a pool that takes none.
"""

from poolspec.drivers.aiomysql import AiomysqlDriver
from poolspec.drivers.asyncmy import AsyncmyDriver
from poolspec.drivers.connector import ConnectorDriver
from poolspec.drivers.contract import AsyncDriver, Driver
from poolspec.drivers.dbapi import AsyncDbapiDriver, DbapiDriver
from poolspec.drivers.plan import Hang, Plan
from poolspec.drivers.pymysql import PyMySQLDriver
from poolspec.drivers.replaced import Replaced
from poolspec.testing.asyncio_adapter import AsyncioAdapter
from poolspec.testing.threads_adapter import ThreadsAdapter

__all__ = [
    "AiomysqlDriver",
    "AsyncDbapiDriver",
    "AsyncDriver",
    "AsyncioAdapter",
    "AsyncmyDriver",
    "ConnectorDriver",
    "DbapiDriver",
    "Driver",
    "Hang",
    "Plan",
    "PyMySQLDriver",
    "Replaced",
    "ThreadsAdapter",
]
