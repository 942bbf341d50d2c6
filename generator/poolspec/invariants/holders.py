"""Loans by the lab's own log: a connection has one borrower at a time, and is handed out clean.

The log has a connection on loan from the return of `acquire` to the call of `release`. This
interval lies within the true one, so two loans that overlap in the log did overlap.
"""

from collections.abc import Iterable, Iterator

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import NUMBERS_VOID
from poolspec.vocabulary import EventKind


def two_holders(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Find connections that were on loan to two borrowers at once."""
    on_loan: dict[int, Entry] = {}
    for entry in entries:
        if entry.kind == NUMBERS_VOID:
            on_loan.clear()
        if entry.connection is None:
            continue
        if entry.kind is EventKind.CHECKED_OUT:
            other = on_loan.get(entry.connection)
            if other is not None:
                text = f"connection {entry.connection} went to {entry.actor}"
                events = (other, entry)
                yield Finding(Defect.TWO_HOLDERS, f"{text} while {other.actor} held it", events)
            on_loan[entry.connection] = entry
        elif entry.kind is EventKind.CHECKED_IN:
            on_loan.pop(entry.connection, None)


def dirty_hand_outs(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Find connections that were handed out with the state of an earlier loan."""
    released: dict[int, Entry] = {}
    for entry in entries:
        if entry.kind == NUMBERS_VOID:
            released.clear()
        if entry.connection is None:
            continue
        if entry.kind is EventKind.CHECKED_IN:
            released[entry.connection] = entry
        elif entry.kind is EventKind.CHECKED_OUT and entry.detail:
            before = released.get(entry.connection)
            events = (entry,) if before is None else (before, entry)
            text = f"connection {entry.connection} came to {entry.actor} with {entry.detail}"
            yield Finding(Defect.DIRTY_HAND_OUT, text, events)
