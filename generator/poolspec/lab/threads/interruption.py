"""Attempts that are interrupted at every point where they may block, one point after another."""

from collections.abc import Callable

from poolspec.interruption.points import MOST, Point
from poolspec.interruption.releasing import Releasing
from poolspec.interruption.rounds import OpenSockets, check_points, noting_point
from poolspec.invariants.checks import INTERRUPTED
from poolspec.lab.contract import PoolAdapter
from poolspec.lab.threads.pool import ThreadsContext
from poolspec.lab.threads.pools import Pools
from poolspec.lab.threads.rest import Rest
from poolspec.vocabulary import Interruption

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
        sockets = OpenSockets()
        clock = type(self._context.clock).__module__
        for number in range(1, MOST):
            point = Point(number, by, self._context.kind_of, clock, may_recover=may_recover)
            self._round(attempt, point, clock, sockets)
            if not point.where:
                return check_points(number - 1, at_least)
            self._context.log.add(INTERRUPTED, detail=point.where)
        raise AssertionError(f"not through after {MOST} points")

    def _round(self, attempt: Attempt, point: Point, clock: str, sockets: OpenSockets) -> None:
        pool = self._context.pools.only()
        self._context.hooks.forget()
        with noting_point(point):
            pool.close()
            sockets.check()
            pool.renew(*self._pools.new())
            point.releasing = Releasing(pool.raw, self._adapter.release, clock)
            attempt(point)
            self._rest.check(pool)
