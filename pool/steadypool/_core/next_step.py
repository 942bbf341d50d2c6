"""The next step of a request that gets an idle or a returned connection."""

from steadypool._core.entries import PoolEntry, Step
from steadypool.events import CloseReason


def step_with_idle(entry: PoolEntry, validate_after: float, waits: bool, now: float) -> Step:
    """Return the step of a request that gets an idle connection.

    A request that does not wait has no time for a round trip, so its check is one without.
    """
    if now >= entry.expires:
        entry.reason = CloseReason.STALE
        return Step.REPLACE
    if waits and (entry.unsure or now >= entry.since + validate_after):
        return Step.VALIDATE
    return Step.CHECK if now >= entry.good_until else Step.TAKE


def step_with_returned(entry: PoolEntry, now: float) -> Step:
    """Return the step of a waiter that gets a connection which was used just now."""
    if now >= entry.expires:
        entry.reason = CloseReason.STALE
        return Step.REPLACE
    return Step.TAKE
