"""The terms of a fault: the arguments by which a generated test describes one, in either mode."""

from typing import Protocol, TypedDict

from poolspec.vocabulary import ServerNumber


class Numbered(Protocol):
    """A connection on loan, by the number that the server gives it."""

    @property
    def number(self) -> int:
        """Return the server's number of the connection."""


class FaultTerms(TypedDict, total=False):
    """What a test says about a fault besides its kind. All times are in seconds."""

    on: Numbered
    """The connection that it is about."""
    seconds: float
    """How long a call takes."""
    times: int
    """How many calls it affects; without it, all until it is healed."""
    after: int
    """How many calls succeed first."""
    limit: int
    """How many connections a full server accepts."""
    server: ServerNumber
    """Which of the test's servers it is about; without it, the first."""
    lasts: float
    """How long it lasts on the test's clock; then the lab heals it, and the step ends."""
