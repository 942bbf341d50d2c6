"""The state of a test for its report: time line, figures, waits, and how real it is."""

import asyncio
from contextlib import suppress
from typing import Any, Generic

from poolspec.drivers.contract import Make
from poolspec.invariants.blocking import UNFINISHED
from poolspec.invariants.deadlock import Stop
from poolspec.invariants.grade import Grade, grade
from poolspec.invariants.log import Entry
from poolspec.invariants.marks import LATE_RELEASE, NUMBERS_VOID
from poolspec.invariants.stuck_report import AnyActors, stuck_report
from poolspec.lab.context import C, Context
from poolspec.lab.registry import P
from poolspec.lifecycle.alarm import TooLongError, at_most
from poolspec.lifecycle.teardown import text_of
from poolspec.servers import ServerError
from poolspec.vocabulary import TimeKind
from poolspec.witness.calls import RELEASE
from poolspec.witness.timeline import timeline_of

__tracebackhide__ = True  # a failure is shown where the test failed

ANSWER_WITHIN = 2.0
"""Real seconds that a pool has to report its figures after a test has failed."""


class Diagnosis(Generic[P, C]):
    """Reads the state of one test."""

    def __init__(self, context: Context[P, C], actors: AnyActors) -> None:
        self._context = context
        self._actors = actors

    def grade(self) -> Grade:
        """Return how real the test was so far."""
        makes = frozenset[Make]().union(*(sockets.makes for sockets in self._context.sockets))
        return grade(self._context.server.kind, makes, self._context.clock)

    def load_figures(self) -> list[dict[str, Any]]:
        """Return how fast each load was; nothing on a virtual clock, where work takes no time."""
        real = self.grade().clock == TimeKind.REAL
        return self._context.loads.figures() if real else []

    def timeline(self) -> list[str]:
        """Return the event log as text; on a real clock, times count from the first event."""
        entries = self._context.log.entries()
        began = entries[0].at if entries and self.grade().clock == TimeKind.REAL else 0.0
        shown = (entry for entry in entries if entry.kind != NUMBERS_VOID)
        return [str(entry._replace(at=entry.at - began)) for entry in shown]

    def sizes(self) -> dict[str, Any]:
        """Return the pools' figures over the time of the test, as a results file has them."""
        context = self._context
        accounts = [pool.account for pool in context.pools]
        limits = {account.pool: account.most for account in accounts}
        used = (n for n, sockets in enumerate(context.sockets, 1) if sockets.created)
        made = timeline_of(
            context.log,
            {number: limits.get(number) for number in sorted({*limits, *used})},
            reported=[account.pool for account in accounts if account.is_partial],
            began=0.0 if context.is_virtual else None,
        )
        return made.as_result()

    def stuck(self) -> str:
        """Return who waits for what and who holds what. Safe in a signal handler."""
        return stuck_report(self._context.log.glance(), self._actors.awaits)

    def stop(self) -> Stop:
        """Return how a test stands that is given up. Safe in a signal handler."""
        log = self._context.log
        now = log.now()
        unfinished = (call for call in self._context.witness.calls.glance() if call.name == RELEASE)
        releases = [
            Entry(now, c.actor, LATE_RELEASE, pool=c.pool, ticket=c.ticket, detail=UNFINISHED)
            for c in unfinished
        ]
        if not log.is_silent():
            return Stop(())
        return Stop(
            log.glance(),
            releases,
            self._actors.awaits,
            _blocker(),
            may_connect=self._context.may_connect,
        )

    def state(self) -> list[str]:
        """Return what each pool and the server report now."""
        lines = [f"pool: {self._pool_state(pool)}" for pool in self._context.pools]
        return [*lines, f"server: {self._server_state()}"]

    def _pool_state(self, pool: P) -> str:
        pools = self._context.pools
        if not pools.answers(pool):
            return "does not answer"
        try:
            return str(at_most(ANSWER_WITHIN, pool.stats))
        except TooLongError as error:
            pools.leave_behind(pool)
            return f"does not answer: {error}"
        except AssertionError as error:  # the adapter's fault, which fails the test on its own
            return str(error)
        except Exception as error:  # the pool's own, which must not end the run
            return f"reports no figures: {text_of(error)}"

    def _server_state(self) -> str:
        try:
            number = self._context.observer.connections(lambda _: True)
            return f"{number} connection{'' if number == 1 else 's'}"
        except ServerError as error:
            return str(error)


def _blocker() -> str:
    """Return the task that runs in the calling thread's event loop now; empty if there is none."""
    with suppress(RuntimeError):  # no event loop runs in this thread
        task = asyncio.current_task()
        return task.get_name() if task else ""
    return ""
