"""The figures of a pool at each moment, as the entries of the log change them.

| figure | is the number of |
|---|---|
| in use | open connections that are on loan: from the return of `acquire` to `release` |
| idle | the other open connections, also while the pool prepares or resets them |
| pending | connects under way that the pool makes through the lab |
| waiting | acquires under way that the lab saw waiting, or that have taken `BRIEF` already |

An acquire that connects does not wait. A loan whose socket is closed is not in use, so `in_use` and
`idle` together are the open sockets at any moment. A web application borrows without the lab; the
pool's own events count its loans.
"""

from collections.abc import Callable, Iterator

from poolspec.invariants.log import Entry
from poolspec.invariants.marks import (
    CONNECT_FAILED,
    CONNECT_HELD,
    CONNECT_STARTED,
    SEEN_WAITING,
    SOCKET_CLOSED,
    SOCKET_OPENED,
    SOCKET_REOPENED,
)
from poolspec.vocabulary import EventKind
from poolspec.vocabulary.timeline import BRIEF

Key = tuple[int, int]
"""A connection: how often the server's numbers were void before it, and its number."""
Figures = tuple[int, int, int, int]
"""Values in the order of `Series`, or of `Total`."""
NOTHING: Figures = (0, 0, 0, 0)


class Sizes:
    """The figures of one pool. Takes the entries about it in the order of the log."""

    def __init__(self, brief: float = BRIEF) -> None:
        self._brief = brief
        self._open: set[Key] = set()
        self._on_loan: set[Key] = set()
        self._in_use = 0
        """How many connections are in both."""
        self._first: dict[Key, Key] = {}
        """The first key of each connection that has connected again."""
        self._voids = 0
        self._pending = 0
        self._under_way: set[int] = set()
        """The tickets of the acquires that have begun and have not returned."""
        self._asking: dict[int, float] = {}
        """When each acquire that may count as waiting soon has begun, the oldest first."""
        self._waiting: set[int] = set()
        self._reported = 0
        """Loans of a web application."""
        self._acquired = self._released = self._opened = self._closed = 0
        self._takes: dict[str, Callable[[Entry], None]] = {
            EventKind.CHECKOUT_STARTED: self._begins,
            EventKind.CHECKED_OUT: self._borrows,
            EventKind.CHECKOUT_FAILED: self._ends,
            EventKind.CHECKED_IN: self._returns,
            SEEN_WAITING: self._waits,
            CONNECT_STARTED: self._connects,
            CONNECT_HELD: self._connects,
            CONNECT_FAILED: self._fails_to_connect,
            SOCKET_OPENED: self._opens,
            SOCKET_CLOSED: self._closes,
            SOCKET_REOPENED: self._reopens,
        }

    def figures(self) -> Figures:
        """Return the figures now."""
        size = len(self._open)
        in_use = min(size, self._in_use + max(0, self._reported))
        return in_use, size - in_use, self._pending, len(self._waiting)

    def totals(self) -> Figures:
        """Return what was counted so far."""
        return self._acquired, self._released, self._opened, self._closed

    def take(self, entry: Entry) -> bool:
        """Follow an entry of the lab; return whether it may have changed a figure."""
        taken = self._takes.get(entry.kind)
        if taken is None:
            return False
        taken(entry)
        return entry.kind is not EventKind.CHECKOUT_STARTED

    def take_reported(self, entry: Entry) -> bool:
        """Follow an event of a pool that others use too; return whether it changed a figure."""
        if entry.kind not in (EventKind.CHECKED_OUT, EventKind.CHECKED_IN):
            return False
        if entry.kind is EventKind.CHECKED_OUT:
            self._acquired += 1
            self._reported += 1
        else:
            self._released += 1
            self._reported -= 1
        return True

    def void(self) -> None:
        """Follow that the server numbers its connections from the start."""
        self._voids += 1

    def until(self, now: float) -> Iterator[float]:
        """Yield each time up to `now` from which one more acquire counts as waiting."""
        while self._asking:
            ticket, began = next(iter(self._asking.items()))
            if began + self._brief > now:
                return
            del self._asking[ticket]
            self._waiting.add(ticket)
            yield began + self._brief

    # --- acquires --------------------------------------------------------------------------------

    def _begins(self, entry: Entry) -> None:
        if entry.ticket is not None:
            self._under_way.add(entry.ticket)
            self._asking[entry.ticket] = entry.at

    def _waits(self, entry: Entry) -> None:
        if entry.ticket in self._under_way:
            self._asking.pop(entry.ticket, None)
            self._waiting.add(entry.ticket)

    def _waits_no_more(self, entry: Entry) -> None:
        if entry.ticket is not None:
            self._asking.pop(entry.ticket, None)
            self._waiting.discard(entry.ticket)

    def _ends(self, entry: Entry) -> None:
        self._waits_no_more(entry)
        if entry.ticket is not None:
            self._under_way.discard(entry.ticket)

    def _connects(self, entry: Entry) -> None:
        self._pending += 1
        self._waits_no_more(entry)

    def _fails_to_connect(self, entry: Entry) -> None:
        self._pending = max(0, self._pending - 1)
        if entry.ticket in self._under_way:  # it waits from now on, or connects again
            self._asking[entry.ticket] = entry.at

    # --- connections -----------------------------------------------------------------------------

    def _borrows(self, entry: Entry) -> None:
        self._ends(entry)
        if entry.connection is not None:
            self._acquired += 1
            key = self._key(entry.connection, self._open, newest=True)
            self._in_use += key in self._open and key not in self._on_loan
            self._on_loan.add(key)

    def _returns(self, entry: Entry) -> None:
        self._released += 1
        if entry.connection is not None:
            key = self._key(entry.connection, self._on_loan)
            self._in_use -= key in self._open and key in self._on_loan
            self._on_loan.discard(key)

    def _opens(self, entry: Entry) -> None:
        self._opened += 1
        self._pending = max(0, self._pending - 1)
        if entry.connection is not None:
            key = (self._voids, entry.connection)
            self._first.pop(key, None)
            self._add(key)

    def _closes(self, entry: Entry) -> None:
        self._closed += 1
        if entry.connection is not None:
            key = self._key(entry.connection, self._open)
            self._in_use -= key in self._open and key in self._on_loan
            self._open.discard(key)

    def _reopens(self, entry: Entry) -> None:
        self._opened += 1
        if entry.connection is not None and entry.was is not None:
            first = self._key(entry.was, self._on_loan)
            self._first[(self._voids, entry.connection)] = first
            self._add(first)

    def _add(self, key: Key) -> None:
        self._in_use += key in self._on_loan and key not in self._open
        self._open.add(key)

    def _key(self, number: int, known: set[Key], *, newest: bool = False) -> Key:
        """Return the key of a connection with a number among those that are known.

        A server that was restarted gives the numbers of dead connections again. The pool hands out
        the newest connection with a number, and closes the oldest first.
        """
        ages = range(self._voids + 1)
        for voids in reversed(ages) if newest else ages:
            key = self._first.get((voids, number), (voids, number))
            if key in known:
                return key
        key = (self._voids, number)
        return self._first.get(key, key)
