"""Fairness, by the lab's own log: no acquire is served before a waiter that asked earlier.

The lab logs `waiting` when it sees that an acquire waits in the pool: the call has begun and has
not returned, its thread or task is blocked, and no connect is under way for it. An entry without a
detail is certain: at that moment nothing else of the pool was under way, so no connection was
assigned to the waiter yet.

**The proof of starvation** takes three observations, in this order of the log:

1. Acquire A of a pool waits, for certain.
2. Acquire B of the same pool begins after that, and is served.
3. A, still the same call, waits, for certain; or A is still under way when B is served, and as many
   connections as the pool may have are on loan to others.

The pool served B between 2 and 3, and had not served A at 3, although A had asked before B began.
An adapter that logs a hand-out late cannot cause this: a waiter with a connection is not blocked,
and its connection is on loan to no one else. A loan by the log lies within the true one.

A pool may take a waiter out of its queue, try a connection for it, fail, and queue it again; then
A was served first, in vain. Such an attempt opens or closes a socket, or its connect fails, which
the log has as an entry of A's actor. So an entry of A's actor between 1 and 3 voids observation 1.

One pass over the log is enough: for each pool, the served acquire that began last overtakes every
waiter that was seen before it began.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import NUMBERS_VOID, ROUNDS, SEEN_WAITING
from poolspec.vocabulary import EventKind

Acquire = tuple[int, int]
"""An acquire: the number of its pool and its own number there."""
Limits = Mapping[int, int]
"""The most connections that each pool may have had at any time.

Left out are pools without a limit, and those that were emptied: what is on loan then may no longer
count.
"""
NO_LIMITS: Limits = MappingProxyType({})
ENDS = (EventKind.CHECKED_OUT, EventKind.CHECKOUT_FAILED)


@dataclass(frozen=True, slots=True)
class _Served:
    """An acquire that was served."""

    began_at: int
    """Position of its first entry in the log."""
    began: Entry
    served: Entry

    def overtakes(self, waits: tuple[int, Entry], *after: Entry) -> Finding:
        """Return that it overtook a waiter, which `after` shows to wait afterwards."""
        text = f"{self.served.actor} was served before {waits[1].actor}, which asked first"
        return Finding(Defect.STARVATION, text, (waits[1], self.began, self.served, *after))


@dataclass(slots=True)
class _OfPool:
    """What one pass over the log has found of one pool so far."""

    limit: int
    began: dict[int, tuple[int, Entry]] = field(default_factory=dict)
    """The acquires under way, by their tickets, each with its position in the log."""
    waits: dict[int, tuple[int, Entry]] = field(default_factory=dict)
    """The certain sight of each waiter, the oldest first."""
    latest: _Served | None = None
    """The served acquire that began last."""
    on_loan: int = 0

    def end(self, ticket: int) -> tuple[int, Entry] | None:
        """Note that an acquire has ended; return its beginning."""
        self.waits.pop(ticket, None)
        return self.began.pop(ticket, None)

    def serve(self, entry: Entry, ticket: int) -> Iterator[Finding]:
        """Note a hand-out, and yield whom it overtook if all other connections are on loan."""
        began = self.end(ticket)
        self.on_loan += 1
        if began is None or (self.latest is not None and began[0] < self.latest.began_at):
            return
        self.latest = _Served(*began, entry)
        oldest = next(iter(self.waits), None)
        if self.on_loan != self.limit or oldest is None or self.waits[oldest][0] > began[0]:
            return
        yield self.latest.overtakes(self.waits.pop(oldest))

    def see(self, position: int, entry: Entry, ticket: int) -> Iterator[Finding]:
        """Note that a waiter was seen, and yield who overtook it."""
        first = self.waits.get(ticket)
        if first is None:
            self.waits[ticket] = (position, entry)
        elif self.latest is not None and self.latest.began_at > first[0]:
            yield self.latest.overtakes(self.waits.pop(ticket), entry)


class _Pass:
    """One pass over the log."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pools: dict[int, _OfPool] = {}
        self._call_of: dict[str, tuple[int, int]] = {}
        """The pool and the ticket of the acquire that an actor is in."""

    def take(self, position: int, entry: Entry) -> Iterator[Finding]:
        """Take the next entry of the lab."""
        if entry.kind in ROUNDS or entry.kind == NUMBERS_VOID:
            self._pools.clear()
        elif entry.ticket is None:
            self._void(entry.actor)
        elif entry.kind == SEEN_WAITING:
            if not entry.detail:
                yield from self._of(entry).see(position, entry, entry.ticket)
        elif entry.kind is EventKind.CHECKOUT_STARTED:
            self._of(entry).began[entry.ticket] = (position, entry)
            self._call_of[entry.actor] = (entry.pool, entry.ticket)
        elif entry.kind is EventKind.CHECKED_OUT:
            self._call_of.pop(entry.actor, None)
            yield from self._of(entry).serve(entry, entry.ticket)
        elif entry.kind is EventKind.CHECKOUT_FAILED:
            self._call_of.pop(entry.actor, None)
            self._of(entry).end(entry.ticket)
        elif entry.kind is EventKind.CHECKED_IN:
            self._of(entry).on_loan -= 1
        else:
            self._void(entry.actor)

    def _of(self, entry: Entry) -> _OfPool:
        if entry.pool not in self._pools:
            self._pools[entry.pool] = _OfPool(self._limits.get(entry.pool, 0))
        return self._pools[entry.pool]

    def _void(self, actor: str) -> None:
        """Void the sight of an actor's waiting: its call did something."""
        pool, ticket = self._call_of.get(actor, (0, 0))
        if pool in self._pools:
            self._pools[pool].waits.pop(ticket, None)


def overtaken(entries: Iterable[Entry], limits: Limits = NO_LIMITS) -> Iterator[Finding]:
    """Find waiters that were overtaken by an acquire which began later."""
    one = _Pass(limits)
    for position, entry in enumerate(entries):
        if not entry.by_pool:
            yield from one.take(position, entry)


def served(entries: Iterable[Entry]) -> list[str]:
    """Return the actors of acquires that waited, in the order of their hand-outs.

    An acquire waited if it was seen waiting, or if a connection was released before its hand-out.
    """
    under_way: set[Acquire] = set()
    waited: set[Acquire] = set()
    order = []
    for acquire, entry in _calls(entries):
        if entry.kind is EventKind.CHECKOUT_STARTED:
            under_way.add(acquire)
        elif entry.kind == SEEN_WAITING:
            waited.add(acquire)
        elif entry.kind is EventKind.CHECKED_IN:
            waited.update(one for one in under_way if one[0] == entry.pool)
            under_way -= waited
        elif entry.kind in ENDS:
            under_way.discard(acquire)
            if acquire in waited and entry.kind is EventKind.CHECKED_OUT:
                order.append(entry.actor)
    return order


def waiting(entries: Iterable[Entry]) -> list[str]:
    """Return the actors that were seen waiting and have not been served since."""
    queue: dict[Acquire, str] = {}
    for acquire, entry in _calls(entries):
        if entry.kind == SEEN_WAITING:
            queue.setdefault(acquire, entry.actor)
        elif entry.kind in ENDS:
            queue.pop(acquire, None)
    return list(queue.values())


def _calls(entries: Iterable[Entry]) -> Iterator[tuple[Acquire, Entry]]:
    """Yield the lab's entries about calls."""
    for entry in entries:
        if entry.ticket is not None and not entry.by_pool:
            yield (entry.pool, entry.ticket), entry
