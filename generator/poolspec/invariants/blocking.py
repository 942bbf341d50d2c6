"""Head-of-line blocking: a call waits for the slow connect of another call, which it does not need.

The lab logs the begin and the end of each connect that a fault delays, and each release that takes
some time. A release was blocked by a connect if it was under way while the connect was, for some
time, and ended when the connect ended, not before. The same holds for an acquire that could have
had an idle connection. Other faults that delay calls of the pool could explain the time as well:
while one is in force, nothing is judged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import (
    CONNECT_HELD,
    CONNECT_RESUMED,
    LATE_RELEASE,
    NUMBERS_VOID,
    RESUMED,
    ROUNDS,
    SOCKET_CLOSED,
    SOCKET_OPENED,
    SUSPENDED,
)
from poolspec.vocabulary import CALL_FAULTS, Call, EventKind, Manner

HEALED = "healed"
UNFINISHED = "has not ended"
"""The detail of a late release during which the test was given up."""
BLOCKED = 0.25
"""Seconds of the test's clock from which a call counts as blocked."""
_OTHER_DELAYS = frozenset(
    fault
    for fault, (call, manner) in CALL_FAULTS.items()
    if call is not Call.CONNECT and manner in (Manner.SLOW, Manner.HANGS)
)


@dataclass(slots=True)
class _Connect:
    """A connect that a fault delays."""

    began: Entry
    ended: Entry | None = None

    def blocked(self, began: Entry, ended: Entry, *, given_up: bool) -> bool:
        """Return whether a call waited until this connect of another call had ended."""
        if self.began.ticket == began.ticket:
            return False
        since = max(self.began.at, began.at)
        if self.ended is None:
            return given_up or ended.at - since >= BLOCKED
        return self.ended.at - since >= BLOCKED and 0 <= ended.at - self.ended.at < BLOCKED


class _Judge:
    """What one pass over the log has found so far about one pool."""

    def __init__(self) -> None:
        self._connects: list[_Connect] = []
        self._asking: set[int | None] = set()
        """The acquires under way, by ticket."""
        self._idle_for: dict[int | None, Entry] = {}
        """Those for which a connection was idle when they began, and has been since."""
        self._releases: dict[int | None, Entry] = {}
        self._open = self._on_loan = 0
        self._barred: set[str] = set()

    def take(self, entry: Entry) -> Iterator[Finding]:
        """Take the next entry about the pool."""
        match entry.kind:
            case EventKind.CHECKOUT_STARTED:
                self._ask(entry)
            case EventKind.CHECKED_OUT | EventKind.CHECKOUT_FAILED:
                yield from self._answer(entry)
            case EventKind.CHECKED_IN:
                self._on_loan -= 1
                self._releases[entry.ticket] = entry
            case _ if entry.kind == LATE_RELEASE:
                yield from self._late(entry)
            case _:
                self._note(entry)

    def _note(self, entry: Entry) -> None:
        if entry.kind == CONNECT_HELD:
            self._connects.append(_Connect(entry))
            self._idle_for.pop(entry.ticket, None)
        elif entry.kind == CONNECT_RESUMED:
            for connect in self._connects:
                if connect.ended is None and connect.began.ticket == entry.ticket:
                    connect.ended = entry
        elif entry.kind == SOCKET_OPENED:
            self._open += 1
        elif entry.kind == SOCKET_CLOSED:
            self._open -= 1
            self._idle_for.clear()  # the idle connection may be gone
        elif entry.kind == SUSPENDED or entry.detail in _OTHER_DELAYS:
            self._bar(entry)
        elif entry.kind == RESUMED:
            self._barred.discard("")

    def _bar(self, entry: Entry) -> None:
        if entry.kind == HEALED:
            self._barred.discard(entry.detail)
        else:
            self._barred.add(entry.detail)

    def _ask(self, entry: Entry) -> None:
        held = {c.began.ticket for c in self._connects if c.ended is None}
        others = self._asking - held
        if held and self._open - self._on_loan > len(others):
            self._idle_for[entry.ticket] = entry
        self._asking.add(entry.ticket)

    def _answer(self, entry: Entry) -> Iterator[Finding]:
        self._asking.discard(entry.ticket)
        self._on_loan += entry.kind is EventKind.CHECKED_OUT
        began = self._idle_for.pop(entry.ticket, None)
        if began is not None:
            text = f"an acquire of {entry.actor} waited although a connection was idle"
            yield from self._blocked(text, began, entry)

    def _late(self, entry: Entry) -> Iterator[Finding]:
        began = self._releases.get(entry.ticket)
        if began is not None:
            yield from self._blocked(f"a release of {entry.actor} waited", began, entry)

    def _blocked(self, text: str, began: Entry, ended: Entry) -> Iterator[Finding]:
        given_up = ended.detail == UNFINISHED
        blocking = [c for c in self._connects if c.blocked(began, ended, given_up=given_up)]
        if blocking and not self._barred:
            connect = blocking[0]
            text = f"{text} for the slow connect of {connect.began.actor}"
            events = (connect.began, began, *([connect.ended] if connect.ended else []), ended)
            yield Finding(Defect.HEAD_OF_LINE_BLOCKING, text, events)


def blocked_behind_connects(entries: Sequence[Entry]) -> Iterator[Finding]:
    """Find releases and acquires that waited for the slow connect of another call."""
    for pool in sorted({entry.pool for entry in entries if entry.kind == CONNECT_HELD}):
        judge = _Judge()
        for entry in entries:
            if entry.by_pool or entry.pool not in (pool, 0):
                continue
            if entry.kind in (*ROUNDS, NUMBERS_VOID):
                judge = _Judge()
            else:
                yield from judge.take(entry)
