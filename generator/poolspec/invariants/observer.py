"""Looking at a pool from the server's side.

A server notices a closed connection a moment after the client closed it. So a count that is too
high is looked at again, a few times, before it is believed; a count that stays wrong is wrong.
"""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from poolspec.invariants.connection import number_of, open_connection
from poolspec.servers import Server, Tenant

T = TypeVar("T")

SETTLE = 2.0
"""Real seconds within which the server must have noticed."""


class Observer:
    """One test's view of its server. Used from the test's main thread."""

    def __init__(self, server: Server, tenant: Tenant, others: list[Tenant]) -> None:
        self._server = server
        self._tenant = tenant
        self.others = others
        """More identities of the same test; the list may grow."""
        self._own: Any = None
        self.strangers: set[int] = set()
        """Connections of this test that belong to no pool."""

    def connections(
        self, right: Callable[[int], bool], besides: frozenset[int] = frozenset()
    ) -> int:
        """Count pool connections at the server, giving it time until `right` is content.

        `besides` are numbers of connections that are not to be counted.
        """
        return settle(lambda: len(self._seen() - besides), right)

    def own(self) -> Any:
        """Return the test's own connection, which no pool knows and no count includes."""
        if self._own is None:
            self._own = open_connection(self._tenant)
            self._own.autocommit(True)
            self.strangers.add(number_of(self._own))
        return self._own

    def forget(self) -> None:
        """In a forked child: leave the test's own connection to the parent."""
        self._own = None

    def lost_server(self) -> None:
        """Know of no connection any more: the server died, and will count anew."""
        self.close()
        self.strangers.clear()

    def close(self) -> None:
        """Close the test's own connection."""
        own, self._own = self._own, None
        if own is not None:
            own.close()

    def _seen(self) -> frozenset[int]:
        tenants = (self._tenant, *self.others)
        lists = (self._server.connection_ids(tenant) for tenant in tenants)
        return frozenset().union(*lists) - self.strangers


def settle(look: Callable[[], T], right: Callable[[T], bool]) -> T:
    """Return what is seen once it is right, or has been wrong for SETTLE seconds."""
    deadline = time.monotonic() + SETTLE
    pause = 0.0005
    while True:
        seen = look()
        if right(seen) or time.monotonic() >= deadline:
            return seen
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
