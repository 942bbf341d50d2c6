"""Loans by the lab's own log: a connection has one borrower at a time, and is handed out clean.

The log has a connection on loan from the return of `acquire` to the call of `release`. This
interval lies within the true one, so two loans that overlap in the log did overlap. A connection
that connected again has another number, and is the same connection.
"""

from collections.abc import Iterable, Iterator

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import NUMBERS_VOID, SOCKET_REOPENED
from poolspec.vocabulary import EventKind


class Connections:
    """Which numbers at the server are those of one connection, as the log's entries show them."""

    def __init__(self) -> None:
        self._first: dict[int, int] = {}

    def of(self, entry: Entry) -> int | None:
        """Return the first number of an entry's connection. Takes all entries in order."""
        if entry.kind == NUMBERS_VOID:
            self._first.clear()
        if entry.connection is None:
            return None
        if entry.kind == SOCKET_REOPENED and entry.was is not None:
            self._first[entry.connection] = self._first.get(entry.was, entry.was)
        return self._first.get(entry.connection, entry.connection)


def two_holders(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Find connections that were on loan to two borrowers at once."""
    on_loan: dict[int, Entry] = {}
    connections = Connections()
    for entry in entries:
        if entry.kind == NUMBERS_VOID:
            on_loan.clear()
        connection = connections.of(entry)
        if connection is None:
            continue
        if entry.kind is EventKind.CHECKED_OUT:
            other = on_loan.get(connection)
            if other is not None:
                text = f"connection {entry.connection} went to {entry.actor}"
                events = (other, entry)
                yield Finding(Defect.TWO_HOLDERS, f"{text} while {other.actor} held it", events)
            on_loan[connection] = entry
        elif entry.kind is EventKind.CHECKED_IN:
            on_loan.pop(connection, None)


def dirty_hand_outs(entries: Iterable[Entry]) -> Iterator[Finding]:
    """Find connections that were handed out with the state of an earlier loan."""
    released: dict[int, Entry] = {}
    connections = Connections()
    for entry in entries:
        if entry.kind == NUMBERS_VOID:
            released.clear()
        connection = connections.of(entry)
        if connection is None:
            continue
        if entry.kind is EventKind.CHECKED_IN:
            released[connection] = entry
        elif entry.kind is EventKind.CHECKED_OUT and entry.detail:
            before = released.get(connection)
            events = (entry,) if before is None else (before, entry)
            text = f"connection {entry.connection} came to {entry.actor} with {entry.detail}"
            yield Finding(Defect.DIRTY_HAND_OUT, text, events)
