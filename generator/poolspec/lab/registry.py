"""The pools of one test, each registered once, in either concurrency mode.

A pool that stops answering is left behind: the lab never calls it again and keeps a reference, so
that no finalizer of the pool runs and waits for a lock that is never released.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from poolspec.invariants.connection import Sockets
from poolspec.lab.contract import LoanSeen
from poolspec.lifecycle.locks import FreshLock
from poolspec.lifecycle.teardown import LEFT_BEHIND
from poolspec.witness.account import Account

__tracebackhide__ = True  # a failure is shown where the test failed


class Borrowed(Protocol):
    """A connection that a test holds or held."""

    raw: Any
    number: int


class PoolUnderTest(Protocol):
    """A pool under test, in either concurrency mode."""

    raw: Any
    account: Account
    is_over: bool
    is_default: bool
    """Whether it is the process-wide pool."""

    @property
    def sockets(self) -> Sockets:
        """The pool's connections by the lab's own count."""

    def stats(self) -> Mapping[str, int]:
        """Return the pool's own figures."""

    def loans(self) -> list[LoanSeen]:
        """Return the connections on loan by the pool's own account, the longest loan first."""

    def holders(self) -> list[str]:
        """Return the actors that hold a connection, once for each connection."""

    def numbers(self) -> list[int]:
        """Return the server's numbers of the connections that are held."""

    def asking(self) -> dict[int, str]:
        """Return the actors whose statements run, by the server's numbers of the connections."""


P = TypeVar("P", bound=PoolUnderTest)


class PoolRegistry(Generic[P]):
    """The pools of one test. Safe to use from any actor."""

    def __init__(self) -> None:
        self._lock = FreshLock()  # guards _pools: any actor may ask for the global pool
        self._pools: list[P] = []
        self.own: P | None = None
        """The test's own pool; None if its steps make all of them."""

    def __iter__(self) -> Iterator[P]:
        return iter(list(self._pools))

    def __len__(self) -> int:
        return len(self._pools)

    def meant(self, named: P | None = None) -> P:
        """Return the pool that is named, or else the test's own, or else its only one.

        Raises AssertionError if there is no such pool.
        """
        if found := named or self.own:
            return found
        if len(self._pools) != 1:
            raise AssertionError(f"this test has {len(self._pools)} pools, so which is meant?")
        return self._pools[0]

    def number(self, pool: P) -> int:
        """Return the number that the events and figures of a pool have; 0: the test's own."""
        return 0 if pool is self.own else pool.account.pool

    def register(self, raw: object, make: Callable[[], P]) -> P:
        """Return the pool registered for `raw`; make and register it if there is none."""
        with self._lock:
            for pool in self._pools:
                if pool.raw is raw:
                    return pool
            pool = make()
            self._pools.append(pool)
            return pool

    def holders(self, of: P | None = None) -> set[str]:
        """Return the actors that hold a connection of one pool, or of any."""
        pools = iter(self) if of is None else iter([of])
        return {actor for pool in pools for actor in pool.holders()}

    def asking(self) -> dict[int, str]:
        """Return the actors whose statements run, by the server's numbers of the connections."""
        return {number: actor for pool in self for number, actor in pool.asking().items()}

    def numbers(self) -> list[int]:
        """Return the server's numbers of all connections that are held."""
        return [number for pool in self for number in pool.numbers()]

    def answers(self, pool: P) -> bool:
        """Return whether a pool may still be called."""
        return not any(left is pool for left in LEFT_BEHIND)

    def leave_behind(self, pool: P) -> None:
        """Never call a pool again, and never let it be finalized."""
        LEFT_BEHIND.append(pool)
