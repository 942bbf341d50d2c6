"""How fit a pool says it is, held against what it says elsewhere."""

from collections.abc import Iterator, Mapping

from poolspec.lab.contract import HealthSeen
from poolspec.vocabulary import StatName


def complaints(
    status: str, seen: HealthSeen, before: Mapping[str, int], after: Mapping[str, int]
) -> Iterator[str]:
    """Say what is wrong with a verdict that was given between two looks at the pool's figures.

    To be asked for its health may change a pool, for it does its housekeeping first; so each figure
    lies between the two. Where nothing has changed, all three are the same.
    """
    if seen.status != status:
        yield f"health: expected {status}, was {seen.status}"
    if (seen.status == "healthy") == bool(seen.reasons):
        yield f"health: {seen.status}, with the reasons {list(seen.reasons)}"
    for name in (name for name in StatName if name in before):
        told, low, high = seen.figures.get(name), *sorted((before[name], after[name]))
        if told is None or not low <= told <= high:
            yield f"health: {name} is {told}, by the pool's figures {low} to {high}"
