"""Toxics: the faults of a line, by the names that Toxiproxy gives them.

A `Toxic` is the fault as a test sets it. A `Stage` is the part of a toxic that changes the bytes of
one direction of one connection. A stage knows no sockets and no clock: it takes bytes that are due
at some time, and returns the bytes to forward, each with the time at which they are due.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from poolspec.faults.terms import FaultTerms
from poolspec.vocabulary import SILENCES, Direction, Fault, usual_direction

SPLIT = 0.05
"""Seconds of a limited bandwidth that are sent in one piece."""


class Mark(Enum):
    """A mark between the bytes of a direction."""

    END = auto()
    """The sender has closed the connection."""
    CUT = auto()
    """The line closes the connection here."""


Item = bytes | Mark
Parcel = tuple[float, Item]
"""Bytes or a mark, after the time at which they are due."""


@dataclass(frozen=True, slots=True)
class Toxic:
    """A fault of a line. Times are real seconds."""

    kind: Fault
    ports: frozenset[int] | None = None
    """The connections that it affects, by the port of the pool's side; None: all."""
    direction: Direction = Direction.DOWNSTREAM
    delay: float = 0.0
    jitter: float = 0.0
    rate: int = 0
    """Kilobytes per second."""
    size: int = 0
    bytes: int = 0

    @classmethod
    def of(cls, kind: Fault, ports: frozenset[int] | None, terms: FaultTerms) -> "Toxic":
        """Return the toxic that the terms of a fault describe."""
        return cls(
            kind,
            ports,
            terms.get("direction", usual_direction(kind)),
            terms.get("delay", 0.0),
            terms.get("jitter", 0.0),
            terms.get("rate", 0),
            terms.get("size", 0),
            terms.get("bytes", 0),
        )

    def affects(self, port: int) -> bool:
        """Return whether it affects the connection from a port."""
        return self.ports is None or port in self.ports

    def stage(self, direction: Direction) -> "Stage | None":
        """Return its stage for one direction of a connection; None if it has none there."""
        make = _STAGES.get(self.kind)
        if make is None or self.direction not in (direction, Direction.BOTH):
            return None
        return make(self, direction)


class Stage:
    """The effect of a toxic on one direction of a connection. This one has none."""

    def pass_on(self, due: float, item: Item) -> Iterator[Parcel]:
        """Yield the items to forward in place of one that is due at some time."""
        if isinstance(item, Mark):
            yield from self.end(due, item)
        else:
            yield from self.take(due, item)

    def take(self, due: float, data: bytes) -> Iterator[Parcel]:
        """Yield the items to forward in place of some bytes."""
        yield due, data

    def end(self, due: float, mark: Mark) -> Iterator[Parcel]:
        """Yield the items to forward in place of the end of the connection."""
        yield due, mark


class Latency(Stage):
    """Delays all bytes by `delay` ± `jitter`."""

    def __init__(self, toxic: Toxic, _: Direction) -> None:
        self._delay, self._jitter = toxic.delay, toxic.jitter

    def take(self, due: float, data: bytes) -> Iterator[Parcel]:
        """Delay the bytes."""
        jitter = random.uniform(-self._jitter, self._jitter)
        yield due + max(0.0, self._delay + jitter), data


class Bandwidth(Stage):
    """Lets a number of kilobytes pass in each second."""

    def __init__(self, toxic: Toxic, _: Direction) -> None:
        self._rate = toxic.rate * 1000
        self._piece = max(1, int(self._rate * SPLIT))
        self._free = 0.0
        """When the earlier bytes have passed."""

    def take(self, due: float, data: bytes) -> Iterator[Parcel]:
        """Split the bytes, and let each piece pass when its last byte has."""
        for piece in _pieces(data, self._piece):
            self._free = max(self._free, due) + len(piece) / self._rate
            yield self._free, piece


class Slicer(Stage):
    """Splits bytes into slices, and waits between two of them."""

    def __init__(self, toxic: Toxic, _: Direction) -> None:
        self._size, self._delay = toxic.size, toxic.delay
        self._next = 0.0

    def take(self, due: float, data: bytes) -> Iterator[Parcel]:
        """Yield one slice after the other."""
        for piece in _pieces(data, self._size):
            at = max(due, self._next)
            self._next = at + self._delay
            yield at, piece


class LimitData(Stage):
    """Closes the connection when a number of bytes have passed."""

    def __init__(self, toxic: Toxic, _: Direction) -> None:
        self._left = toxic.bytes

    def take(self, due: float, data: bytes) -> Iterator[Parcel]:
        """Yield the bytes within the limit, and the end of the connection at the limit."""
        passing = data[: self._left]
        self._left -= len(passing)
        if passing:
            yield due, passing
        if not self._left:
            yield due, Mark.CUT


class SlowClose(Stage):
    """Delays the close of the connection."""

    def __init__(self, toxic: Toxic, _: Direction) -> None:
        self._delay = toxic.delay

    def end(self, due: float, mark: Mark) -> Iterator[Parcel]:
        """Delay the end."""
        yield due + self._delay, mark


class Drop(Stage):
    """Drops all bytes."""

    def __init__(self, _: Toxic, __: Direction) -> None:
        pass

    def take(self, due: float, data: bytes) -> Iterator[Parcel]:
        """Yield nothing."""
        return iter(())


class Swallow(Drop):
    """Drops all bytes, and the close by the server.

    A close by the pool reaches the server, so the server counts what the pool has open.
    """

    def __init__(self, toxic: Toxic, direction: Direction) -> None:
        super().__init__(toxic, direction)
        self._passes_end = direction is Direction.UPSTREAM

    def end(self, due: float, mark: Mark) -> Iterator[Parcel]:
        """Yield the end towards the server."""
        if self._passes_end:
            yield due, mark


def _pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


_STAGES: dict[Fault, Callable[[Toxic, Direction], Stage]] = {
    Fault.LATENCY: Latency,
    Fault.BANDWIDTH: Bandwidth,
    Fault.SLOW_CLOSE: SlowClose,
    Fault.TIMEOUT: Drop,
    Fault.SLICER: Slicer,
    Fault.LIMIT_DATA: LimitData,
    Fault.HALF_OPEN: Swallow,
}
OF_NETWORK = _STAGES.keys() | SILENCES | {Fault.DOWN, Fault.REFUSE, Fault.RESET_PEER}
"""The faults of the line."""
