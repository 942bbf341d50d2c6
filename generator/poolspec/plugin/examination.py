"""Judges the invariants of a test that has failed already.

The log is judged in any case. The pools are judged if the test was not given up and no fault of the
server is in force: then the lab brings them to rest first, which a broken pool may prevent. So the
time for it is limited, and an error in it reports nothing: it may follow from the failure.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from poolspec.invariants.defects import Finding
from poolspec.lab.common import CommonLab
from poolspec.lifecycle.alarm import TooLongError, at_most
from poolspec.lifecycle.body_errors import BodyInterrupt

LIMIT = 3.0
"""Real seconds for bringing the pools of a failed test to rest."""


def examined(lab: CommonLab[Any, Any], examine: Callable[[], list[Finding]]) -> list[Finding]:
    """Return what is broken: by `examine` if it ends in time, else by the log alone."""
    if not lab.is_given_up and not lab.context.server_faults.in_force:
        with suppress(Exception, TooLongError, BodyInterrupt):
            return at_most(LIMIT, examine)
    checks = lab.invariants
    return checks.shown([*checks.in_log(), *lab.context.passwords.found()])
