"""The tasks of generated load: each client borrows a connection, uses it and releases it.

The spec determines the tasks, not chance: kinds of operation are interleaved evenly, and hold and
think times are spread evenly over their range. Only the scheduler decides which client does a task,
and when. Task number n follows from n alone, so a load of any length needs no list of its tasks.
The lab looks for every acknowledged write afterwards, on a connection that belongs to no pool.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

TABLE = "load_rows"
CREATE = f"CREATE TABLE {TABLE} (number INTEGER PRIMARY KEY, client INTEGER NOT NULL)"
INSERT = f"INSERT INTO {TABLE} VALUES (%s, %s)"
LATEST = f"SELECT client FROM {TABLE} ORDER BY number DESC LIMIT 100"
COUNT = f"SELECT client, COUNT(*) FROM ({LATEST}) AS latest GROUP BY client"
"""Counts some rows only, so that it takes as long at the end of a long load as at its beginning."""

REST = 0.01
"""Seconds that a client rests after an operation that failed, in a load that ends by time."""
GOLDEN = (math.sqrt(5) - 1) / 2
SILVER = math.sqrt(2) - 1
"""Spreads think times; with the same number they would follow the hold times."""

_PLACES = re.compile(r":(number|client)\b")
"""The places of a statement that the load fills in."""

Range = tuple[float, float]
NO_TIME: Range = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Task:
    """One operation to do."""

    number: int
    """Unique among the tasks of a test; it names the row that a write leaves behind."""
    kind: str
    """An `Operation`, or a request such as `GET /visits`."""
    hold: float = 0.0
    """Seconds for which the client keeps the connection."""
    think: float = 0.0
    """Seconds for which the client pauses afterwards."""
    due: float | None = None
    """The time when it should begin; None: when the client is free."""
    counts: bool = True
    """Whether its result counts; that of a warm-up does not."""


class Tasks:
    """The endless tasks of one load, by their numbers."""

    def __init__(
        self,
        kinds: Mapping[str, int],
        hold: Range = NO_TIME,
        think: Range = NO_TIME,
        *,
        first: int = 0,
    ) -> None:
        self._cycle = interleave(kinds)
        self._hold, self._think = hold, think
        self._first = first

    def task(self, index: int, due: float | None = None, *, counts: bool = True) -> Task:
        """Return one task; the first has the index 0."""
        kind = self._cycle[index % len(self._cycle)]
        hold, think = _spread(self._hold, index * GOLDEN), _spread(self._think, index * SILVER)
        return Task(self._first + index, kind, hold, think, due, counts)


def client_name(load: str, index: int) -> str:
    """Return the name of a load's client."""
    return f"{load}-{index + 1}"


def filled_in(statement: str, number: int, client: int) -> str:
    """Return a statement of a spec with the numbers of the operation and of its client."""
    numbers = {":number": str(number), ":client": str(client)}
    return _PLACES.sub(lambda found: numbers[found[0]], statement)


def interleave(shares: Mapping[str, int]) -> list[str]:
    """Return one cycle of kinds in which each kind has its share, spread evenly."""
    # Smooth weighted round-robin: the kind that is furthest behind its share is next.
    divisor = reduce(math.gcd, shares.values())
    weights = {kind: share // divisor for kind, share in shares.items()}
    credit = dict.fromkeys(weights, 0)
    whole = sum(weights.values())
    return [_next_of(credit, weights, whole) for _ in range(whole)]


def _next_of(credit: dict[str, int], weights: Mapping[str, int], whole: int) -> str:
    for kind, weight in weights.items():
        credit[kind] += weight
    chosen = max(credit, key=lambda kind: credit[kind])
    credit[chosen] -= whole
    return chosen


def _spread(within: Range, turn: float) -> float:
    low, high = within
    return low + (high - low) * (turn % 1.0)
