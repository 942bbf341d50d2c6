"""Removes idle connections, and finds the position of one that becomes idle again."""

from collections import deque
from collections.abc import Collection

from steadypool._core.entries import UNNUMBERED, PoolEntry
from steadypool._core.settings import Order
from steadypool._core.state import State
from steadypool.events import CloseReason


def remove_idle(
    state: State, entries: list[PoolEntry], reason: CloseReason | None, owned: list[PoolEntry]
) -> None:
    """Turn idle connections into reservations of the caller, which closes or checks them.

    The caller holds the pool's lock. `owned` receives them last, between plain assignments.
    """
    count = len(entries)
    removed = set(map(id, entries))
    remaining = deque(entry for entry in state.idle if id(entry) not in removed)
    for entry in entries:
        entry.reason = reason
        entry.returning = UNNUMBERED
    state.idle = remaining
    state.pending += count
    owned += entries


def position_of(entry: PoolEntry, idle: Collection[PoolEntry], order: Order) -> int:
    """Return the position of a connection by its last use, as close as possible to its old one."""
    others = [other.since for other in idle]
    if order is Order.LIFO:
        first = sum(since < entry.since for since in others)
    else:
        first = sum(since > entry.since for since in others)
    return min(max(entry.position or 0, first), first + others.count(entry.since))
