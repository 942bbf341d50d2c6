"""Deadlock: a test has stopped, and none of its actors can ever continue.

Judged when a test is given up, or when its clock finds that all wait without a deadline. Each rule
is sound: a release never waits for another borrower, so one that does not end is blocked by the
pool. If every connection is on loan to an actor that itself waits in an acquire, none is returned.
An event loop that one task blocks resumes no other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from poolspec.invariants.blocking import blocked_behind_connects
from poolspec.invariants.causes import causes
from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.log import MAIN, Entry
from poolspec.invariants.marks import LATE_RELEASE, RELEASE_FAILED, SOCKET_CLOSED, SOCKET_OPENED
from poolspec.invariants.stuck_report import stuck_report
from poolspec.vocabulary import EventKind

NOTHING_LEFT = "wait without a deadline"
"""Part of the text of a virtual clock's error when all wait and time cannot pass."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A test that has stopped."""

    entries: Sequence[Entry]
    releases: Sequence[Entry] = ()
    """The entries of releases that have not ended, for a test that was given up."""
    awaits: str = ""
    """What the main actor waits for; empty if for nothing."""
    blocker: str = ""
    """The actor that blocks the event loop."""
    is_certain: bool = False
    """Whether the clock has found that all wait, so no acquire is at work."""
    may_connect: bool = False
    """Whether an acquire may be waiting for the database."""


def findings_of_stop(stop: Stop) -> Iterator[Finding]:
    """Name the reason for which a test has stopped, if the log shows it."""
    blocked = list(blocked_behind_connects([*stop.entries, *stop.releases]))
    if blocked:
        yield from blocked
        return
    report = stuck_report(stop.entries, stop.awaits)
    asking = _asking(stop.entries)
    if stop.blocker:
        text = f"{stop.blocker} blocks the event loop, so no task can continue"
        yield Finding(Defect.DEADLOCK, _joined(text, report), _last_of(stop.blocker, stop.entries))
    elif stop.releases:
        names = ", ".join(sorted(entry.actor for entry in stop.releases))
        text = f"a release of {names} never ends"
        events = (*_began(stop), *list(asking.values())[:2])
        yield Finding(Defect.DEADLOCK, _joined(text, report), events)
    elif asking and not stop.may_connect:
        yield from _of_waiters(stop, asking, report)


def is_nothing_left(error: BaseException) -> bool:
    """Return whether an error says that all wait and time cannot pass."""
    return any(NOTHING_LEFT in str(cause) for cause in causes(error))


def stop_by_clock(entries: Sequence[Entry], error: BaseException) -> Stop:
    """Return how a test stood before its calls failed with an error of the clock."""
    names = {type(cause).__name__ for cause in causes(error) if NOTHING_LEFT in str(cause)}
    failed = [
        position
        for position, entry in enumerate(entries)
        if entry.kind in (EventKind.CHECKOUT_FAILED, RELEASE_FAILED)
        and not entry.by_pool
        and entry.detail in names
    ]
    releases = [entries[n] for n in failed if entries[n].kind == RELEASE_FAILED]
    return Stop(entries[: min(failed, default=len(entries))], releases, is_certain=True)


def _of_waiters(stop: Stop, asking: dict[str, Entry], report: str) -> Iterator[Finding]:
    on_loan = _on_loan(stop.entries)
    idle = _open(stop.entries) - len(on_loan)
    first = tuple(asking.values())[:2]
    waiting = {*asking, *([MAIN] if stop.awaits else [])}
    if stop.is_certain and (idle > 0 or not on_loan):
        seen = f"{idle} connections are idle" if idle > 0 else "no connection is on loan"
        yield Finding(Defect.LOST_WAKE_UP, f"{report}, although {seen}", first)
    elif on_loan and idle <= 0 and _holders(on_loan) <= waiting:
        loans = tuple(on_loan.values())[:2]
        text = "every connection is on loan to an actor that waits"
        yield Finding(Defect.DEADLOCK, _joined(text, report), (*loans, *first))


def _asking(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Return the acquires under way, by actor."""
    asking: dict[str, Entry] = {}
    for entry in entries:
        if entry.by_pool:
            continue
        if entry.kind is EventKind.CHECKOUT_STARTED:
            asking[entry.actor] = entry
        elif entry.kind in (EventKind.CHECKED_OUT, EventKind.CHECKOUT_FAILED):
            asking.pop(entry.actor, None)
    return asking


def _on_loan(entries: Sequence[Entry]) -> dict[int, Entry]:
    on_loan: dict[int, Entry] = {}
    for entry in entries:
        if entry.by_pool or entry.connection is None:
            continue
        if entry.kind is EventKind.CHECKED_OUT:
            on_loan[entry.connection] = entry
        elif entry.kind is EventKind.CHECKED_IN:
            on_loan.pop(entry.connection, None)
    return on_loan


def _holders(on_loan: dict[int, Entry]) -> set[str]:
    return {entry.actor for entry in on_loan.values()}


def _open(entries: Sequence[Entry]) -> int:
    opened = sum(entry.kind == SOCKET_OPENED for entry in entries)
    return opened - sum(entry.kind == SOCKET_CLOSED for entry in entries)


def _began(stop: Stop) -> list[Entry]:
    """Return where the releases that do not end have begun."""
    stuck = {entry.ticket for entry in stop.releases}
    return [
        entry
        for entry in stop.entries
        if entry.kind is EventKind.CHECKED_IN and not entry.by_pool and entry.ticket in stuck
    ][:2]


def _last_of(actor: str, entries: Sequence[Entry]) -> tuple[Entry, ...]:
    own = [entry for entry in entries if entry.actor == actor and entry.kind != LATE_RELEASE]
    return tuple(own[-1:])


def _joined(text: str, report: str) -> str:
    return f"{text}: {report}" if report else text
