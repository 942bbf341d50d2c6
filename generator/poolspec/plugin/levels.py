"""Decides the outcome of a failed test by its level.

A pool that fails a test of level `should` does not follow a recommendation; one that fails a test
of level `may` does it otherwise. Neither makes the run fail, unless the pool's adapter has
`keeps_all`, or `--fail-on` says so. Safety is a must in every test: a broken invariant and a test
that hangs are failures at any level.

A test of interruptions takes a number of interruption points for granted. It is not applicable to a
pool that has fewer, unless the adapter has `keeps_all`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import pytest

from poolspec.interruption.rounds import TooFewPointsError
from poolspec.plugin.results import NOT_APPLICABLE
from poolspec.vocabulary import Defect, Level
from poolspec.vocabulary.outcomes import Outcome

if TYPE_CHECKING:
    from poolspec.invariants.defects import Finding

keeps_all_key = pytest.StashKey[bool]()
"""Whether the pool must pass every test that applies to it."""
failing_key = pytest.StashKey[Outcome]()
"""The outcome of a test if it fails."""
PROPERTY: Final = "poolspec_outcome"
_RANKS: Final = {level: rank for rank, level in enumerate(Level)}
_OUTCOMES: Final = {Level.SHOULD: Outcome.SHOULD_FAILED, Level.MAY: Outcome.OTHERWISE}
_STATUS: Final = {
    Outcome.SHOULD_FAILED: ("should-failed", "S", "SHOULD-FAILED"),
    Outcome.OTHERWISE: ("otherwise", "o", "OTHERWISE"),
}
"""Category, letter and word of an outcome, as pytest shows them."""


def outcome_of_failure(config: pytest.Config, spec: dict[str, Any], adapter: object) -> Outcome:
    """Return the outcome of a test on this pool if it fails."""
    level = Level(spec.get("level", Level.MUST))
    default = Level.MAY if getattr(adapter, "keeps_all", False) else Level.MUST
    least = Level(config.getoption("--fail-on") or default)
    return Outcome.FAILED if _RANKS[level] <= _RANKS[least] else _OUTCOMES[level]


def soften(
    item: pytest.Item,
    error: BaseException,
    findings: "Sequence[Finding]",
    report: pytest.TestReport,
) -> None:
    """Give a failed test of a lower level its outcome; for pytest it is an expected failure."""
    if isinstance(error, TooFewPointsError) and not (item.stash[keeps_all_key] or findings):
        path, line, _ = item.location
        report.outcome = "skipped"
        report.longrepr = (path, (line or 0) + 1, f"Skipped: {NOT_APPLICABLE}{error}")
        return
    outcome = item.stash[failing_key]
    if outcome is not Outcome.FAILED and not _breaks_safety(error, findings):
        report.user_properties.append((PROPERTY, f'"{outcome}"'))
        report.wasxfail = f"level {_spec_level(outcome)}"
        report.outcome = "skipped"


def status_of(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Return how pytest shows a softened outcome; None for any other."""
    properties = dict(getattr(report, "user_properties", ()))
    outcome = properties.get(PROPERTY) if report.when == "call" else None
    return _STATUS[Outcome(str(outcome).strip('"'))] if outcome else None


def _breaks_safety(error: BaseException, findings: "Sequence[Finding]") -> bool:
    hangs = isinstance(error, pytest.fail.Exception)
    return hangs or any(finding.defect is not Defect.STARVATION for finding in findings)


def _spec_level(outcome: Outcome) -> Level:
    return next(level for level, softened in _OUTCOMES.items() if softened is outcome)
