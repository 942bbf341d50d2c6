"""The results of a run, read from its results file.

Results come back to the build side only as this file, which the run side writes:

    {"schema": 1, "server": {"kind": "mariadb", "description": "…", "version": "…"},
     "pool": "steadypool", "seconds": 2.31,
     "tests": [{"id": "limits.pool_size_limit", "case": "", "concurrency": "threads",
                "outcome": "passed", "seconds": 0.012, "reason": "",
                "real": {"server": "mariadb", "socket": "unix", "driver": "steadypool",
                         "clock": "virtual"}}]}

An entry without a concurrency is about threads. An entry of a test that did not run has no `real`.
One with load in real time has `loads`, each with the figures that `LOAD_FIGURES` names. The file is
checked by its published schema before anything is read from it. A `timeline` is read by
`report.timeline.reading`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from poolspec.report.timeline.reading import Timeline, TimelineError, timeline_from
from poolspec.schema.check import faults
from poolspec.schema.results import results_schema
from poolspec.vocabulary import Concurrency
from poolspec.vocabulary.outcomes import RESULTS_VERSION, Outcome


class ResultsError(Exception):
    """A results file does not fit its schema; the message names the place."""


_GRAVITY = {outcome: rank for rank, outcome in enumerate(Outcome)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one test for one concurrency, or of one case of its matrix."""

    test: str
    concurrency: Concurrency
    outcome: Outcome
    seconds: float
    reason: str
    findings: tuple[str, ...] = ()
    """Broken invariants, each as `defect: text`."""
    real: Mapping[str, str] = field(default_factory=dict)
    """Kind of server, socket, driver and clock; empty for a test that did not run."""
    case: str = ""
    loads: tuple[Mapping[str, Any], ...] = ()
    timeline: Timeline | None = None
    """The pools' figures over the time of the test; None if the run kept none."""
    control: Mapping[str, float] = field(default_factory=dict)
    """Figures of the control that ran beside it; empty without one."""


@dataclass(frozen=True, slots=True)
class Results:
    """The results of one run, with its pool and server."""

    server: str
    """In words: MariaDB 10.11, private instance."""
    pool: str
    seconds: float
    verdicts: Mapping[tuple[str, Concurrency], Verdict]
    """By test and concurrency: the gravest outcome of its cases, and the time of all of them."""
    every: tuple[Verdict, ...] = ()
    """The outcome of every single case."""
    loaded: tuple[Verdict, ...] = ()
    """Every single case with load in real time."""
    partial: str = ""
    """Why not all tests have run, and how many have; empty if all have."""
    run_again: tuple[tuple[str, str], ...] = ()
    """The tests that were run a second time, and why."""
    timed: Mapping[str, Sequence[Verdict]] = field(default_factory=dict)
    """Every single case with a time line, by its test."""

    def modes_of(self, modes: Iterable[Concurrency]) -> Sequence[Concurrency]:
        """Return those of a test's modes that the pool has; all if the run had none of them."""
        ran = {concurrency for _, concurrency in self.verdicts}
        return [mode for mode in modes if mode in ran] or list(modes)

    def real(self, test: str, concurrency: Concurrency) -> Mapping[str, str]:
        """Return the real parts of a test; empty if it did not run."""
        verdict = self.verdicts.get((test, concurrency))
        return verdict.real if verdict else {}


def parse_results(text: str) -> Results:
    """Read the text of a results file. Raises ResultsError."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"not JSON: {error}") from None
    if isinstance(found, dict) and found.get("schema") != RESULTS_VERSION:
        version = found.get("schema")
        raise ResultsError(
            f"schema is {version!r}, expected {RESULTS_VERSION}; run the tests again"
        )
    if wrong := faults(found, results_schema()):
        first = wrong[0]
        raise ResultsError(f"{first.place or 'the file'}: {first.message}")
    verdicts = [_verdict(entry) for entry in found["tests"]]
    return Results(
        server=found["server"]["description"],
        pool=found["pool"],
        seconds=float(found["seconds"]),
        verdicts=_by_test(verdicts),
        every=tuple(verdicts),
        loaded=tuple(verdict for verdict in verdicts if verdict.loads),
        partial=found.get("partial", ""),
        run_again=tuple(
            (entry["id"], entry["run_again"]) for entry in found["tests"] if entry.get("run_again")
        ),
        timed=_timed(verdicts),
    )


def _by_test(verdicts: Iterable[Verdict]) -> dict[tuple[str, Concurrency], Verdict]:
    found: dict[tuple[str, Concurrency], Verdict] = {}
    for verdict in verdicts:
        key = verdict.test, verdict.concurrency
        seen = found.get(key, verdict)
        worst = max(seen, verdict, key=lambda one: _GRAVITY[one.outcome])
        seconds = verdict.seconds if seen is verdict else seen.seconds + verdict.seconds
        found[key] = replace(worst, seconds=seconds, real=seen.real or verdict.real)
    return found


def _timed(verdicts: Iterable[Verdict]) -> dict[str, list[Verdict]]:
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if verdict.timeline is not None:
            found.setdefault(verdict.test, []).append(verdict)
    return found


def _timeline(entry: Mapping[str, Any]) -> Timeline | None:
    """Return the time line of an entry. Raises ResultsError if it contradicts itself."""
    if entry.get("timeline") is None:
        return None
    try:
        return timeline_from(entry["timeline"])
    except TimelineError as error:
        raise ResultsError(f"timeline of {entry['id']}: {error}") from None


def _verdict(entry: Mapping[str, Any]) -> Verdict:
    """Return the result of one entry, which fits the schema."""
    return Verdict(
        test=entry["id"],
        concurrency=Concurrency(entry.get("concurrency", Concurrency.THREADS)),
        outcome=Outcome(entry["outcome"]),
        seconds=float(entry["seconds"]),
        reason=entry["reason"],
        findings=tuple(entry.get("findings", ())),
        real=entry.get("real", {}),
        case=entry.get("case", ""),
        loads=tuple(entry.get("loads", ())),
        timeline=_timeline(entry),
        control=entry.get("control", {}),
    )
