"""A test's view of its connections from the server's side.

A server notices that a client has closed a connection a moment later. So the observer reads a count
that is wrong again for a short time before it believes it.
"""

import time
from collections.abc import Callable, Iterable
from typing import TypeVar

from poolspec.servers import OwnConnection, PrivateServer, Server, Tenant

T = TypeVar("T")

SETTLE = 2.0
"""Real seconds that the server has to notice a change."""


class Observer:
    """One test's view of its server. Used from the test's main thread."""

    def __init__(self, server: Server, tenant: Tenant, others: list[Tenant]) -> None:
        self._server = server
        self._tenant = tenant
        self.others = others
        """More identities of the same test; the list may grow."""
        self._own: OwnConnection | None = None
        self.strangers: set[int] = set()
        """Numbers of this test's connections that belong to no pool."""
        self.has_killed = False
        """The test has killed connections; a pool need not have noticed it yet."""
        self.ended: Callable[[Iterable[int] | None], None] = lambda _: None
        """Takes the numbers of connections that the server ends now; None: of all."""

    def server_process(self) -> int | None:
        """Return the process id of a private server, which runs on this machine; else None."""
        return self._server.pid if isinstance(self._server, PrivateServer) else None

    def connections(
        self,
        right: Callable[[int], bool],
        besides: frozenset[int] = frozenset(),
        *,
        once: bool = False,
    ) -> int:
        """Count pool connections at the server, waiting a short time for a count that is `right`.

        `besides` are the numbers of connections that do not count. With `once` it does not wait.
        """
        return settle(lambda: len(self._seen() - besides), right, once=once)

    def own(self) -> OwnConnection:
        """Return the test's own connection, which belongs to no pool and no count includes."""
        if self._own is None:
            self._own = self._server.connect(self._tenant)
            self.strangers |= self._own.numbers
        return self._own

    def forget(self) -> None:
        """In a forked child: leave the test's own connection to the parent."""
        self._own = None

    def lost_server(self, gone: frozenset[int] | None) -> None:
        """Forget the connections that died with their server, which will number from the start.

        `gone` are those that another server does not have; None: all.
        """
        self.close()
        self.strangers = set() if gone is None else self.strangers - gone

    def close(self) -> None:
        """Close the test's own connection."""
        own, self._own = self._own, None
        if own is not None:
            own.close()

    def _seen(self) -> frozenset[int]:
        tenants = (self._tenant, *self.others)
        lists = (self._server.connection_ids(tenant) for tenant in tenants)
        return frozenset().union(*lists) - self.strangers


def settle(
    look: Callable[[], T],
    right: Callable[[T], bool],
    *,
    once: bool = False,
    within: float = SETTLE,
) -> T:
    """Return the value of `look()` once it is right, or after `within` real seconds.

    With `once` it does not wait.
    """
    deadline = time.monotonic() + (0.0 if once else within)
    pause = 0.0005
    while True:
        seen = look()
        if right(seen) or time.monotonic() >= deadline:
            return seen
        time.sleep(pause)
        pause = min(pause * 2, 0.02)
