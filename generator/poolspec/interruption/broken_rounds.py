"""The rounds of a test that broke: each distinct defect is listed once, with the points of it.

A round that breaks does not end the test, because the other points may break something else.
Broken rounds can be slow, so the time for more of them is limited.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from poolspec.invariants.defects import BrokenInvariantsError, Finding

__tracebackhide__ = True  # a failure is shown where the test failed

LIMIT = 5.0
"""Real seconds after the first broken round in which more rounds begin."""
_EXAMPLES = 2
_NUMBER = re.compile(r"\d+")


@dataclass(slots=True)
class _Broken:
    """One distinct finding, or error without a finding."""

    finding: Finding | None
    text: str
    rounds: list[str] = field(default_factory=list)
    """The points of interruption."""


class BrokenRounds:
    """What broke at the points of one test."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until: float | None = None
        self._first: Exception | None = None
        self._broken: dict[str, _Broken] = {}
        self._count = 0

    def note(self, where: str, error: Exception, findings: Sequence[Finding]) -> None:
        """Note a round that broke at a point with this error, and what is broken after it."""
        self._first = self._first or error
        self._until = self._until or self._now() + LIMIT
        self._count += 1
        seen: set[str] = set()
        for finding in findings or (None,):
            text = str(finding) if finding else f"{type(error).__name__}: {error}"
            key = _NUMBER.sub("#", text)
            known = self._broken.setdefault(key, _Broken(finding, text.partition("\n")[0]))
            if key not in seen:
                known.rounds.append(where or "not interrupted")
            seen.add(key)

    @property
    def are_enough(self) -> bool:
        """Whether no other round may begin."""
        return self._until is not None and self._now() > self._until

    def raise_all(self, rounds: int, *, all_tried: bool) -> None:
        """Raise one error that lists everything that broke in so many rounds, if anything did.

        A single error without a finding is raised as it is.
        """
        if self._first is None:
            return
        broken = list(self._broken.values())
        if self._count == 1 and all(one.finding is None for one in broken):
            raise self._first
        rest = [] if all_tried else [f"only the first {rounds} points were tried"]
        findings = [
            replace(one.finding, text=f"{one.finding.text}; {_in(one, rounds)}")
            for one in broken
            if one.finding is not None
        ]
        others = [f"{one.text}; {_in(one, rounds)}" for one in broken if one.finding is None]
        raise BrokenInvariantsError(findings, others + rest) from self._first


def _in(broken: _Broken, rounds: int) -> str:
    examples = "; ".join(broken.rounds[:_EXAMPLES])
    return f"in {len(broken.rounds)} of {rounds} rounds: {examples}"
