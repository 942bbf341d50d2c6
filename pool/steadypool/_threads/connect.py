"""Opens connections, and explains failed connects.

The explanation names address, user and database as far as they are known, and suggests a remedy. It
never contains the password.
"""

from collections.abc import Callable
from typing import Any

from steadypool._common.hooks import Hooks
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

    def set_up(self, connection: Any) -> None:
        """Run the setup hook on a new connection, then end any transaction the hook left open."""
        if self._hooks.setup is None:
            return
        self._hooks.setup(connection)
        if not driver.settle(connection):
            raise ConnectionFailedError(
                f"the setup hook of the pool {self._name!r} left a connection that cannot be used: "
                "closed, or with an unread result"
            )

    def prepare(self, connection: Any) -> None:
        """Call the on_acquire hook."""
        if self._hooks.on_acquire is not None:
            self._hooks.on_acquire(connection)

    def explain(self, error: Exception) -> str:
        """Describe a failed connect: the pool, the destination, the cause and a suggestion."""
        where = ""
        if isinstance(self._connect, Connector):
            where = f" to {self._connect.place}"
        return (
            f"pool {self._name!r} could not open a connection{where}: "
            f"{type(error).__name__}: {error}. {suggestion(error)}"
        )
