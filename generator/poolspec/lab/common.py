"""The part of a lab that is the same in both concurrency modes: each method delegates to a part.

Everything that a generated test calls is a method of `Lab` or `AsyncLab`, of the pool or a
connection that it hands out, or of the result of a load. Times are seconds of the test's clock.
"""

import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Generic, Protocol

from poolspec.invariants.deadlock import Stop
from poolspec.invariants.defects import Finding
from poolspec.invariants.grade import Grade
from poolspec.invariants.stuck_report import AnyActors
from poolspec.lab.comparisons import Expected
from poolspec.lab.context import OVER, C, Context
from poolspec.lab.diagnosis import Diagnosis
from poolspec.lab.expectations import Expectations
from poolspec.lab.invariant_checks import InvariantChecks
from poolspec.lab.registry import Borrowed, P, PoolUnderTest
from poolspec.lab.repetition import expect
from poolspec.lab.roster import OneFails
from poolspec.vocabulary import Detail, ErrorKind, EventKind, Real, Target

__tracebackhide__ = True  # a failure is shown where the test failed


class AnyLab(Protocol):
    """A lab in either concurrency mode, as the reports of a failed test use it."""

    def abort(self) -> None:
        """Make every actor that waits, now or later, raise an exception with the reason."""

    def stuck(self) -> str:
        """Return who waits for what and who holds what. Safe in a signal handler."""

    def found(self) -> list[Finding]:
        """Return what was found while the test ran, which may have ended it."""

    def timeline(self) -> list[str]:
        """Return the event log as text."""

    def state(self) -> list[str]:
        """Return what each pool and the server report now."""


class CommonLab(Generic[P, C]):
    """What a test checks at once, and what its report reads."""

    is_given_up = False
    """Whether the test was given up, and its clock aborted."""
    stop: Stop | None = None
    """How the test stood when it was given up."""

    def __init__(self, context: Context[P, C], actors: AnyActors) -> None:
        self.context = context
        self.invariants = InvariantChecks(context)
        self._diagnosis = Diagnosis(context, actors)
        self._expectations = Expectations(context, self._diagnosis)

    # --- expectations ----------------------------------------------------------------------------

    def expect_served(self, *actors: str, of: P | None = None) -> None:
        """Check the order in which waiters were served."""
        expect(self._expectations.served, actors, of)

    def expect_same(self, *things: Borrowed | PoolUnderTest) -> None:
        """Check that all are one connection, or one pool."""
        expect(self._expectations.same, things)

    def expect_different(self, *things: Borrowed | PoolUnderTest) -> None:
        """Check that no two are the same connection, or pool."""
        expect(self._expectations.different, things)

    def expect_pools(self, expected: Expected) -> None:
        """Check how many different process-wide pools this test was handed."""
        expect(self._expectations.pools, expected)

    def expect_events(self, *kinds: EventKind, exactly: bool, of: P | None = None) -> None:
        """Check the kinds of event that a pool reported: exactly these, or these in order."""
        expect(self._expectations.events, kinds, exactly, of)

    def expect_hooks(self, **expected: Expected) -> None:
        """Check how often the pool called the hooks that the test gave it."""
        expect(self._expectations.hooks, expected)

    def expect_real(self, *parts: Real) -> None:
        """Check which parts of the test were real so far."""
        expect(self._expectations.real, parts)

    def expect_calls(self, **expected: Expected) -> None:
        """Check how often scripted connections were called, by `Call`."""
        expect(self._expectations.calls, expected)

    def expect_logs(self, **expected: Expected) -> None:
        """Check how many structured log records the pool wrote, by their event."""
        expect(self._expectations.logs, expected)

    def expect_loans(self, *expected: Mapping[str, Any], of: P | None = None) -> None:
        """Check what is on loan, the longest loan first; `where` looks for the calling module."""
        module = sys._getframe(1).f_code.co_filename
        expect(self._expectations.loans, expected, module, of)

    def expect_metrics(self, expected: Mapping[str, Expected], *, of: P | None = None) -> None:
        """Check what monitoring reads, by `MetricName`, or `TimingName` and a part."""
        expect(self._expectations.metrics, expected, of)

    def took(self, expected: Expected) -> AbstractContextManager[None]:
        """Check how long the block takes, in seconds of the test's clock."""
        return self._expectations.took(expected)

    def fails(
        self,
        kind: ErrorKind,
        *,
        took: Expected | None = None,
        saying: tuple[str, ...] = (),
        naming: tuple[str, ...] = (),
    ) -> AbstractContextManager[None]:
        """Check how the block fails, what the error says, and how long the block takes."""
        return self._expectations.fails(kind, took, (*saying, *naming))

    def may_fail(self, kind: ErrorKind) -> AbstractContextManager[None]:
        """Let the block fail in one way, or succeed."""
        return self._expectations.may_fail(kind)

    def _one_fails(self, kind: ErrorKind | None) -> OneFails | None:
        """Return how exactly one of several actors must fail; None if none may."""
        context = self.context
        return OneFails(kind, context.kind_of, context.passwords.look_into) if kind else None

    # --- the test's surroundings -----------------------------------------------------------------

    def server_settings(self, **settings: int) -> None:
        """Change settings of the server until the test ends, by `ServerSetting`."""
        self.context.set_up_server(settings)

    def measure(self) -> None:
        """Monitor the pools that are made from now on; needs the capability `metrics`."""
        self.context.meters.is_measured = True

    def details(self, target: Target, *details: Detail) -> tuple[str, ...]:
        """Return the words by which an error must name a target."""
        return self.context.targets.details(target, details)

    def abort(self) -> None:
        """Make every actor that waits, now or later, raise an exception with the reason."""
        self.is_given_up = True
        self.context.clock.abort(OVER)

    # --- the test's report -----------------------------------------------------------------------

    def grade(self) -> Grade:
        """Return how real the test was so far."""
        return self._diagnosis.grade()

    def load_figures(self) -> list[dict[str, Any]]:
        """Return how fast each load was; nothing on a virtual clock."""
        return self._diagnosis.load_figures()

    def sizes(self) -> dict[str, Any]:
        """Return the pools' figures over the time of the test, as a results file has them."""
        return self._diagnosis.sizes()

    def found(self) -> list[Finding]:
        """Return what was found while the test ran, which may have ended it."""
        return self.context.witness.found

    def timeline(self) -> list[str]:
        """Return the event log as text."""
        return self._diagnosis.timeline()

    def stuck(self) -> str:
        """Return who waits for what and who holds what. Safe in a signal handler."""
        self.stop = self._diagnosis.stop()
        return self._diagnosis.stuck()

    def state(self) -> list[str]:
        """Return what each pool and the server report now."""
        return self._diagnosis.state()
