"""Opens connections, and explains failed connects.

The explanation names address, user and database as far as they are known, and suggests a remedy. It
never contains the password.
"""

from collections.abc import Callable
from typing import Any

from steadypool._common.hooks import Hooks, acquire_reconnects, setup_failed, setup_reconnects
from steadypool._core.entries import PoolEntry
from steadypool._drivers import dbapi as driver
from steadypool._drivers.connector import Connector
from steadypool._drivers.refusals import suggestion
from steadypool.errors import ConnectionFailedError


class Opener:
    """Opens the connections of the pool `name`. Thread-safe if `connect` is."""

    def __init__(self, name: str, connect: Callable[[], Any], hooks: Hooks) -> None:
        self._name = name
        self._connect = connect
        self._hooks = hooks
        self.address = connect.address if isinstance(connect, Connector) else None

    def open(self, limit: float | None) -> Any:
        """Open a connection; only a `Connector` respects `limit`, in seconds."""
        if isinstance(self._connect, Connector):
            return self._connect(limit)
        return self._connect()

    def set_up(self, entry: PoolEntry) -> None:
        """Run the setup hook on a new connection, then end any transaction the hook left open.

        If the driver connects again meanwhile, the hook runs once more, in the new session.
        """
        if self._hooks.setup is None:
            return
        connection = entry.connection
        for _ in range(2):
            self._hooks.setup(connection)
            reconnected = driver.is_reconnected(connection, entry.session)
            entry.session = driver.adopt(connection)
            if not driver.settle(connection):
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
        if not driver.is_reconnected(connection, entry.session):
            return False
        if self._hooks.setup is not None or not driver.is_own(connection):
            return True
        entry.session = driver.adopt(connection)
        return False

    def is_lost_in_hook(self, entry: PoolEntry) -> bool:
        """The same after the on_acquire hook.

        Raises ConnectionFailedError if even a new connection is lost.
        """
        lost = self.is_lost(entry)
        if lost and not entry.uses:
            raise ConnectionFailedError(acquire_reconnects(self._name))
        return lost

    def prepare(self, connection: Any) -> None:
        """Call the on_acquire hook."""
        if self._hooks.on_acquire is not None:
            self._hooks.on_acquire(connection)

    def clean_up(self, entry: PoolEntry, keeps_open: bool) -> bool:
        """Call the on_release hook, then end any transaction that it left open.

        `keeps_open`: the pool hands out open transactions. False: the connection must be closed.
        Raises the errors of the hook.
        """
        if self._hooks.on_release is None:
            return True
        self._hooks.on_release(entry.connection)
        if self.is_lost(entry):
            return False
        if keeps_open:
            return driver.state(entry.connection) not in driver.UNUSABLE
        return driver.settle(entry.connection)

    def explain(self, error: Exception) -> str:
        """Describe a failed connect: the pool, the destination, the cause and a suggestion."""
        where = ""
        if isinstance(self._connect, Connector):
            where = f" to {self._connect.place}"
        return (
            f"pool {self._name!r} could not open a connection{where}: "
            f"{type(error).__name__}: {error}. {suggestion(error)}"
        )
