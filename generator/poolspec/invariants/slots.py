"""Slots of a pool at rest: it must be able to hand out as many connections as its limit allows.

A pool that cannot has lost slots, or leaks connections. The log decides which: an acquire that
failed or was interrupted may have kept its slot. If there was none, the connections that were
released are never handed out again.
"""

from collections.abc import Iterable, Sequence

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import INTERRUPTED, REENTERED, RESUMED, SUSPENDED
from poolspec.vocabulary import SILENCES, EventKind

MOST, MOST_IN_A_ROUND = 20, 5
"""The most connections that are borrowed to count slots, after a test and after one round."""
OF_UNLIMITED = 5
"""The connections that are borrowed from a pool without a limit."""
CANCELLED, FAULT, CLOSED = "actor_cancelled", "fault", "socket_closed"
_RISKS = (CANCELLED, FAULT, CLOSED, INTERRUPTED, REENTERED)


def may_have_lost_slots(entries: Iterable[Entry]) -> bool:
    """Return whether something happened at which pools lose slots.

    An acquire has failed, an actor was cancelled, a call was interrupted, a fault was set, or a
    connection was closed.
    """
    return any(_is_risk(entry) for entry in entries if not entry.by_pool)


def is_barred(entries: Iterable[Entry]) -> bool:
    """Return whether the pool is suspended, or some of its connections are silenced."""
    barred = False
    for entry in entries:
        if entry.kind in (SUSPENDED, RESUMED):
            barred = entry.kind == SUSPENDED
        elif entry.kind == FAULT and entry.detail in SILENCES:
            return True
    return barred


def missing_slots(served: int, limit: int, entries: Sequence[Entry]) -> Finding:
    """Name what a pool has lost that hands out fewer connections than its limit."""
    text = f"the pool hands out {served} of {limit} connections"
    cause = _cause(entries, limit)
    if cause is not None:
        return Finding(Defect.LOST_SLOT, text, (cause,))
    released = [e for e in entries if e.kind is EventKind.CHECKED_IN and not e.by_pool]
    return Finding(Defect.LEAK, f"{text} after all were released", tuple(released[-2:]))


def _cause(entries: Iterable[Entry], limit: int) -> Entry | None:
    """Return the first event at which a pool may have lost a slot; None if there is none."""
    on_loan = 0
    for entry in entries:
        if entry.by_pool:
            continue
        if entry.kind is EventKind.CHECKED_OUT:
            on_loan += 1
        elif entry.kind is EventKind.CHECKED_IN:
            on_loan -= 1
        elif _is_risk(entry) and not (on_loan < limit and _is_timeout(entry)):
            return entry  # a timeout while there was room is a consequence
    return None


def _is_risk(entry: Entry) -> bool:
    return entry.kind is EventKind.CHECKOUT_FAILED or entry.kind in _RISKS


def _is_timeout(entry: Entry) -> bool:
    return entry.kind is EventKind.CHECKOUT_FAILED and "timeout" in entry.detail.lower()
