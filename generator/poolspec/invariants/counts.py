"""The counts of a pool at rest: those of the pool, of the process and of the server must agree.

The lab counts the sockets that are open in this process, and the server lists its connections. A
pool that counts is held to both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from poolspec.invariants.defects import Defect, Finding
from poolspec.vocabulary import Capability, StatName


@dataclass(frozen=True, slots=True)
class AtRest:
    """A pool after all connections were released, as seen from three sides."""

    stats: Mapping[str, int]
    sockets: int
    """Open connections by the lab's own count."""
    peak: int
    """The most that were ever open at once, by the lab's own count."""
    at_server: int
    """Open connections by the server's count."""
    killed: int = 0
    """Open connections by the lab's count that the test has killed; the pool may not know yet."""
    most_ever: int = 0
    """The largest limit the pool ever had, where it was resized."""


def findings_at_rest(seen: AtRest, may: frozenset[Capability]) -> Iterator[Finding]:
    """Check the counts of a pool that is no longer in use."""
    if seen.sockets - seen.killed != seen.at_server:
        unknown_here = seen.at_server > seen.sockets
        yield Finding(
            Defect.LEAK if unknown_here else Defect.WRONG_COUNT,
            f"the server counts {seen.at_server} connections, the process has {seen.sockets} open",
        )
    if Capability.STATISTICS in may:
        yield from _wrong_figures(seen)


def _wrong_figures(seen: AtRest) -> Iterator[Finding]:
    stats = {name: seen.stats[name] for name in StatName}
    acquired, released = stats[StatName.ACQUIRED], stats[StatName.RELEASED]
    total, most = stats[StatName.TOTAL_CONNECTIONS], stats[StatName.MAX_SIZE]
    if acquired != released:
        yield Finding(Defect.LEAK, f"{acquired} acquired, {released} released")
    if total - seen.killed != seen.at_server:
        text = f"the pool counts {total} connections, the server {seen.at_server}"
        yield Finding(Defect.WRONG_COUNT, text)
    allowed = max(most, seen.most_ever)
    if most >= 0 and seen.peak > allowed:
        text = f"the pool had {seen.peak} connections open at once and may have {allowed}"
        yield Finding(Defect.OVER_LIMIT, text)
    made = stats[StatName.CREATED] - stats[StatName.CLOSED]
    parts = stats[StatName.POOL_SIZE] + stats[StatName.IN_USE]
    if not made == total == parts:
        yield Finding(
            Defect.WRONG_COUNT,
            f"connections are not conserved: created − closed = {made}, total = {total}, "
            f"idle + in use = {parts}",
        )
    yield from (
        Finding(Defect.WRONG_COUNT, f"{name} is negative: {n}")
        for name, n in stats.items()
        if n < 0 and name != StatName.MAX_SIZE
    )


def findings_left_on_loan(
    stats: Mapping[str, int], may: frozenset[Capability]
) -> Iterator[Finding]:
    """Check that a pool counts no loan and no waiter after everything was released."""
    if Capability.STATISTICS not in may:
        return
    names = {StatName.IN_USE: Defect.LEAK, StatName.WAITING: Defect.WRONG_COUNT}
    for name, defect in names.items():
        if stats[name]:
            yield Finding(defect, f"{stats[name]} {name} after all connections were released")
