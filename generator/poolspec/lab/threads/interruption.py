"""Attempts that are repeated, each with one interruption or one re-entry at the next point."""

import threading
from collections.abc import Callable, Collection

from poolspec.interruption.broken_rounds import BrokenRounds
from poolspec.interruption.points import MOST, Point
from poolspec.interruption.reentry import ReentryPoint, Site, Tried
from poolspec.interruption.releasing import Releasing
from poolspec.interruption.rounds import OpenSockets, check_points, check_points_by, noting_point
from poolspec.invariants.complaints import demand
from poolspec.invariants.defects import broken, findings_in
from poolspec.invariants.marks import INTERRUPTED, REENTERED
from poolspec.lab.contract import PoolAdapter
from poolspec.lab.threads.actors import Actors
from poolspec.lab.threads.pool import Pool, ThreadsContext
from poolspec.lab.threads.pools import Pools
from poolspec.lab.threads.rest import Rest
from poolspec.lifecycle.forking import IN_CHILD, Progress, in_child
from poolspec.vocabulary import Caller, Capability, ErrorKind, Interruption, StatName

__tracebackhide__ = True  # a failure is shown where the test failed

Attempt = Callable[[Point], None]


class Interrupter:
    """Repeats an attempt, interrupted at another point each time."""

    def __init__(
        self, context: ThreadsContext, adapter: PoolAdapter, pools: Pools, rest: Rest
    ) -> None:
        self._context = context
        self._adapter = adapter
        self._pools = pools
        self._rest = rest

    def everywhere(
        self, attempt: Attempt, by: Interruption, at_least: int, *, may_recover: bool
    ) -> None:
        """Repeat an attempt until it runs through; see `Lab.interrupt_everywhere`."""
        context, sockets, rounds = self._context, OpenSockets(), BrokenRounds()
        context.pools.meant().close()
        sockets.check()
        clock = type(context.clock).__module__
        for tried in range(MOST):
            point = Point(tried + 1, by, context.kind_of, clock, may_recover=may_recover)
            ended = self._round(attempt, point, clock, sockets, rounds)
            if not point.where:
                rounds.raise_all(tried + 1, all_tried=True)
                return check_points(tried, at_least)
            context.log.add(INTERRUPTED, detail=point.where)
            if not ended or rounds.are_enough:
                rounds.raise_all(tried + 1, all_tried=False)
        raise AssertionError(f"not through after {MOST} points")

    def _round(
        self,
        attempt: Attempt,
        point: Point,
        clock: str,
        sockets: OpenSockets,
        rounds: BrokenRounds,
    ) -> bool:
        """Do one round; leave its pool open if there was no interruption. Return whether it ended.

        The actors of a round that did not end still use its pool.
        """
        pool = self._context.pools.meant()
        self._context.hooks.forget()
        try:
            with noting_point(point), self._context.rounds():
                pool.renew(*self._pools.new())
                point.releasing = Releasing(pool.raw, self._adapter.release, clock)
                attempt(point)
                self._rest.check(pool)
                if point.where:
                    pool.close()
                    sockets.check()
        except Exception as error:
            return self._rest.end_broken(pool, self._pools, rounds, point.where, error)
        return True


Reentering = Callable[[ReentryPoint], None]


class Reenterer:
    """Repeats an attempt in a forked child; the pool is re-entered at another point each time.

    A pool that deadlocks on its own lock cannot be freed: the parent kills the child.
    """

    def __init__(self, context: ThreadsContext, actors: Actors, pools: Pools, rest: Rest) -> None:
        self._context = context
        self._actors = actors
        self._pools = pools
        self._rest = rest

    def everywhere(
        self,
        attempt: Reentering,
        *,
        by: Caller,
        at_least: int = 1,
        may_fail: Collection[ErrorKind] = (),
    ) -> None:
        """Repeat an attempt until it runs through without a re-entry. Tests call it as `reenter`.

        Each attempt has a new pool, made like the test's, which afterwards must have lost nothing.
        The re-entered call may be refused at once; the call that it re-enters may fail in the ways
        of `may_fail`. Raises AssertionError, also for a deadlock and for fewer points than
        `at_least`.
        """
        pool = self._context.pools.meant()
        pool.close()
        with Progress() as self._progress:
            try:
                in_child(lambda: self._rounds(attempt, by, at_least, may_fail), self._progress)
            except AssertionError as error:
                text = str(error).removeprefix(IN_CHILD)
                check_points_by(text)
                broken(findings_in(text))
                raise
        pool.renew(*self._pools.new())

    def _rounds(
        self, attempt: Reentering, by: Caller, at_least: int, may_fail: Collection[ErrorKind]
    ) -> None:
        """In the child: do all rounds. The parent's pool is closed, and its actors are not here."""
        self._context.observer.forget()
        self._actors.forget()
        sockets, tried, rounds = OpenSockets(), Tried(), BrokenRounds()
        sockets.check()
        for number in range(1, MOST):
            self._context.pools.meant().renew(*self._pools.new())
            point = ReentryPoint(tried, by, may_fail, self._site())
            point.progress = self._progress
            self._progress.note("before the pool is re-entered")
            ended = self._round(attempt, point, sockets, rounds)
            if not point.where:
                rounds.raise_all(number, all_tried=True)
                return check_points(len(tried), at_least)
            self._context.log.add(REENTERED, detail=point.where)
            if not ended or rounds.are_enough:
                rounds.raise_all(number, all_tried=False)
        raise AssertionError(f"not through after {MOST} points")

    def _round(
        self, attempt: Reentering, point: ReentryPoint, sockets: OpenSockets, rounds: BrokenRounds
    ) -> bool:
        """Do one round, and close its pool. Return whether its actors have ended."""
        context, pool = self._context, self._context.pools.meant()
        context.hooks.forget()
        try:
            with noting_point(point), self._context.rounds():
                attempt(point)
                self._progress.note(f"after the pool was re-entered {point.where}")
                self._actors.join_all()
                self._check_done(pool)
                self._rest.check(pool)
                pool.close()
                sockets.check()
        except Exception as error:
            return self._rest.end_broken(pool, self._pools, rounds, point.where, error)
        return True

    def _check_done(self, pool: Pool) -> None:
        """Raise AssertionError if the re-entered call left work for a later call of its thread.

        Another thread looks: a thread that never calls the pool again must leave nothing undone.
        """
        if Capability.STATISTICS not in self._context.capabilities:
            return
        seen: list[int] = []
        thread = threading.Thread(target=lambda: seen.append(pool.stats()[StatName.IN_USE]))
        thread.start()
        thread.join()
        held = len(pool.numbers())
        text = f"{seen[0]} connections are on loan after the steps, and the test holds {held}"
        demand(text if seen[0] != held else None)

    def _site(self) -> Site:
        context = self._context
        logger, raw = context.log_records.logger, context.pools.meant().raw
        return Site(raw, context.clock, logger, context.foreign, context.kind_of)
