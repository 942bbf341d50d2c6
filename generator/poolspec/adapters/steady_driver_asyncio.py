"""steadypool's own driver for asyncio, which extends aiomysql."""

from collections.abc import Callable
from typing import Any

from poolspec.adapters.steady_wiring import config_of
from poolspec.drivers.aiomysql import AiomysqlDriver
from poolspec.drivers.contract import AsyncOpen
from poolspec.drivers.weak import forwarding
from poolspec.servers import Tenant
from steadypool._drivers.async_connector import AsyncConnector
from steadypool._drivers.async_mysql import AsyncConnection


class AsyncSteadyDriver(AiomysqlDriver):
    """Uses connections of steadypool's own class, and aiomysql's."""

    rolls_back_to_check = True

    def opener(self, tenant: Tenant) -> AsyncOpen:
        """Return steadypool's own connector."""
        return AsyncConnector(config_of(tenant))

    def watch(
        self, connection: Any, gone: Callable[[], object], reopened: Callable[[], object]
    ) -> None:
        """Call `gone` when the connection is closed, with or without a goodbye."""
        if isinstance(connection, AsyncConnection):
            watch_own(connection, gone)
            self.watch_sockets(connection, gone, reopened)
        else:
            super().watch(connection, gone, reopened)


def watch_own(connection: AsyncConnection, gone: Callable[[], object]) -> None:
    """Call `gone` when a connection of steadypool's driver is closed or aborted."""
    close, abort = forwarding(connection, "pool_close"), forwarding(connection, "abort")

    async def close_and_report() -> None:
        try:
            await close()
        finally:
            gone()

    def abort_and_report() -> None:
        abort()
        gone()

    connection.pool_close = close_and_report  # type: ignore[method-assign]  # this one is watched
    connection.abort = abort_and_report  # type: ignore[method-assign]  # this one is watched
