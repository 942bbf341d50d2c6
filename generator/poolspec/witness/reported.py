"""Acquires that others than the lab make, such as a web application: seen by the pool's events."""

from poolspec.invariants.log import Entry
from poolspec.vocabulary import EventKind
from poolspec.witness.calls import ACQUIRE, PoolCall
from poolspec.witness.witness import Witness


class ReportedAcquires:
    """Turns the events of a pool that queues acquires into entries of the lab."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness
        self._queued: dict[int | None, PoolCall] = {}

    def take(self, entry: Entry, pool: int) -> None:
        """Take an event of the pool with this number."""
        if entry.kind is EventKind.CHECKOUT_QUEUED:
            call = self._witness.calls.begin(ACQUIRE, pool)
            self._queued[entry.ticket] = call
            self._witness.note(call, EventKind.CHECKOUT_STARTED)
            self._witness.see(call)
        elif entry.kind in (EventKind.CHECKOUT_GRANTED, EventKind.CHECKOUT_FAILED):
            ended = self._queued.pop(entry.ticket, None)
            if ended is not None:
                served = entry.kind is EventKind.CHECKOUT_GRANTED
                kind = EventKind.CHECKED_OUT if served else EventKind.CHECKOUT_FAILED
                self._witness.note(ended, kind)
                self._witness.calls.end(ended, served=served)
