"""The counts of a pool at rest: those of the pool, of the process and of the server must agree.

The lab counts the sockets that are open in this process, and the server lists its connections. A
pool that counts is held to both.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from poolspec.invariants.defects import Defect, Finding
from poolspec.vocabulary import StatName

_INTERRUPTED = (StatName.ACQUIRED, StatName.RELEASED, StatName.TIMEOUTS)
"""Figures that include acquires which were interrupted after the pool had counted them."""


@dataclass(frozen=True, slots=True)
class AtRest:
    """A pool after all connections were released, as seen from three sides."""

    reported: Mapping[str, int]
    """The figures that the pool reports; none if it counts nothing."""
    seen: Mapping[str, int]
    """The figures that the lab counts; none if others than the lab use the pool too."""
    sockets: int
    """Open connections by the lab's own count."""
    peak: int
    """The most that were ever open at once, by the lab's own count."""
    failed: int
    """Acquires that failed: the pool may have served one that was interrupted."""
    most: int | None
    """The most that the pool was ever allowed to have open; None: no limit."""
    at_server: int
    """Open connections by the server's count."""
    killed: int = 0
    """Open connections by the lab's count that the test has killed; the pool may not know yet."""


def findings_at_rest(at_rest: AtRest) -> Iterator[Finding]:
    """Check the counts of a pool that is no longer in use."""
    if at_rest.sockets - at_rest.killed != at_rest.at_server:
        unknown_here = at_rest.at_server > at_rest.sockets
        yield Finding(
            Defect.LEAK if unknown_here else Defect.WRONG_COUNT,
            f"the server counts {at_rest.at_server} connections, "
            f"the process has {at_rest.sockets} open",
        )
    if at_rest.most is not None and at_rest.peak > at_rest.most:
        text = f"the pool had {at_rest.peak} connections open at once and may have {at_rest.most}"
        yield Finding(Defect.OVER_LIMIT, text)
    if at_rest.reported:
        yield from _wrong_figures(at_rest.reported, at_rest.at_server + at_rest.killed)
        yield from _differences(at_rest.seen, at_rest.reported, at_rest.failed)


def _differences(
    seen: Mapping[str, int], reported: Mapping[str, int], failed: int
) -> Iterator[Finding]:
    """Compare the figures that a pool reports with those that the lab counts."""
    for name, number in seen.items():
        most = number + failed if name in _INTERRUPTED else number
        if not number <= reported[name] <= most:
            text = f"the pool counts {reported[name]} {name}, the lab {number}"
            yield Finding(Defect.WRONG_COUNT, text)


def _wrong_figures(reported: Mapping[str, int], known: int) -> Iterator[Finding]:
    stats = {name: reported[name] for name in StatName}
    acquired, released = stats[StatName.ACQUIRED], stats[StatName.RELEASED]
    total = stats[StatName.TOTAL_CONNECTIONS]
    if acquired != released:
        yield Finding(Defect.LEAK, f"{acquired} acquired, {released} released")
    if total != known:
        text = f"the pool counts {total} connections, the server {known}"
        yield Finding(Defect.WRONG_COUNT, text)
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


def findings_left_on_loan(reported: Mapping[str, int]) -> Iterator[Finding]:
    """Check that a pool counts no loan and no waiter after everything was released."""
    names = {StatName.IN_USE: Defect.LEAK, StatName.WAITING: Defect.WRONG_COUNT}
    for name, defect in names.items():
        if number := reported.get(name):
            yield Finding(defect, f"{number} {name} after all connections were released")
