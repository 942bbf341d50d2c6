"""Opening connections, and explaining why it did not work.

The explanation names address, user and database where they are known, and what to do; never the
password.
"""

from collections.abc import Callable
from typing import Any

from steadypool.driver import Connector, suggestion


class Opener:
    """Opens the connections of the pool `name`. Thread-safe as far as `connect` is."""

    def __init__(self, name: str, connect: Callable[[], Any]) -> None:
        self._name = name
        self._connect = connect

    def open(self, limit: float | None) -> Any:
        """Open one; `limit` in seconds applies to a `Connector`, which alone can keep to it."""
        if isinstance(self._connect, Connector):
            return self._connect(limit)
        return self._connect()

    def explain(self, error: Exception) -> str:
        """Say what could not be opened, why, and what to do."""
        where = ""
        if isinstance(self._connect, Connector):
            at = self._connect
            where = f" to {at.address} as user {at.user!r}, database {at.database!r}"
        return (
            f"pool {self._name!r} could not open a connection{where}: "
            f"{type(error).__name__}: {error}. {suggestion(error)}"
        )
