"""Judges the invariants of a test that has failed already.

A test that has stopped is judged as it stood then: what follows is a consequence. For any other
test, the log is judged. The pools are judged too if no fault of the server is in force: the lab
brings them to rest first, which a broken pool may prevent. So the time for it is limited, and an
error in it reports nothing: it may follow from the failure.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from poolspec.invariants.deadlock import findings_of_stop, is_nothing_left, stop_by_clock
from poolspec.invariants.defects import Finding
from poolspec.lab.common import CommonLab
from poolspec.lifecycle.alarm import TooLongError, at_most
from poolspec.lifecycle.body_errors import BodyInterrupt

LIMIT = 3.0
"""Real seconds for bringing the pools of a failed test to rest."""


def examined(
    lab: CommonLab[Any, Any], error: BaseException, examine: Callable[[], list[Finding]]
) -> list[Finding]:
    """Return what is broken: why the test has stopped, or by `examine`, or by the log alone."""
    checks, stop = lab.invariants, lab.stop
    if is_nothing_left(error):
        stop = stop_by_clock(lab.context.log.entries(), error)
    reasons = list(findings_of_stop(stop)) if stop else []
    if reasons:
        return checks.shown(reasons)
    if not lab.is_given_up and not lab.context.server_faults.in_force:
        with suppress(Exception, TooLongError, BodyInterrupt):
            return at_most(LIMIT, examine)
    return checks.shown([*checks.in_log(), *lab.context.passwords.found()])
