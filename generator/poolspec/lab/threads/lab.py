"""The lab: the words that generated tests are written in, for pools that are used by threads.

Everything a generated test calls is a method of `Lab`, of the pool or a connection it hands out, or
of the result of its load. Times are seconds of the test's clock. What the test does not undo, the
lab undoes; a test that passed on its own words is then held to the standing invariants by `verify`.

The words are written down by subject: what only reads in `expectations`, for both modes; what
makes things in `pools`, actors and time in `cast`, load in `crowd`, web applications in `visits`,
`interrupts` by themselves; faults and the end here.
"""

from contextlib import suppress
from functools import partial

from poolspec.invariants.complaints import broken
from poolspec.invariants.connection import close_left, end
from poolspec.invariants.observer import settle
from poolspec.lab.context import OVER
from poolspec.lab.threads.acting import Cast
from poolspec.lab.threads.interruption import Interrupts
from poolspec.lab.threads.load import Crowd
from poolspec.lab.threads.pool import Held, Pool
from poolspec.lifecycle.teardown import Undoing
from poolspec.vocabulary import CALL_FAULTS, Fault

__tracebackhide__ = True  # a failure is shown where the test failed


class Lab(Cast, Crowd, Interrupts):
    """What a generated test works with. Its methods belong to the test's main thread."""

    def fault(
        self,
        fault: Fault,
        *,
        on: Held | None = None,
        seconds: float = 0.0,
        times: int | None = None,
        after: int = 0,
    ) -> None:
        """Break something: `on` a connection, for so many `seconds`, or so many `times`.

        `after` so many calls that go well.
        """
        self._log.add("fault", detail=fault)
        if fault in CALL_FAULTS:
            self._calls.set(fault, seconds=seconds, times=times, after=after)
        else:
            self._strike(fault, on)

    def heal(self, fault: Fault) -> None:
        """End a fault."""
        if fault in CALL_FAULTS:
            self._calls.clear(fault)
        else:
            self._server_faults.clear(fault)
        self._log.add("healed", detail=fault)

    def verify(self) -> None:
        """Give everything back, check the standing invariants, and that closing leaves nothing.

        Raises AssertionError naming every invariant that is broken.
        """
        self._targets.hang_up()
        self._crew.join_all()
        self._calls.clear_all()
        for pool in self._pools:
            pool.dismiss()
            pool.release_all()
        said = list(self._broken_in_log())
        for pool in self._pools:
            said += self._broken_at_rest(pool, pool.stats())
        self._stop_service()
        for pool in self._pools:
            pool.close()
        threads = settle(self._thread_names, lambda names: not names)
        said += [f"threads are left: {', '.join(threads)}"] if threads else []
        broken(said + self._left() + self._told())

    def dispose(self) -> None:
        """Undo everything, however the test ended and whatever its pool does.

        Raises the first thing that went wrong: an error, or AssertionError saying what did not end.
        """
        undoing = Undoing(OVER)
        undoing.do("the test's clock", self.abort)
        undoing.do("the faults", self._calls.clear_all)
        undoing.do("the ports", self._targets.hang_up)
        self._traffic.stop_all()
        for stranger in self._strangers:  # first, for somebody may wait for a lock of theirs
            undoing.do("a connection without a pool", partial(end, stranger.raw))
        undoing.do("the web application", self._stop_service, patience=None)
        self._crew.abandon()
        for pool in self._pools:
            undoing.do("the pool's housekeeper", pool.dismiss)
            self._close(pool, undoing)
        for sockets in self._counted:
            undoing.do("the connections", partial(close_left, sockets))
        self.clean_up(undoing)
        undoing.judge()

    def _close(self, pool: Pool, undoing: Undoing) -> None:
        if self._answers(pool) and not undoing.do("the pool's close", partial(self._shut, pool)):
            self._leave_behind(pool)

    def _shut(self, pool: Pool) -> None:
        with suppress(Exception):  # verify has told; what it leaves is closed by the lab
            self._adapter.close(pool.raw)
