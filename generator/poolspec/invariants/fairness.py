"""Fairness, by the lab's own log: no acquire is served before a waiter that asked earlier.

The lab logs `waiting` when it sees that an acquire waits in the pool: the call has begun and has
not returned, its thread or task is blocked, and no connect is under way for it. An entry without a
detail is certain: at that moment nothing else of the pool was under way, so no connection was
assigned to the waiter yet.

**The proof of starvation** takes three observations, in this order of the log:

1. Acquire A of a pool waits, for certain.
2. Acquire B of the same pool begins after that, and is served.
3. A, still the same call, waits, for certain.

The pool served B between 2 and 3, and had not served A at 3, although A had asked before B began.
An adapter that logs a hand-out late cannot cause this: a waiter with a connection is not blocked.
A pool may take a waiter out of its queue, try a connection for it, fail, and queue it again; then
A was served first, in vain. Such an attempt closes or opens a socket, which the log has as an entry
of A's actor. So an entry of A's actor between 1 and 3 voids observation 1.

One pass over the log is enough: for each pool, the served acquire that began last overtakes every
waiter that was seen before it began.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import ROUNDS, SEEN_WAITING
from poolspec.vocabulary import EventKind

Acquire = tuple[int, int]
"""An acquire: the number of its pool and its own number there."""
ENDS = (EventKind.CHECKED_OUT, EventKind.CHECKOUT_FAILED)


@dataclass(frozen=True, slots=True)
class _Served:
    """An acquire that was served."""

    began_at: int
    """Position of its first entry in the log."""
    began: Entry
    served: Entry


@dataclass(slots=True)
class _Judge:
    """What one pass over the log has found so far."""

    began: dict[Acquire, tuple[int, Entry]] = field(default_factory=dict)
    waits: dict[Acquire, tuple[int, Entry]] = field(default_factory=dict)
    """The first certain sight of each waiter."""
    latest: dict[int, _Served] = field(default_factory=dict)
    """For each pool, the served acquire that began last."""
    call_of: dict[str, Acquire] = field(default_factory=dict)
    """The acquire that an actor is in."""

    def begin(self, position: int, entry: Entry, acquire: Acquire) -> None:
        self.began[acquire] = (position, entry)
        self.call_of[entry.actor] = acquire

    def end(self, entry: Entry, acquire: Acquire) -> None:
        self.waits.pop(acquire, None)
        self.call_of.pop(entry.actor, None)
        began = self.began.pop(acquire, None)
        if began is None or entry.kind is not EventKind.CHECKED_OUT:
            return
        before = self.latest.get(entry.pool)
        if before is None or began[0] > before.began_at:
            self.latest[entry.pool] = _Served(*began, entry)

    def see(self, position: int, entry: Entry, acquire: Acquire) -> Finding | None:
        """Note that a waiter was seen; return the finding if it was overtaken."""
        first, other = self.waits.get(acquire), self.latest.get(entry.pool)
        if first is None or other is None or other.began_at < first[0]:
            self.waits.setdefault(acquire, (position, entry))
            return None
        self.waits[acquire] = (position, entry)  # another acquire may overtake it too
        text = f"{other.served.actor} was served before {entry.actor}, which asked first"
        events = (first[1], other.began, other.served, entry)
        return Finding(Defect.STARVATION, text, events)

    def forget(self, actor: str) -> None:
        """Void the sight of an actor's waiting: its call did something."""
        acquire = self.call_of.get(actor)
        if acquire is not None:
            self.waits.pop(acquire, None)


def overtaken(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Find waiters that were overtaken by an acquire which began later."""
    judge = _Judge()
    for position, entry in enumerate(entries):
        if entry.by_pool:
            continue
        if entry.kind in ROUNDS:
            judge = _Judge()
        elif entry.ticket is None:
            judge.forget(entry.actor)
        elif entry.kind is EventKind.CHECKOUT_STARTED:
            judge.begin(position, entry, (entry.pool, entry.ticket))
        elif entry.kind in ENDS:
            judge.end(entry, (entry.pool, entry.ticket))
        elif entry.kind == SEEN_WAITING and not entry.detail:
            found = judge.see(position, entry, (entry.pool, entry.ticket))
            if found is not None:
                yield found


def served(entries: Iterable[Entry]) -> list[str]:
    """Return the actors of acquires that were seen waiting, in the order of their hand-outs."""
    seen: set[Acquire] = set()
    order = []
    for acquire, entry in _acquires(entries):
        if entry.kind == SEEN_WAITING:
            seen.add(acquire)
        elif entry.kind is EventKind.CHECKED_OUT and acquire in seen:
            order.append(entry.actor)
    return order


def waiting(entries: Iterable[Entry]) -> list[str]:
    """Return the actors that were seen waiting and have not been served since."""
    queue: dict[Acquire, str] = {}
    for acquire, entry in _acquires(entries):
        if entry.kind == SEEN_WAITING:
            queue.setdefault(acquire, entry.actor)
        elif entry.kind in ENDS:
            queue.pop(acquire, None)
    return list(queue.values())


def _acquires(entries: Iterable[Entry]) -> Iterator[tuple[Acquire, Entry]]:
    """Yield the lab's entries about acquires."""
    for entry in entries:
        if entry.ticket is not None and not entry.by_pool:
            yield (entry.pool, entry.ticket), entry
