"""The invariants that the log shows: what must hold in every test, in order of time.

Each invariant is a function that takes the log's entries and yields findings.
"""

from collections.abc import Iterable, Iterator, Sequence

from poolspec.invariants.blocking import blocked_behind_connects
from poolspec.invariants.defects import Defect, Finding
from poolspec.invariants.fairness import NO_LIMITS, Limits, overtaken
from poolspec.invariants.holders import dirty_hand_outs, two_holders
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import RESUMED, SUSPENDED
from poolspec.vocabulary import Capability


def findings_in_log(
    entries: Sequence[Entry], may: frozenset[Capability], limits: Limits = NO_LIMITS
) -> Iterator[Finding]:
    """Check the order of events; `limits` are those of the pools, by their numbers."""
    seen_by_lab = [entry for entry in entries if not entry.by_pool]
    yield from two_holders(seen_by_lab)
    yield from dirty_hand_outs(seen_by_lab)
    yield from blocked_behind_connects(seen_by_lab)
    yield from _idle_while_waiting(entries)
    if Capability.FAIR_QUEUE in may:
        yield from overtaken(seen_by_lab, limits)


def _idle_while_waiting(entries: Iterable[Entry]) -> Iterator[Finding]:
    suspended = False
    for entry in entries:
        if entry.kind in (SUSPENDED, RESUMED):
            suspended = entry.kind == SUSPENDED
        figures = None if suspended else entry.figures
        if figures is not None and figures.idle > 0 and figures.waiting > 0:
            text = f"{figures.waiting} waiting while {figures.idle} idle"
            yield Finding(Defect.LOST_WAKE_UP, text, (entry,))
