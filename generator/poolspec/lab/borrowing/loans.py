"""The connections of one pool that a test holds, and their entries in the event log."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import ErrorKind
from poolspec.witness.account import Account
from poolspec.witness.calls import RELEASE
from poolspec.witness.loans import Acquiring
from poolspec.witness.witness import Witness


class Held(Protocol):
    """A connection that an actor holds or held, in either concurrency mode."""

    number: int
    holder: str


H = TypeVar("H", bound=Held)


class Loans(Generic[H]):
    """What a test holds of one pool. Safe to use from any actor."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._lock = FreshLock()  # guards _held
        self._held: dict[int, H] = {}

    def begin(self, acquiring: Acquiring, held: H, left: str = "") -> H:
        """Note that the pool has handed out a connection, and what its last use left behind."""
        with self._lock:
            self._held[id(held)] = held
        acquiring.served(held.number, left)
        return held

    @contextmanager
    def ending(self, account: Account, held: H, *refusals: ErrorKind) -> Iterator[None]:
        """Note the release of a connection, which is still held if the pool refuses it."""
        with self._lock:
            known = self._held.pop(id(held), None) is not None
        if not known:
            with self._witness.calls.calling(RELEASE, account.pool):
                yield
            return
        with self._witness.releasing(account, held.number) as releasing:
            try:
                yield
            except Exception as error:
                if self._witness.kind_of(error) in refusals:
                    releasing.refused()
                    with self._lock:
                        self._held[id(held)] = held
                raise

    def all(self) -> list[H]:
        """Return the connections that are held."""
        with self._lock:
            return list(self._held.values())
