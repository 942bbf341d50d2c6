"""The errors of a test over its time: acquires, connects, releases and operations that failed.

An operation of a load whose acquire failed is one error, not two. Errors of one kind that are close
to each other are one mark with their number, so a test has few marks (`MOST_ERRORS`).
"""

from collections import Counter
from dataclasses import dataclass, field

from poolspec.invariants.log import Entry
from poolspec.invariants.marks import CONNECT_FAILED, OPERATION_FAILED, RELEASE_FAILED
from poolspec.vocabulary import EventKind
from poolspec.vocabulary.timeline import MOST_KINDS, MOST_LINES

NAMES = {
    EventKind.CHECKOUT_FAILED: "acquire",
    CONNECT_FAILED: "connect",
    RELEASE_FAILED: "release",
    OPERATION_FAILED: "operation",
}
OTHER = "other"


@dataclass(slots=True)
class Mark:
    """Errors of one kind in one pool, from the time of the first."""

    at: float
    pool: int
    error: str
    count: int = 0


@dataclass(slots=True)
class Errors:
    """Counts the errors between two times, in bounded memory."""

    began: float
    ended: float
    _marks: dict[tuple[int, int, str], Mark] = field(default_factory=dict)
    _kinds: Counter[tuple[int, str]] = field(default_factory=Counter)
    _failing: set[str] = field(default_factory=set)
    """Actors whose last acquire has failed."""

    def take(self, entry: Entry) -> None:
        """Follow an entry of the lab."""
        if entry.kind is EventKind.CHECKED_OUT:
            self._failing.discard(entry.actor)
        what = NAMES.get(entry.kind)
        if what is None or (entry.kind == OPERATION_FAILED and entry.actor in self._failing):
            return
        if entry.kind is EventKind.CHECKOUT_FAILED:
            self._failing.add(entry.actor)
        self._count(entry, f"{what}: {entry.detail}" if entry.detail else what)

    def _count(self, entry: Entry, error: str) -> None:
        if (entry.pool, error) not in self._kinds and len(self._kinds) >= MOST_KINDS:
            error = OTHER
        self._kinds[entry.pool, error] += 1
        key = (self._bin(entry.at), entry.pool, error)
        mark = self._marks.setdefault(key, Mark(entry.at, entry.pool, error))
        mark.count += 1

    def _bin(self, at: float) -> int:
        span = self.ended - self.began
        place = int((at - self.began) / span * MOST_LINES) if span > 0 else 0
        return min(place, MOST_LINES - 1)

    def marks(self) -> list[Mark]:
        """Return the marks in order of time."""
        return sorted(self._marks.values(), key=lambda mark: (mark.at, mark.pool, mark.error))
