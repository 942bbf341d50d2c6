"""The invariants: what must hold in every test.

Each invariant is a function that takes observations and yields the violations in them. The event
log has what happened, the lab's own count the sockets, the pool its figures, the server its list.
"""

from bisect import insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from poolspec.invariants.log import Entry
from poolspec.vocabulary import Capability, EventKind, StatName

SUSPENDED, RESUMED = "suspended", "resumed"
"""Logged around a suspension, in which connections may be idle while actors wait."""
NUMBERS_VOID = "numbers_void"
"""Logged when the server dies, and before it restarts and numbers connections from the start."""
INTERRUPTED = "interrupted"
"""Logged after a round that was interrupted; the next round has a new pool."""
REENTERED = "re-entered"
"""Logged after a round whose pool was re-entered; the next round has a new pool."""
_ROUNDS = (INTERRUPTED, REENTERED)


@dataclass(frozen=True, slots=True)
class AtRest:
    """A pool after all connections were released, as seen from three sides."""

    stats: Mapping[str, int]
    sockets: int
    """Open connections by the lab's own count."""
    peak: int
    """The most that were ever open at once, by the lab's own count."""
    at_server: int
    """Open connections by the server's count."""
    most_ever: int = 0
    """The largest limit the pool ever had, where it was resized."""


def violations_at_rest(seen: AtRest, may: frozenset[Capability]) -> Iterator[str]:
    """Check the counts of a pool that is no longer in use."""
    if seen.sockets != seen.at_server:
        yield f"the server counts {seen.at_server} connections, the process has {seen.sockets} open"
    if Capability.STATISTICS in may:
        yield from _wrong_figures(seen)


def _wrong_figures(seen: AtRest) -> Iterator[str]:
    stats = {name: seen.stats[name] for name in StatName}
    acquired, released = stats[StatName.ACQUIRED], stats[StatName.RELEASED]
    total, most = stats[StatName.TOTAL_CONNECTIONS], stats[StatName.MAX_SIZE]
    if acquired != released:
        yield f"something leaked: {acquired} acquired, {released} released"
    if total != seen.at_server:
        yield f"the pool counts {total} connections, the server {seen.at_server}"
    allowed = max(most, seen.most_ever)
    if most >= 0 and seen.peak > allowed:
        yield f"the pool had {seen.peak} connections open at once and may have {allowed}"
    made = stats[StatName.CREATED] - stats[StatName.CLOSED]
    parts = stats[StatName.POOL_SIZE] + stats[StatName.IN_USE]
    if not made == total == parts:
        yield (
            f"connections are not conserved: created − closed = {made}, total = {total}, "
            f"idle + in use = {parts}"
        )
    yield from (
        f"{name} is negative: {n}" for name, n in stats.items() if n < 0 and name != "max_size"
    )


def violations_in_log(entries: Sequence[Entry], may: frozenset[Capability]) -> Iterator[str]:
    """Check the order of events."""
    seen_by_lab = [entry for entry in entries if not entry.by_pool]
    from_pool = [entry for entry in entries if entry.by_pool]
    yield from _shared_connections(seen_by_lab)
    yield from _dirty_connections(seen_by_lab)
    yield from _idle_while_waiting(entries)
    if Capability.FAIR_QUEUE in may:
        for pool in sorted({entry.pool for entry in from_pool}):
            yield from _overtaken(
                entry
                for entry in entries
                if entry.kind in _ROUNDS or (entry.by_pool and entry.pool == pool)
            )


def _shared_connections(entries: Iterable[Entry]) -> Iterator[str]:
    holder: dict[int, str] = {}
    for entry in entries:
        if entry.kind == NUMBERS_VOID:
            holder.clear()
        if entry.connection is None:
            continue
        if entry.kind is EventKind.CHECKED_OUT:
            other = holder.get(entry.connection)
            if other is not None:
                yield f"connection {entry.connection} went to {entry.actor} while {other} held it"
            holder[entry.connection] = entry.actor
        elif entry.kind is EventKind.CHECKED_IN:
            holder.pop(entry.connection, None)


def _dirty_connections(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        if entry.kind is EventKind.CHECKED_OUT and entry.detail:
            yield f"connection {entry.connection} came to {entry.actor} with {entry.detail}"


def _idle_while_waiting(entries: Iterable[Entry]) -> Iterator[str]:
    suspended = False
    for entry in entries:
        if entry.kind in (SUSPENDED, RESUMED):
            suspended = entry.kind == SUSPENDED
        figures = None if suspended else entry.figures
        if figures is not None and figures.idle > 0 and figures.waiting > 0:
            yield (
                f"at {entry.at:.6f}, after {entry.kind}: {figures.waiting} waiting "
                f"while {figures.idle} idle"
            )


def _overtaken(entries: Iterable[Entry]) -> Iterator[str]:
    queue: list[int] = []
    name: dict[int, str] = {}
    started: dict[int, int] = {}
    asked: dict[int, int] = {}
    for position, entry in enumerate(entries):
        if entry.kind in _ROUNDS:
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
                yield f"{name[entry.ticket]} was served before {name[queue[0]]}, which asked first"
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
        if entry.kind in _ROUNDS:
            queue.clear()
        if entry.ticket is None or not entry.by_pool:
            continue
        if entry.kind is EventKind.CHECKOUT_QUEUED:
            queue[entry.pool, entry.ticket] = entry.actor
        elif entry.kind in (EventKind.CHECKOUT_GRANTED, EventKind.CHECKOUT_FAILED):
            queue.pop((entry.pool, entry.ticket), None)
    return list(queue.values())
