"""Opens connections for asyncio, and explains failed connects.

The driver is imported only for a configured pool. A pool with its own `connect` works without it.
"""

import inspect
import os
from collections.abc import Awaitable, Callable
from typing import Any

from steadypool._common.hooks import Hooks, acquire_reconnects, setup_failed, setup_reconnects
from steadypool._core.entries import PoolEntry
from steadypool._drivers import async_dbapi as connections
from steadypool._drivers import configuration
from steadypool._drivers.refusals import suggestion
from steadypool.errors import ConnectionFailedError, PoolConfigError

AsyncConnect = Callable[..., Awaitable[Any]]


class AsyncOpener:
    """Opens the connections of the pool `name`; `place` names their destination, if known."""

    def __init__(
        self,
        name: str,
        connect: AsyncConnect,
        hooks: Hooks,
        address: str | None = None,
        place: str = "",
        *,
        is_configured: bool = False,
    ) -> None:
        self._name = name
        self._connect = connect
        self._hooks = hooks
        self._is_configured = is_configured
        self._place = place
        self.address = address

    async def open(self, limit: float | None) -> Any:
        """Open a connection; the caller cancels it after `limit` seconds."""
        return await (self._connect(limit) if self._is_configured else self._connect())

    async def set_up(self, entry: PoolEntry) -> None:
        """Run the setup hook on a new connection, then end any transaction the hook left open.

        If the driver connects again meanwhile, the hook runs once more, in the new session.
        """
        if self._hooks.setup is None:
            return
        connection = entry.connection
        for _ in range(2):
            answer = self._hooks.setup(connection)
            if inspect.isawaitable(answer):
                await answer
            reconnected = connections.is_reconnected(connection, entry.session)
            entry.session = connections.adopt(connection)
            if not await connections.settle(connection):
                raise ConnectionFailedError(setup_failed(self._name))
            if not reconnected:
                return
        raise ConnectionFailedError(setup_reconnects(self._name))

    def is_lost(self, entry: PoolEntry) -> bool:
        """Whether the driver connected again, so that the session lacks the pool's set-up.

        A connection of steadypool signs in with all its options, so a pool without a setup hook
        takes its new session as it is.
        """
        connection = entry.connection
        if not connections.is_reconnected(connection, entry.session):
            return False
        if self._hooks.setup is not None or not connections.is_own(connection):
            return True
        entry.session = connections.adopt(connection)
        return False

    def is_lost_in_hook(self, entry: PoolEntry) -> bool:
        """The same after the on_acquire hook.

        Raises ConnectionFailedError if even a new connection is lost.
        """
        lost = self.is_lost(entry)
        if lost and not entry.uses:
            raise ConnectionFailedError(acquire_reconnects(self._name))
        return lost

    @property
    def sets_up(self) -> bool:
        """Whether the pool has a setup hook."""
        return self._hooks.setup is not None

    def prepare(self, connection: Any) -> object:
        """Call the on_acquire hook; the caller awaits the result if it is awaitable."""
        return None if self._hooks.on_acquire is None else self._hooks.on_acquire(connection)

    async def clean_up(self, entry: PoolEntry, keeps_open: bool) -> bool:
        """Call the on_release hook, then end any transaction that it left open.

        `keeps_open`: the pool hands out open transactions. False: the connection must be closed.
        Raises the errors of the hook.
        """
        if self._hooks.on_release is None:
            return True
        answer = self._hooks.on_release(entry.connection)
        if inspect.isawaitable(answer):
            await answer
        if self.is_lost(entry):
            return False
        if keeps_open:
            return connections.state(entry.connection) not in connections.UNUSABLE
        return await connections.settle(entry.connection)

    def explain(self, error: Exception) -> str:
        """Describe a failed connect: the pool, the destination, the cause and a suggestion."""
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

    Raises PoolConfigError, also if the driver is not installed.
    """
    try:
        from steadypool._drivers.async_connector import AsyncConnector
    except ImportError as error:
        raise PoolConfigError(
            f"AsyncConnectionPool needs {error.name}: install steadypool with its extra `asyncio`, "
            "or pass a connect= of your own"
        ) from error
    connect = AsyncConnector(configuration.load(source, config_name))
    return AsyncOpener(
        name, connect, hooks, connect.address, f" to {connect.place}", is_configured=True
    )
