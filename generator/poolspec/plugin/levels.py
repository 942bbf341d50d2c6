"""Decides the outcome of a failed test by its level, and by the defects that were found.

A pool that fails a test of level `should` does not follow a recommendation; one that fails a test
of level `may` does it otherwise. Neither makes the run fail, unless the pool's adapter has
`keeps_all`, or `--fail-on` says so. Safety is a must in every test: a broken invariant and a test
that hangs are failures at any level. Starvation and head-of-line blocking are defects of quality.

A test may take something for granted: a number of interruption points, or that a statement fails
whose connection is lost. It is not applicable to a pool that does otherwise, unless the adapter has
`keeps_all`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from poolspec.invariants.complaints import PremiseError
from poolspec.vocabulary import Defect, Level
from poolspec.vocabulary.outcomes import NOT_APPLICABLE, Outcome

if TYPE_CHECKING:
    from poolspec.invariants.defects import Finding

PROPERTY: Final = "poolspec_outcome"
QUALITY: Final = frozenset({Defect.STARVATION, Defect.HEAD_OF_LINE_BLOCKING})
"""Defects that a recommendation rules out; all others break a must."""
_RANKS: Final = {level: rank for rank, level in enumerate(Level)}
_OUTCOMES: Final = {Level.SHOULD: Outcome.SHOULD_FAILED, Level.MAY: Outcome.OTHERWISE}
_STATUS: Final = {
    Outcome.SHOULD_FAILED: ("should-failed", "S", "SHOULD-FAILED"),
    Outcome.OTHERWISE: ("otherwise", "o", "OTHERWISE"),
}
"""Category, letter and word of an outcome, as pytest shows them."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a test holds a pool to."""

    level: Level
    """The level of the test."""
    least: Level
    """The least binding level whose failures fail the run."""
    keeps_all: bool
    """Whether the pool must pass every test that applies to it."""


held_key = pytest.StashKey[Held]()


def held_to(config: pytest.Config, spec: dict[str, Any], *, keeps_all: bool) -> Held:
    """Return what a test holds a pool to."""
    least = config.getoption("--fail-on") or (Level.MAY if keeps_all else Level.MUST)
    return Held(Level(spec.get("level", Level.MUST)), Level(least), keeps_all)


def soften(
    item: pytest.Item,
    error: BaseException,
    findings: "Sequence[Finding]",
    report: pytest.TestReport,
    *,
    at_the_end: bool,
) -> None:
    """Give a failure that does not fail the run its outcome; for pytest it was expected.

    `at_the_end`: all steps passed, and the invariant checks failed the test.
    """
    held = item.stash[held_key]
    if isinstance(error, PremiseError) and not (held.keeps_all or findings):
        path, line, _ = item.location
        report.outcome = "skipped"
        report.longrepr = (path, (line or 0) + 1, f"Skipped: {NOT_APPLICABLE}{error}")
        return
    level = broken_level(held.level, error, findings, at_the_end)
    if _RANKS[level] > _RANKS[held.least]:
        report.user_properties.append((PROPERTY, f'"{_OUTCOMES[level]}"'))
        report.wasxfail = f"level {level}"
        report.outcome = "skipped"


def status_of(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Return how pytest shows a softened outcome; None for any other."""
    properties = dict(getattr(report, "user_properties", ()))
    outcome = properties.get(PROPERTY) if report.when == "call" else None
    return _STATUS[Outcome(str(outcome).strip('"'))] if outcome else None


def broken_level(
    test: Level, error: BaseException, findings: "Sequence[Finding]", at_the_end: bool
) -> Level:
    """Return the most binding level that a failure breaks."""
    hangs = isinstance(error, pytest.fail.Exception)
    broken = [Level.SHOULD if one.defect in QUALITY else Level.MUST for one in findings]
    if not at_the_end or not broken:
        broken.append(Level.MUST if at_the_end or hangs else test)
    return min(broken, key=_RANKS.__getitem__)
