"""The words of a results file, which the run side writes and the report reads."""

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

RESULTS_VERSION = 1
REAL_PARTS = ("server", "socket", "driver", "clock")
"""Parts of a test that may be real."""
LOAD_FIGURES = ("operations", "throughput", "mean", "p50", "p90", "p95", "p99", "p99.9", "max")
"""Figures of a load, and of a kind in it: successful operations, per second, seconds of each."""
LOAD_COUNTS = ("failed", "not_started")
"""Operations of a load that did not succeed: that failed, and that were due and never began."""
CONTROL_FIGURES = ("throughput", "cpu")
"""Figures of a control, which a load has too: operations per second, and seconds of the test
process's CPU for each operation."""


NOT_APPLICABLE, NEEDS = "not applicable: ", "needs "
"""The reason of a test that does not apply begins with the first; missing capabilities follow the
second."""

NO_FORM = "the pool has no "
"""The reason of a test for a concurrency mode that the pool lacks begins so."""


class Outcome(StrEnum):
    """The outcome of a test, in ascending order of gravity."""

    NOT_APPLICABLE = "not_applicable"
    """The pool or the server lacks a capability that the test needs."""
    PASSED = "passed"
    OTHERWISE = "otherwise"
    """The pool chooses otherwise, and may: the test is a `may`."""
    SHOULD_FAILED = "should_failed"
    """The pool does not follow a recommendation: the test is a `should`."""
    ERRORED = "errored"
    """The test could not be set up or cleaned up."""
    FAILED = "failed"
    """The pool does not do what it must, or an invariant was broken in a test of any level."""


UNSUCCESSFUL = (Outcome.FAILED, Outcome.ERRORED, Outcome.SHOULD_FAILED, Outcome.OTHERWISE)
"""The outcomes of tests that have a fault, the gravest first."""


def faults_of(findings: Iterable[str], reason: str) -> Sequence[str]:
    """Return the faults of a test: the defects that its findings name, or else its reason."""
    return list(dict.fromkeys(text.partition(": ")[0] for text in findings)) or [reason]


def missing_of(reason: str) -> Sequence[str]:
    """Return the missing capabilities of a test, or the other reason why it does not apply."""
    why = reason.removeprefix(NOT_APPLICABLE)
    needs = why.removeprefix(NEEDS)
    return [why] if needs == why else needs.split(", ")


def count_missing(reasons: Iterable[str]) -> list[tuple[str, int, int]]:
    """Return each missing capability with the tests that need it, and that need nothing else."""
    missing = [missing_of(reason) for reason in reasons]
    alone = Counter(words[0] for words in missing if len(words) == 1)
    counts = Counter(word for words in missing for word in words)
    rows = [(word, number, alone[word]) for word, number in counts.items()]
    return sorted(rows, key=lambda row: (-row[1], -row[2], row[0]))
