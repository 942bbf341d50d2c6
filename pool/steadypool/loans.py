"""Loans: a connection, its borrower and the time of the acquire."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loan:
    """One connection on loan at the moment of the call."""

    connection: int
    """The serial number of the connection in its pool."""
    since: float
    """The time of the acquire on the pool's clock, in seconds."""
    seconds: float
    """The duration of the loan so far."""
    holder: str | None
    """The name of the borrowing thread or task; None in a pool without `leak_after`."""
    where: tuple[str, ...]
    """The call stack of the acquire, innermost first: `file:line function`; as for `holder`."""

    def __str__(self) -> str:
        by = "" if self.holder is None else f" by {self.holder!r}"
        at = f" at {self.where[0]}" if self.where else ""
        return f"connection {self.connection}, borrowed{by}{at}, on loan for {self.seconds:.3f} s"
