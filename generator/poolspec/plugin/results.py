"""The results of a run: collected from the workers, saved as JSON, shown on the console."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from poolspec.vocabulary.outcomes import (
    RESULTS_VERSION,
    UNSUCCESSFUL,
    Outcome,
    count_missing,
    faults_of,
)

SLOWEST = 3
MOST_NAMED = 4
"""The most tests that a fault's line names."""
COLUMNS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "must-failed",
    Outcome.SHOULD_FAILED: "should-failed",
    Outcome.OTHERWISE: "otherwise",
    Outcome.ERRORED: "errored",
    Outcome.NOT_APPLICABLE: "not applicable",
}
"""The columns of the console's table."""
NO_SERVER = {"kind": "none", "description": "no server", "version": ""}


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
    """Kind of server, socket, driver and clock; empty for a test that did not run."""
    loads: list[dict[str, Any]]
    """Throughput and latency of each load, in real time."""
    findings: list[str] = field(default_factory=list)
    """Broken invariants, each with the name of its defect first."""
    timeline: dict[str, Any] | None = None
    """The pools' figures over its time; None for a layer that keeps none, and if it did not run."""
    run_again: str = ""
    """Why the test was run a second time; this is the outcome of that run."""
    control: dict[str, float] = field(default_factory=dict)
    """The figures of the control that ran beside the test; empty without one."""


@dataclass(slots=True)
class Results:
    """The results of a whole run."""

    pool: str
    server: dict[str, str] = field(default_factory=lambda: dict(NO_SERVER))
    seconds: float = 0.0
    partial: str = ""
    """Why not all tests have run; empty if they have."""
    tests: list[TestResult] = field(default_factory=list)
    _places: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def note(self, result: TestResult) -> None:
        """Add a test. A second report of the same test, such as a failed teardown, is merged."""
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
        """Write the results as JSON, one line for each test."""
        ranked = sorted(self.tests, key=lambda r: (r.id, r.case, r.concurrency))
        tests = ",\n  ".join(_json(_entry(result)) for result in ranked)
        head = {"schema": RESULTS_VERSION, "pool": self.pool, "server": self.server}
        about = {**head, "seconds": round(self.seconds, 3), "partial": self.partial}
        lines = [f" {_json(name)}: {_json(value)}" for name, value in about.items()]
        whole = ",\n".join([*lines, f' "tests": [\n  {tests}\n ]'])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{{\n{whole}\n}}\n", encoding="utf-8")

    def summary(self) -> list[str]:
        """Return the table for the console."""
        width = max(len(result.group) for result in self.tests)
        lines = [f"{self.pool} on {self.server['description']}", "", *self._faults()]
        lines.append(f"{'class':<{width}}  {'  '.join(COLUMNS.values())}     time")
        lines += [
            _row(group, width, [result for result in self.tests if result.group == group])
            for group in sorted({result.group for result in self.tests})
        ]
        lines += [_row("total", width, self.tests), "", f"slowest: {self._slowest()}"]
        lines += self._run_again()
        return [*lines, *self._grades(), *self._missing()]

    def _faults(self) -> Iterator[str]:
        """Yield a line for each fault, with the tests it appears in, the gravest outcome first."""
        for outcome in UNSUCCESSFUL:
            tests: dict[str, list[str]] = {}
            for one in self.tests:
                for fault in faults_of(one.findings, one.reason) if one.outcome is outcome else ():
                    tests.setdefault(fault, []).append(f"{one.id} ({one.concurrency})")
            if tests:
                yield f"{COLUMNS[outcome]}:"
                yield from (f"  {fault}: {_named(names)}" for fault, names in tests.items())
                yield ""

    def _run_again(self) -> list[str]:
        """List the tests that were run twice, by the reason."""
        tests: dict[str, list[str]] = {}
        for one in self.tests:
            if one.run_again:
                tests.setdefault(one.run_again, []).append(f"{one.id} ({one.concurrency})")
        return [f"run again: {_named(names)}. {why}" for why, names in tests.items()]

    def _missing(self) -> list[str]:
        """List why tests do not apply: how many need a capability, and how many nothing else."""
        skipped = [one.reason for one in self.tests if one.outcome is Outcome.NOT_APPLICABLE]
        if not skipped:
            return []
        head = ["", "not applicable:", "    need  need only  missing"]
        counts = count_missing(skipped)
        return [*head, *(f"{number:>8}  {alone:>9}  {word}" for word, number, alone in counts)]

    def _grades(self) -> list[str]:
        """Count the tests that ran by their kind of server, socket, driver and clock."""
        grades = Counter(tuple(result.real.values()) for result in self.tests if result.real)
        return ["", "server, socket, driver and clock:"] * bool(grades) + [
            f"{count:>8}  {' · '.join(grade)}" for grade, count in grades.most_common()
        ]

    def _slowest(self) -> str:
        ranked = sorted(self.tests, key=lambda result: -result.seconds)[:SLOWEST]
        return ", ".join(f"{one.id} ({one.concurrency}) {one.seconds:.2f} s" for one in ranked)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _entry(result: TestResult) -> dict[str, Any]:
    """Return the entry of a test; one without a time line has no key for it."""
    entry = asdict(result)
    return entry if result.timeline is not None else {k: entry[k] for k in entry if k != "timeline"}


def _named(tests: Sequence[str]) -> str:
    """Return the names of tests; of many, the first ones and the number of the others."""
    names = list(dict.fromkeys(tests))
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _row(name: str, width: int, results: list[TestResult]) -> str:
    counts = Counter(result.outcome for result in results)
    seconds = sum(result.seconds for result in results)
    cells = (f"{counts[outcome]:>{len(head)}}" for outcome, head in COLUMNS.items())
    return f"{name:<{width}}  {'  '.join(cells)}  {seconds:5.2f} s"
