"""Checks the health that a pool reports against its statistics."""

from collections.abc import Iterator, Mapping, Sequence

from poolspec.lab.contract import HealthSeen
from poolspec.vocabulary import StatName


def complaints(
    status: str, seen: HealthSeen, before: Mapping[str, int], after: Mapping[str, int]
) -> Iterator[str]:
    """Yield the faults of a health report, given the pool's statistics before and after it.

    Asking for its health may change a pool, for it does its maintenance first. So each figure must
    lie between the two. If nothing changed, all three are equal.
    """
    if seen.status != status:
        yield f"health: expected {status}, was {seen.status}{_because(seen.reasons)}"
    if (seen.status == "healthy") == bool(seen.reasons):
        yield f"health: {seen.status}, with the reasons {list(seen.reasons)}"
    for name in (name for name in StatName if name in before):
        found, low, high = seen.figures.get(name), *sorted((before[name], after[name]))
        if found is None or not low <= found <= high:
            yield f"health: {name} is {found}, by the pool's figures {low} to {high}"


def _because(reasons: Sequence[str]) -> str:
    return f": {'; '.join(reasons)}" if reasons else ", without a reason"
