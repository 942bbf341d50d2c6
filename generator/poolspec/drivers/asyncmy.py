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
        import asyncmy

        return partial(
            asyncmy.connect,
            host=tenant.address.host,
            port=tenant.address.port,
            unix_socket=tenant.address.unix_socket,
            user=tenant.user,
            password=tenant.password,
            database=tenant.database,
        )

    def socket_of(self, connection: Any) -> Any:
        """Return the socket of a connection; None if it is closed."""
        transport = connection._transport
        return transport.get_extra_info("socket") if transport else None
