"""The end of a threads test: its invariants are checked, and everything is undone."""

import threading
from contextlib import suppress
from functools import partial

from poolspec.invariants.defects import Defect, Finding, broken
from poolspec.invariants.log import MAIN
from poolspec.invariants.observer import settle
from poolspec.lab.context import OVER
from poolspec.lab.contract import PoolAdapter
from poolspec.lab.threads.actors import Actors
from poolspec.lab.threads.pool import Pool, ThreadsContext
from poolspec.lab.threads.pools import Pools
from poolspec.lab.threads.rest import Rest
from poolspec.lab.threads.waiting import wait_until
from poolspec.lab.threads.web import Web
from poolspec.lifecycle.teardown import Teardown
from poolspec.witness.sampler import Sampler

__tracebackhide__ = True  # a failure is shown where the test failed


class Ending:
    """Ends one test."""

    def __init__(
        self,
        context: ThreadsContext,
        adapter: PoolAdapter,
        actors: Actors,
        pools: Pools,
        web: Web,
        rest: Rest,
        threads: set[threading.Thread],
        sampler: Sampler,
    ) -> None:
        self._context = context
        self._adapter = adapter
        self._driver = adapter.driver
        self._actors = actors
        self._pools = pools
        self._web = web
        self._rest = rest
        self._sampler = sampler
        self._not_of_the_test = {*threads, sampler.thread}

    def verify(self) -> None:
        """Release everything, check the invariants, and check that closing leaves nothing.

        Raises BrokenInvariantsError that lists all findings.
        """
        context, checks = self._context, self._rest.checks
        context.targets.hang_up()
        self._actors.join_all()
        found = self._at_rest()
        self._web.stop()
        for pool in context.pools:
            pool.close()
        threads = settle(self._thread_names, lambda names: not names)
        text = f"threads are left: {', '.join(threads)}"
        found += [Finding(Defect.LEAK, text)] if threads else []
        broken(checks.shown(found + checks.left() + checks.passwords()))

    def examine(self) -> list[Finding]:
        """Bring a failed test to rest as it was left, and return what is broken.

        First the main actor releases what it holds, because the others may wait for that. May hang
        or raise any exception if the pool does.
        """
        context = self._context
        context.targets.hang_up()
        context.loads.stop_all()
        context.heal()
        for pool in context.pools:
            pool.release_all(MAIN)
        wait_until(context.log, context.clock, lambda: not self._actors.unfinished())
        return self._rest.checks.shown(self._at_rest())

    def _at_rest(self) -> list[Finding]:
        """Release everything, and return what is broken."""
        context, checks = self._context, self._rest.checks
        context.heal()
        for pool in context.pools:
            pool.dismiss()
            pool.release_all()
        found = list(checks.in_log())
        for pool in context.pools:
            found += checks.at_rest(pool)
        if not any(finding.defect is Defect.LEAK for finding in found):
            found += self._rest.lost_slots()
        return found

    def dispose(self) -> None:
        """Undo everything, however the test ended.

        Raises the first error, or AssertionError that names a step that did not end.
        """
        self._sampler.stop()
        teardown = Teardown(OVER)
        teardown.do("the test's clock", partial(self._context.clock.abort, OVER))
        teardown.do("the faults", self._context.heal)
        teardown.do("the ports", self._context.targets.hang_up)
        self._context.loads.stop_all()
        for stranger in self._pools.strangers:  # first: an actor may wait for a lock of theirs
            end = partial(self._driver.end, stranger.raw)
            teardown.do("a connection without a pool", end)
        teardown.do("the web application", self._web.stop, limit=None)
        if self._context.witness.found:  # an actor waits in a pool, perhaps until that is closed
            self._close_all(teardown)
        self._actors.abandon()
        for pool in self._context.pools:
            teardown.do("the pool's housekeeper", pool.dismiss)
        self._close_all(teardown)
        for sockets in self._context.sockets:
            for connection in sockets.open().values():
                teardown.do("a connection", partial(self._driver.end, connection))
        self._context.clean_up(teardown)
        teardown.raise_first()

    def _close_all(self, teardown: Teardown) -> None:
        for pool in self._context.pools:
            self._close(pool, teardown)

    def _close(self, pool: Pool, teardown: Teardown) -> None:
        pools = self._context.pools
        if pools.answers(pool) and not teardown.do("the pool's close", partial(self._shut, pool)):
            pools.leave_behind(pool)

    def _shut(self, pool: Pool) -> None:
        with suppress(Exception):  # verify has reported it; the lab closes what is left
            self._adapter.close(pool.raw)

    def new_threads(self) -> set[threading.Thread]:
        """Return the threads that have started since the lab was made, without the lab's own."""
        return set(threading.enumerate()) - self._not_of_the_test

    def _thread_names(self) -> list[str]:
        return [thread.name for thread in self.new_threads()]
