"""The connections of one pool that a test holds, and their entries in the event log."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from poolspec.invariants.log import Log
from poolspec.lab.kinds import Explaining, kind_of
from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import ErrorKind, EventKind


class Held(Protocol):
    """A connection that an actor holds or held, in either concurrency mode."""

    number: int
    holder: str


H = TypeVar("H", bound=Held)


class Loans(Generic[H]):
    """What a test holds of one pool. Safe to use from any actor."""

    def __init__(self, log: Log, adapter: Explaining) -> None:
        self._log = log
        self._adapter = adapter
        self._lock = FreshLock()  # guards _held
        self._held: dict[int, H] = {}

    def begin(self, held: H, left: str = "") -> H:
        """Log that the pool has handed out a connection, and what its last use left behind."""
        with self._lock:
            self._held[id(held)] = held
        self._log.add(EventKind.CHECKED_OUT, connection=held.number, detail=left)
        return held

    def end(self, held: H) -> bool:
        """Log that a connection is about to be released. Return False if it is not held."""
        with self._lock:
            known = self._held.pop(id(held), None) is not None
        if known:
            self._log.add(EventKind.CHECKED_IN, connection=held.number)
        return known

    @contextmanager
    def ending(self, held: H, *refusals: ErrorKind) -> Iterator[None]:
        """Log the release of a connection, which is still held if the pool refuses it."""
        known = self.end(held)
        try:
            yield
        except Exception as error:
            if known and kind_of(self._adapter, error) in refusals:
                self.begin(held)
            raise

    def all(self) -> list[H]:
        """Return the connections that are held."""
        with self._lock:
            return list(self._held.values())
