"""The connections of one pool that a test holds, and their entries in the event log."""

from typing import Generic, Protocol, TypeVar

from poolspec.invariants.log import Log
from poolspec.lifecycle.locks import FreshLock
from poolspec.vocabulary import EventKind


class Held(Protocol):
    """A connection that an actor holds or held, in either concurrency mode."""

    number: int
    holder: str


H = TypeVar("H", bound=Held)


class Loans(Generic[H]):
    """What a test holds of one pool. Safe to use from any actor."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = FreshLock()  # guards _held
        self._held: dict[int, H] = {}

    def begin(self, held: H, left: str = "") -> H:
        """Log that the pool has handed out a connection, and what its last use left behind."""
        with self._lock:
            self._held[id(held)] = held
        self._log.add(EventKind.CHECKED_OUT, connection=held.number, detail=left)
        return held

    def end(self, held: H) -> None:
        """Log that a connection is about to be released. A second release is no event."""
        with self._lock:
            known = self._held.pop(id(held), None)
        if known is not None:
            self._log.add(EventKind.CHECKED_IN, connection=held.number)

    def all(self) -> list[H]:
        """Return the connections that are held."""
        with self._lock:
            return list(self._held.values())
