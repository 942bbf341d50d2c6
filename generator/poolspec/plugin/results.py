"""What came of a run: collected where it was started, kept as JSON, shown on the console."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

SCHEMA = 1
SLOWEST = 3
WANTS = 10
"""So many are shown."""
NOT_APPLICABLE, NEEDS = "not applicable: ", "needs "
"""How the reason begins why a test was skipped, and, where a capability was wanting, goes on."""
NO_SERVER = {"kind": "none", "description": "no server", "version": ""}


class Outcome(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"
    """The pool or the server lacks a capability that the test needs."""
    ERRORED = "errored"
    """The test could not be set up or cleaned up."""


@dataclass(frozen=True, slots=True)
class TestResult:
    """One test, or one case of its matrix."""

    __test__ = False

    id: str
    case: str
    group: str
    """The test class: the spec's class, or that with its asyncio tests."""
    concurrency: str
    outcome: Outcome
    seconds: float
    reason: str
    real: dict[str, str]
    """What server, socket, driver and clock were; empty for a test that did not run."""
    loads: list[dict[str, float]]
    """How quick each of its loads was, where time was real."""


@dataclass(slots=True)
class Results:
    """A whole run."""

    pool: str
    server: dict[str, str] = field(default_factory=lambda: dict(NO_SERVER))
    seconds: float = 0.0
    tests: list[TestResult] = field(default_factory=list)
    _places: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def note(self, result: TestResult) -> None:
        """Add a test; what is told of it once more, such as a failed clean-up, is added to it."""
        place = self._places.setdefault(
            (result.id, result.case, result.concurrency), len(self.tests)
        )
        if place == len(self.tests):
            self.tests.append(result)
        elif self.tests[place].outcome is not Outcome.FAILED:
            known = self.tests[place]
            self.tests[place] = replace(
                known,
                outcome=result.outcome,
                reason=result.reason,
                seconds=known.seconds + result.seconds,
            )

    def save(self, path: Path) -> None:
        """Write the run as JSON."""
        tests = [
            asdict(result)
            for result in sorted(self.tests, key=lambda r: (r.id, r.case, r.concurrency))
        ]
        data = {"schema": SCHEMA, "pool": self.pool, "server": self.server}
        whole: dict[str, Any] = {**data, "seconds": round(self.seconds, 3), "tests": tests}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def summary(self) -> list[str]:
        """Return the table for the console."""
        width = max(len(result.group) for result in self.tests)
        lines = [f"{self.pool} on {self.server['description']}", ""]
        lines.append(f"{'class':<{width}}  passed  failed  errored  not applicable     time")
        lines += [
            _row(group, width, [result for result in self.tests if result.group == group])
            for group in sorted({result.group for result in self.tests})
        ]
        lines += [_row("total", width, self.tests), "", f"slowest: {self._slowest()}"]
        return [*lines, *self._grades(), *self._wants()]

    def _wants(self) -> list[str]:
        """Say what was wanting where a test was not applicable, and what each want costs alone."""
        skipped = [one for one in self.tests if one.outcome is Outcome.NOT_APPLICABLE]
        wants = [_wanting(result.reason) for result in skipped]
        alone = Counter(want[0] for want in wants if len(want) == 1)
        counts = Counter(word for want in wants for word in want)
        if not wants:
            return []
        rest = len(counts) - WANTS
        return [
            *("", "not applicable, for want of (and of nothing else):"),
            *(f"{count:>8}  {word} ({alone[word]})" for word, count in counts.most_common(WANTS)),
            *([f"{'…':>8}  and {rest} more"] if rest > 0 else []),
        ]

    def _grades(self) -> list[str]:
        """Say how real the tests were that ran."""
        grades = Counter(tuple(result.real.values()) for result in self.tests if result.real)
        return ["", "server, socket, driver and clock:"] * bool(grades) + [
            f"{count:>8}  {' · '.join(grade)}" for grade, count in grades.most_common()
        ]

    def _slowest(self) -> str:
        ranked = sorted(self.tests, key=lambda result: -result.seconds)[:SLOWEST]
        return ", ".join(f"{one.id} ({one.concurrency}) {one.seconds:.2f} s" for one in ranked)


def _wanting(reason: str) -> list[str]:
    """Return the capabilities that a test lacked, or why else it was not applicable."""
    why = reason.removeprefix(NOT_APPLICABLE)
    needs = why.removeprefix(NEEDS)
    return [why] if needs == why else needs.split(", ")


def _row(name: str, width: int, results: list[TestResult]) -> str:
    counts = Counter(result.outcome for result in results)
    seconds = sum(result.seconds for result in results)
    return (
        f"{name:<{width}}  {counts[Outcome.PASSED]:>6}  {counts[Outcome.FAILED]:>6}  "
        f"{counts[Outcome.ERRORED]:>7}  {counts[Outcome.NOT_APPLICABLE]:>14}  {seconds:5.2f} s"
    )
