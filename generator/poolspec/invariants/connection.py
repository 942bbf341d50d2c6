"""The lab's own account of which physical connections are open.

A pool under test opens its connections through the lab, which sees each socket open and close. So
the lab's count does not depend on what the pool reports.

A connection that its pool or its driver connects again is one connection with two sockets, one
after the other. Its number at the server changes.

The account keeps no connection alive: if a pool drops one, the driver's finalizer closes its socket
as it does in a program, and the connection counts as closed.
"""

import gc
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from poolspec.drivers.contract import Make
from poolspec.drivers.weak import Reference, weakly
from poolspec.invariants.marks import SOCKET_CLOSED, SOCKET_OPENED, SOCKET_REOPENED
from poolspec.lifecycle.locks import FreshLock


class Tell(Protocol):
    """Logs what happened to a socket."""

    def __call__(self, kind: str, number: int, was: int | None = None) -> None:
        """Log it with the connection's number at the server, and the one that it had before."""


class Peak:
    """The most connections of all pools of a test that were open at once."""

    most = 0

    def __init__(self) -> None:
        self.pools: list[Sockets] = []

    def look(self) -> None:
        """Note how many are open. A pool whose lock is held calls it, so it takes no lock."""
        self.most = max(self.most, sum(pool.number_open for pool in self.pools))


class Sockets:
    """The physical connections of one pool that are open. Safe to use from any thread."""

    def __init__(self, tell: Tell, all_pools: Peak | None = None) -> None:
        self._tell = tell
        self._all_pools = all_pools or Peak()
        self._all_pools.pools.append(self)
        self._lock = FreshLock()
        self._open: dict[int, tuple[int, Reference]] = {}
        self._numbers: dict[int, int] = {}
        """The last number of each connection, by its identity."""
        self.created = self.closed = 0
        """How many connections were opened, and closed for good, so far."""
        self._ended: set[int] = set()
        """The identities of open connections that the server has ended for the test."""
        self.peak = 0
        """The most connections that were open at once, at both ends."""
        self.makes: set[Make] = set()
        """The kinds of its connections."""

    def opened(self, number: int, connection: Any, make: Make) -> bool:
        """Note that a connection was opened; return False if it was noted before."""
        with self._lock:
            if id(connection) in self._open:
                return False
            self.created += 1
            self._note(number, connection, make)
        self._tell(SOCKET_OPENED, number)
        return True

    def reopened(self, number: int, connection: Any, make: Make) -> None:
        """Note that a connection has another socket; its old one is closed."""
        self.gone(connection)
        with self._lock:
            was = self._numbers.get(id(connection))
            self.closed -= 1
            self._note(number, connection, make)
        self._tell(SOCKET_REOPENED, number, was)

    def _note(self, number: int, connection: Any, make: Make) -> None:
        """Note an open socket; the lock is held."""
        reference = weakly(connection, partial(self._gone, id(connection)))
        self._open[id(connection)] = (number, reference)
        self._numbers[id(connection)] = number
        self.makes.add(make)
        self._ended.discard(id(connection))
        self.peak = max(self.peak, self.number_open)
        self._all_pools.look()

    @property
    def number_open(self) -> int:
        """The number that are open at both ends."""
        return len(self._open) - len(self._ended)

    def gone(self, connection: Any) -> None:
        """Note that a connection's socket is closed; only the first call has an effect."""
        self._gone(id(connection))

    def end_of(self, connection: Any) -> Callable[[], None]:
        """Return a function that notes that a connection's socket is closed.

        It does not keep the connection alive.
        """
        return partial(self._gone, id(connection))

    def _gone(self, identity: int, _: object = None) -> None:
        with self._lock:
            known = self._open.pop(identity, None)
            self._ended.discard(identity)
            self.closed += known is not None
        if known is not None:
            self._tell(SOCKET_CLOSED, known[0])

    def ended(self, numbers: Iterable[int] | None) -> None:
        """Note that the server ends the connections with these numbers; None: all."""
        with self._lock:
            self._ended |= {
                identity
                for identity, (number, _) in self._copy().items()
                if numbers is None or number in numbers
            }

    def open(self) -> dict[int, Any]:
        """Return the connections that are open now, by their identities.

        The server's numbers would not do: a server that was restarted numbers from the start.
        """
        with self._lock:
            found = {identity: get() for identity, (_, get) in self._copy().items()}
        return {identity: one for identity, one in found.items() if one is not None}

    def _copy(self) -> dict[int, tuple[int, Reference]]:
        """Copy the open connections: one may be collected while another is looked at."""
        return self._open.copy()

    def left(self) -> int:
        """Return how many are open, and not about to be collected."""
        if self._open:
            gc.collect()
        return len(self._open)

    def numbered(self) -> list[tuple[int, Any]]:
        """Return the connections that are open now, each with its number at the server."""
        with self._lock:
            found = [(number, get()) for number, get in self._copy().values()]
        return [(number, one) for number, one in found if one is not None]

    def numbers(self) -> frozenset[int]:
        """Return the server's numbers of the connections that are open now."""
        with self._lock:
            return frozenset(number for number, _ in self._copy().values())
