"""Findings: which invariant is broken, by the name of the defect, and the events that show it.

An invariant check yields findings and raises nothing. The lab raises one
`BrokenInvariantsError` with all findings.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from poolspec.invariants.log import Entry
from poolspec.vocabulary import Defect

__tracebackhide__ = True  # a failure is shown where the test failed

__all__ = [
    "BrokenInvariantsError",
    "Defect",
    "Finding",
    "broken",
    "findings_in",
    "findings_of",
    "lines_of",
]

SHOWN = 3
"""How many findings of one defect are shown."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken invariant."""

    defect: Defect
    text: str
    events: tuple[Entry, ...] = ()
    """The two or three entries of the log that show it."""

    def __str__(self) -> str:
        """Return the defect's name and the text, without the events."""
        return f"{self.defect}: {self.text}"

    def since(self, began: float) -> "Finding":
        """Return the finding with the times of its events counted from `began`."""
        events = (entry._replace(at=entry.at - began) for entry in self.events)
        return replace(self, events=tuple(events))

    def lines(self) -> list[str]:
        """Return the finding with its events indented below."""
        return [str(self), *(f"    {entry}" for entry in self.events)]


class BrokenInvariantsError(AssertionError):
    """Invariants are broken; the text lists all findings, each with its events."""

    def __init__(self, findings: Iterable[Finding], others: Iterable[str] = ()) -> None:
        """`others` are lines about errors that are no findings."""
        self.findings = tuple(findings)
        super().__init__("\n".join([*lines_of(self.findings), *others]))


def lines_of(findings: Iterable[Finding]) -> list[str]:
    """Return findings as text; of each defect, only the first ones."""
    lines: list[str] = []
    counts: Counter[Defect] = Counter()
    for finding in findings:
        counts[finding.defect] += 1
        if counts[finding.defect] <= SHOWN:
            lines += finding.lines()
    more = {defect: count - SHOWN for defect, count in counts.items() if count > SHOWN}
    return [*lines, *(f"{defect}: and {count} more" for defect, count in more.items())]


def broken(findings: Iterable[Finding]) -> None:
    """Raise BrokenInvariantsError if there are findings."""
    found = list(findings)
    if found:
        raise BrokenInvariantsError(found)


def findings_in(text: str) -> list[Finding]:
    """Return the findings in the text of an error of another process, without their events."""
    lines = text.removeprefix(f"{BrokenInvariantsError.__name__}: ").splitlines()
    named = (line.partition(": ") for line in lines)
    return [Finding(Defect(name), said) for name, _, said in named if name in set(Defect)]


def findings_of(error: BaseException) -> tuple[Finding, ...]:
    """Return the findings that an error reports; none for any other error."""
    return error.findings if isinstance(error, BrokenInvariantsError) else ()
