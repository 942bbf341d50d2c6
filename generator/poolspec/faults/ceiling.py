"""A server that accepts a certain number of connections, and refuses all others with error 1040.

The server counts all its connections, also those of the lab. MariaDB allows no limit below 10. So
the lab counts the connections that are not the pool's, and opens more until the limit is 10.
"""

from poolspec.invariants.observer import settle
from poolspec.servers import Admin, PrivateServer

_LIMIT = "max_connections"
_LOWEST = 10
"""MariaDB raises a smaller `max_connections` to this, without an error."""
_OF_ADMINISTRATOR = 1


class Ceiling:
    """The limit of one server."""

    def __init__(self, server: PrivateServer) -> None:
        self._server = server
        self._before = server.setting(_LIMIT)
        self._occupants: list[Admin] = []

    def lower(self, of_pool: int, of_test: int, limit: int) -> None:
        """Let the server accept at most `limit` connections of pools.

        The pools now have `of_pool` connections, and the test itself has `of_test`. Connections of
        earlier tests may still be closing; they do not count.
        """
        self._leave()
        expected = of_pool + of_test + _OF_ADMINISTRATOR
        counted = settle(self._server.number_connected, lambda number: number == expected)
        others = counted - of_pool
        for _ in range(_LOWEST - others - limit):
            self._occupants.append(self._server.occupy())
        self._server.set_up(_LIMIT, others + len(self._occupants) + limit)

    def end(self) -> None:
        """Let the server accept as many connections as before."""
        self._server.set_up(_LIMIT, self._before)
        self._leave()

    def _leave(self) -> None:
        while self._occupants:
            self._occupants.pop().close()
