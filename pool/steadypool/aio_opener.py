"""Opening connections for asyncio, and explaining why it did not work.

The driver is imported when a pool needs it: who brings a `connect` of his own need not have it.
"""

import os
from collections.abc import Awaitable, Callable
from typing import Any

from steadypool import config as configuration
from steadypool.driver import suggestion
from steadypool.errors import PoolConfigError

AsyncConnect = Callable[[], Awaitable[Any]]


class AsyncOpener:
    """Opens the connections of the pool `name`; `place` says where they lead, as far as known."""

    def __init__(self, name: str, connect: AsyncConnect, place: str = "") -> None:
        self._name = name
        self._connect = connect
        self._place = place

    async def open(self) -> Any:
        """Open one."""
        return await self._connect()

    def explain(self, error: Exception) -> str:
        """Say what could not be opened, why, and what to do."""
        return (
            f"pool {self._name!r} could not open a connection{self._place}: "
            f"{type(error).__name__}: {error}. {suggestion(error)}"
        )


def configured(
    name: str, source: configuration.Config | str | os.PathLike[str] | None, config_name: str
) -> AsyncOpener:
    """Make the opener for a configured database, with the bundled driver.

    Raises PoolConfigError, also where the driver is not installed.
    """
    try:
        from steadypool.aio_driver import AsyncConnector
    except ImportError as error:
        raise PoolConfigError(
            f"AsyncConnectionPool needs {error.name}: pip install 'poolspec[asyncio]', "
            "or give it a connect= of your own"
        ) from error
    connect = AsyncConnector(configuration.load(source, config_name))
    place = f" to {connect.address} as user {connect.user!r}, database {connect.database!r}"
    return AsyncOpener(name, connect, place)
