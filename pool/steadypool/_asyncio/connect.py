"""Opening connections for asyncio, and explaining why it did not work.

The driver is imported when a pool needs it: who brings a `connect` of his own need not have it.
"""

import inspect
import os
from collections.abc import Awaitable, Callable
from typing import Any

from steadypool._common.hooks import Hooks
from steadypool._drivers import async_dbapi as connections
from steadypool._drivers import configuration
from steadypool._drivers.dbapi import suggestion
from steadypool.errors import ConnectionFailedError, PoolConfigError

AsyncConnect = Callable[[], Awaitable[Any]]


class AsyncOpener:
    """Opens the connections of the pool `name`; `place` says where they lead, as far as known."""

    def __init__(
        self,
        name: str,
        connect: AsyncConnect,
        hooks: Hooks,
        address: str | None = None,
        place: str = "",
    ) -> None:
        self._name = name
        self._connect = connect
        self._hooks = hooks
        self._place = place
        self.address = address

    async def open(self) -> Any:
        """Open one."""
        return await self._connect()

    async def set_up(self, connection: Any) -> None:
        """Do once what the user wants done to a new connection, and end its transaction."""
        if self._hooks.setup is None:
            return
        answer = self._hooks.setup(connection)
        if inspect.isawaitable(answer):
            await answer
        if not await connections.settle(connection):
            raise ConnectionFailedError(
                f"the setup hook of the pool {self._name!r} left a connection that cannot be used: "
                "closed, or with a result that was not read"
            )

    @property
    def sets_up(self) -> bool:
        """Whether there is anything to do to a new connection."""
        return self._hooks.setup is not None

    def prepare(self, connection: Any) -> object:
        """Begin what the user wants done at every acquire; await what this returns, if one can."""
        return None if self._hooks.on_acquire is None else self._hooks.on_acquire(connection)

    def explain(self, error: Exception) -> str:
        """Say what could not be opened, why, and what to do."""
        return (
            f"pool {self._name!r} could not open a connection{self._place}: "
            f"{type(error).__name__}: {error}. {suggestion(error)}"
        )


def configured(
    name: str,
    source: configuration.Config | str | os.PathLike[str] | None,
    config_name: str,
    hooks: Hooks,
) -> AsyncOpener:
    """Make the opener for a configured database, with the bundled driver.

    Raises PoolConfigError, also where the driver is not installed.
    """
    try:
        from steadypool._drivers.async_mysql import AsyncConnector
    except ImportError as error:
        raise PoolConfigError(
            f"AsyncConnectionPool needs {error.name}: install steadypool with its extra `asyncio`, "
            "or pass a connect= of your own"
        ) from error
    connect = AsyncConnector(configuration.load(source, config_name))
    return AsyncOpener(name, connect, hooks, connect.address, f" to {connect.place}")
