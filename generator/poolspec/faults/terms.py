"""The terms of a fault: the arguments by which a generated test describes one, in either mode."""

from collections.abc import Sequence
from typing import Protocol, TypedDict

from poolspec.invariants.connection import Sockets
from poolspec.vocabulary import Direction, ServerNumber


class Numbered(Protocol):
    """A connection on loan, by the number that the server gives it."""

    @property
    def number(self) -> int:
        """Return the server's number of the connection."""


class Connected(Protocol):
    """A pool under test, by the connections that it has open."""

    @property
    def sockets(self) -> Sockets:
        """The pool's connections by the lab's own count."""


class FaultTerms(TypedDict, total=False):
    """The terms of a fault besides its kind. All times are in seconds."""

    on: Numbered | Sequence[Numbered]
    """The connections that it affects; without it, a fault of the line affects all."""
    seconds: float
    """How long a call takes."""
    times: int
    """How many calls it affects; without it, all until it is healed."""
    after: int
    """How many calls succeed first."""
    limit: int
    """How many connections a full server accepts."""
    server: ServerNumber
    """Which of the test's servers it affects; without it, the first."""
    direction: Direction
    """The direction of a line that it affects."""
    delay: float
    """How late bytes or a close arrive, in real seconds."""
    jitter: float
    """The largest difference from the delay, more or less."""
    rate: int
    """How many kilobytes pass in a second."""
    size: int
    """How many bytes are sent at once."""
    bytes: int
    """How many bytes pass in all."""
    of: Connected
    """The pool whose idle connections are killed; without it, those of all pools."""
    lasts: float
    """How long it lasts on the test's clock; then the lab heals it, and the step ends."""


def only(on: Numbered | Sequence[Numbered]) -> Numbered:
    """Return the connection of a fault that affects one."""
    (one,) = on if isinstance(on, Sequence) else (on,)
    return one
