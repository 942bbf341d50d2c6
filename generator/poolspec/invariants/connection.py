"""The lab's own account of which physical connections are open.

A pool under test opens its connections through the lab, which sees each socket open and close. So
the lab's count does not depend on what the pool reports.
"""

from collections.abc import Callable
from typing import Any

from poolspec.drivers.contract import Make
from poolspec.lifecycle.locks import FreshLock


class Sockets:
    """The physical connections of one pool that are open. Safe to use from any thread."""

    def __init__(self, tell: Callable[[str, int], None]) -> None:
        self._tell = tell
        self._lock = FreshLock()
        self._open: dict[int, tuple[int, Any]] = {}
        self.peak = 0
        """The most connections that were open at once."""
        self.makes: set[Make] = set()
        """The kinds of its connections."""

    def opened(self, number: int, connection: Any, make: Make) -> bool:
        """Note that a connection was opened; return False if it was noted before."""
        with self._lock:
            if id(connection) in self._open:
                return False
            self._open[id(connection)] = (number, connection)
            self.makes.add(make)
            self.peak = max(self.peak, len(self._open))
        self._tell("socket_opened", number)
        return True

    def gone(self, connection: Any) -> None:
        """Note that a connection's socket is closed; only the first call has an effect."""
        with self._lock:
            known = self._open.pop(id(connection), None)
        if known is not None:
            self._tell("socket_closed", known[0])

    def open(self) -> dict[int, Any]:
        """Return the connections that are open now, by their identities.

        The server's numbers would not do: a server that was restarted numbers from the start.
        """
        with self._lock:
            return {known: connection for known, (_, connection) in self._open.items()}

    def numbered(self) -> list[tuple[int, Any]]:
        """Return the connections that are open now, each with its number at the server."""
        with self._lock:
            return list(self._open.values())

    def numbers(self) -> frozenset[int]:
        """Return the server's numbers of the connections that are open now."""
        with self._lock:
            return frozenset(number for number, _ in self._open.values())
