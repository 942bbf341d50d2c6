"""What is on loan, to whom and since when."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Loan:
    """One connection on loan, as of the moment the pool was asked."""

    connection: int
    """Serial number of the connection in its pool."""
    since: float
    """When it was borrowed, on the pool's clock in seconds."""
    seconds: float
    """For how long it has been on loan."""
    holder: str | None
    """Name of the thread or task that borrowed it; known to pools with `leak_after`."""
    where: tuple[str, ...]
    """Places in the program, the borrower's first, as `file:line function`; as `holder`."""

    def __str__(self) -> str:
        by = "" if self.holder is None else f" by {self.holder!r}"
        at = f" at {self.where[0]}" if self.where else ""
        return f"connection {self.connection}, borrowed{by}{at}, on loan for {self.seconds:.3f} s"
