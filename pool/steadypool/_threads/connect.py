"""Opening connections, and explaining why it did not work.

The explanation names address, user and database where they are known, and what to do; never the
password.
"""

from collections.abc import Callable
from typing import Any

from steadypool._common.hooks import Hooks
from steadypool._drivers import dbapi as driver
from steadypool._drivers.mysql import Connector
from steadypool.errors import ConnectionFailedError


class Opener:
    """Opens the connections of the pool `name`. Thread-safe as far as `connect` is."""

    def __init__(self, name: str, connect: Callable[[], Any], hooks: Hooks) -> None:
        self._name = name
        self._connect = connect
        self._hooks = hooks
        self.address = connect.address if isinstance(connect, Connector) else None

    def open(self, limit: float | None) -> Any:
        """Open one; `limit` in seconds applies to a `Connector`, which alone can keep to it."""
        if isinstance(self._connect, Connector):
            return self._connect(limit)
        return self._connect()

    def set_up(self, connection: Any) -> None:
        """Do once what the user wants done to a new connection, and end its transaction."""
        if self._hooks.setup is None:
            return
        self._hooks.setup(connection)
        if not driver.settle(connection):
            raise ConnectionFailedError(
                f"the setup hook of the pool {self._name!r} left a connection that cannot be used: "
                "closed, or with a result that was not read"
            )

    def prepare(self, connection: Any) -> None:
        """Do what the user wants done at every acquire."""
        if self._hooks.on_acquire is not None:
            self._hooks.on_acquire(connection)

    def explain(self, error: Exception) -> str:
        """Say what could not be opened, why, and what to do."""
        where = ""
        if isinstance(self._connect, Connector):
            where = f" to {self._connect.place}"
        return (
            f"pool {self._name!r} could not open a connection{where}: "
            f"{type(error).__name__}: {error}. {driver.suggestion(error)}"
        )
