"""What must hold in every test, whatever it is about.

Each invariant is a function from what was observed to the violations it found. The log tells what
happened, the connector which sockets were open, the pool what it says of itself, the server what it
sees.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from poolspec.invariants.log import Entry
from poolspec.vocabulary import Capability, EventKind, StatName

SUSPENDED, RESUMED = "suspended", "resumed"
"""What the lab logs around a suspension, in which idle connections may wait as well."""
NUMBERS_VOID = "numbers_void"
"""What the lab logs when the server dies, and before it starts again and numbers anew."""
CUT_SHORT = "cut_short"
"""What the lab logs after a round that was cut short; the next one has a pool made anew."""


@dataclass(frozen=True, slots=True)
class AtRest:
    """A pool after everything was given back, seen from three sides."""

    stats: Mapping[str, int]
    sockets: int
    """Connections open by the lab's own count."""
    peak: int
    """The most that were ever open at once, by the lab's own count."""
    at_server: int
    """Connections open by the server's count."""
    most_ever: int = 0
    """The largest limit the pool ever had, where it was resized."""


def violations_at_rest(seen: AtRest, may: frozenset[Capability]) -> Iterator[str]:
    """Check the counts of a pool that nobody uses any more."""
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
    told_by_pool = [entry for entry in entries if entry.by_pool]
    yield from _shared_connections(seen_by_lab)
    yield from _dirty_connections(seen_by_lab)
    yield from _idle_while_waiting(entries)
    if Capability.FAIR_QUEUE in may:
        for pool in sorted({entry.pool for entry in told_by_pool}):
            yield from _overtaken(
                entry
                for entry in entries
                if entry.kind == CUT_SHORT or (entry.by_pool and entry.pool == pool)
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
    queue: deque[int] = deque()
    name: dict[int, str] = {}
    for entry in entries:
        if entry.kind == CUT_SHORT:
            queue.clear()
        if entry.ticket is None:
            continue
        if entry.kind is EventKind.CHECKOUT_QUEUED:
            queue.append(entry.ticket)
            name[entry.ticket] = entry.actor
        elif entry.kind is EventKind.CHECKOUT_GRANTED and entry.ticket in name:
            if queue and queue[0] != entry.ticket:
                yield f"{name[entry.ticket]} was served before {name[queue[0]]}, who asked first"
            queue.remove(entry.ticket)
        elif entry.kind is EventKind.CHECKOUT_FAILED and entry.ticket in queue:
            queue.remove(entry.ticket)


def served(entries: Iterable[Entry]) -> list[str]:
    """Return the actors in the order in which they were given what they had queued for."""
    asked_by: dict[tuple[int, int], str] = {}
    order: list[str] = []
    for entry in entries:
        if entry.ticket is None or not entry.by_pool:
            continue
        if entry.kind is EventKind.CHECKOUT_QUEUED:
            asked_by[entry.pool, entry.ticket] = entry.actor
        elif entry.kind is EventKind.CHECKOUT_GRANTED:
            order.append(asked_by[entry.pool, entry.ticket])
    return order


def waiting(entries: Iterable[Entry]) -> list[str]:
    """Return the actors that are in a pool's queue now."""
    queue: dict[tuple[int, int], str] = {}
    for entry in entries:
        if entry.kind == CUT_SHORT:
            queue.clear()
        if entry.ticket is None or not entry.by_pool:
            continue
        if entry.kind is EventKind.CHECKOUT_QUEUED:
            queue[entry.pool, entry.ticket] = entry.actor
        elif entry.kind in (EventKind.CHECKOUT_GRANTED, EventKind.CHECKOUT_FAILED):
            queue.pop((entry.pool, entry.ticket), None)
    return list(queue.values())
