"""asyncmy, for asyncio: a driver made from aiomysql, in Cython."""

from functools import partial
from types import ModuleType
from typing import Any

from poolspec.drivers.aiomysql import AiomysqlDriver
from poolspec.drivers.contract import AsyncOpen
from poolspec.servers import Tenant

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncmyDriver(AiomysqlDriver):
    """Uses asyncmy connections."""

    connects_by = "connect"

    @property
    def errors(self) -> ModuleType:
        """The module of the driver's errors."""
        from asyncmy import errors

        return errors

    def plain(self, tenant: Tenant) -> AsyncOpen:
        """Return a callable that opens one connection as a tenant."""
        return partial(open_connection, tenant)

    def transport_of(self, connection: Any) -> Any:
        """Return the transport of a connection; None if it is closed."""
        return connection._transport


async def open_connection(tenant: Tenant) -> Any:
    """Open one connection as a tenant.

    It has no timeout, because asyncmy's needs `asyncio.wait_for`, which before Python 3.12 may
    swallow a cancellation. That is no fault of the pool's.
    """
    from asyncmy.connection import Connection

    connection: Any = Connection(  # type: ignore[no-untyped-call]  # no hints
        host=tenant.address.host,
        port=tenant.address.port,
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
    )
    connection._connect_timeout = None
    await connection.connect()
    return connection
