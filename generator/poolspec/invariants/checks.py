"""The invariants that the log shows: what must hold in every test, in order of time.

Each invariant is a function that takes the log's entries and yields findings.
"""

from bisect import insort
from collections.abc import Iterable, Iterator, Sequence

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.holders import dirty_hand_outs, two_holders
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import RESUMED, ROUNDS, SUSPENDED
from poolspec.vocabulary import Capability, EventKind


def findings_in_log(entries: Sequence[Entry], may: frozenset[Capability]) -> Iterator[Finding]:
    """Check the order of events."""
    seen_by_lab = [entry for entry in entries if not entry.by_pool]
    from_pool = [entry for entry in entries if entry.by_pool]
    yield from two_holders(seen_by_lab)
    yield from dirty_hand_outs(seen_by_lab)
    yield from _idle_while_waiting(entries)
    if Capability.FAIR_QUEUE in may:
        for pool in sorted({entry.pool for entry in from_pool}):
            own = (e for e in entries if e.kind in ROUNDS or (e.by_pool and e.pool == pool))
            yield from _overtaken(list(own))


def _idle_while_waiting(entries: Iterable[Entry]) -> Iterator[Finding]:
    suspended = False
    for entry in entries:
        if entry.kind in (SUSPENDED, RESUMED):
            suspended = entry.kind == SUSPENDED
        figures = None if suspended else entry.figures
        if figures is not None and figures.idle > 0 and figures.waiting > 0:
            text = f"{figures.waiting} waiting while {figures.idle} idle"
            yield Finding(Defect.LOST_WAKE_UP, text, (entry,))


def _overtaken(entries: Sequence[Entry]) -> Iterator[Finding]:
    queue: list[int] = []
    name: dict[int, str] = {}
    started: dict[int, int] = {}
    asked: dict[int, int] = {}
    for position, entry in enumerate(entries):
        if entry.kind in ROUNDS:
            queue.clear()
        if entry.ticket is None:
            continue
        if entry.kind is EventKind.CHECKOUT_STARTED:
            started[entry.ticket] = position
        elif entry.kind is EventKind.CHECKOUT_QUEUED:  # perhaps after others that asked later
            asked[entry.ticket] = started.get(entry.ticket, position)
            insort(queue, entry.ticket, key=asked.__getitem__)
            name[entry.ticket] = entry.actor
        elif entry.kind is EventKind.CHECKOUT_GRANTED and entry.ticket in name:
            if queue and queue[0] != entry.ticket:
                text = f"{name[entry.ticket]} was served before {name[queue[0]]}"
                events = (entries[asked[queue[0]]], entries[asked[entry.ticket]], entry)
                yield Finding(Defect.STARVATION, f"{text}, which asked first", events)
            queue.remove(entry.ticket)
        elif entry.kind is EventKind.CHECKOUT_FAILED and entry.ticket in queue:
            queue.remove(entry.ticket)


def served(entries: Iterable[Entry]) -> list[str]:
    """Return the actors in the order in which their queued requests were granted.

    A request that joined the queue again counts when it was granted last.
    """
    asked_by: dict[tuple[int, int], str] = {}
    order: dict[tuple[int, int], str] = {}
    for entry in entries:
        if entry.ticket is None or not entry.by_pool:
            continue
        request = (entry.pool, entry.ticket)
        if entry.kind is EventKind.CHECKOUT_QUEUED:
            asked_by[request] = entry.actor
        elif entry.kind is EventKind.CHECKOUT_GRANTED:
            order.pop(request, None)
            order[request] = asked_by[request]
    return list(order.values())


def waiting(entries: Iterable[Entry]) -> list[str]:
    """Return the actors that are in a pool's queue now."""
    queue: dict[tuple[int, int], str] = {}
    for entry in entries:
        if entry.kind in ROUNDS:
            queue.clear()
        if entry.ticket is None or not entry.by_pool:
            continue
        if entry.kind is EventKind.CHECKOUT_QUEUED:
            queue[entry.pool, entry.ticket] = entry.actor
        elif entry.kind in (EventKind.CHECKOUT_GRANTED, EventKind.CHECKOUT_FAILED):
            queue.pop((entry.pool, entry.ticket), None)
    return list(queue.values())
