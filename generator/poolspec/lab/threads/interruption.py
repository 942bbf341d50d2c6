"""Interrupts: attempts, each of them cut short at another point where it may block."""

from collections.abc import Callable

from poolspec.interruption.points import MOST, Cut
from poolspec.interruption.releasing import Returning
from poolspec.interruption.rounds import (
    CALM,
    OpenSockets,
    check_idle,
    check_points,
    lendable,
    telling,
)
from poolspec.invariants.checks import CUT_SHORT
from poolspec.invariants.complaints import broken
from poolspec.lab.threads.pool import Pool
from poolspec.lab.threads.pools import Pools
from poolspec.vocabulary import ErrorKind, Interruption

__tracebackhide__ = True  # a failure is shown where the test failed


class Interrupts(Pools):
    """Attempts that are cut short."""

    def interrupt_everywhere(
        self,
        attempt: Callable[[Cut], None],
        *,
        by: Interruption = Interruption.INTERRUPT,
        at_least: int = 1,
        may_recover: bool = False,
    ) -> None:
        """Make an attempt again and again, cut short at another point each time.

        Each has a pool of its own, made as the test's, after which nothing may be missing there;
        the last one is not cut short, and its pool is the test's from then on. What cut an attempt
        short must come out of it, unless it is a timeout and `may_recover`. Raises AssertionError,
        also if there are fewer points than `at_least`.
        """
        pool, sockets = self._only_pool(), OpenSockets()
        for number in range(1, MOST):
            clock = type(self._clock).__module__
            cut = Cut(number, by, self._adapter.kind_of, clock, may_recover=may_recover)
            self._hooks.forget()
            with telling(cut):
                pool.close()
                sockets.check()
                pool.renew(*self._new_pool())
                cut.returning = Returning(pool.raw, self._adapter.release, clock)
                attempt(cut)
                self._come_to_rest(pool)
            if not cut.where:
                return check_points(number - 1, at_least)
            self._log.add(CUT_SHORT, detail=cut.where)
        raise AssertionError(f"not through after {MOST} points")

    def _come_to_rest(self, pool: Pool) -> None:
        """Give all back, and see that nothing is missing: all can be borrowed, all counts agree."""
        self._crew.join_all()
        self._let_rest()
        pool.release_all()
        if self._is_virtual():
            self._clock.sleep(CALM)
        check_idle(pool.stats(), self._capabilities)
        self._borrow_all(pool)
        broken(self._broken_at_rest(pool, pool.stats()))

    def _borrow_all(self, pool: Pool) -> None:
        try:
            for _ in range(lendable(pool.stats(), self._capabilities)):
                pool.acquire()
        except Exception as error:
            if not pool.is_over or self._adapter.kind_of(error) is not ErrorKind.CLOSED:
                raise
        pool.release_all()
