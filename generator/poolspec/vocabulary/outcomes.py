"""The words of a results file, which the run side writes and the report reads."""

from enum import StrEnum

RESULTS_VERSION = 1
REAL_PARTS = ("server", "socket", "driver", "clock")
"""Parts of a test that may be real."""
LOAD_FIGURES = ("operations", "throughput", "mean", "p50", "p90", "p95", "p99", "p99.9", "max")
"""Figures of a load: operations, operations per second, seconds of each."""


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
