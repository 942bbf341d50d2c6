"""A signal may strike wherever Python looks for one: as a function begins, and after one in C.

Each scene is played over and over, and cut short at the next of these places in the pool's code, up
to the last. Not cut short are the first instruction of a `release` or `__exit__`, and what a
generator's block does as it ends: there nobody can know yet that something is to be given back.
"""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest
from tests.steadypool import test_steadypool_interrupts as scenes
from tests.steadypool.test_steadypool_interrupts import Stage

from steadypool import ConnectionPool, PoolClosedError, Reset
from steadypool.testing import ScriptedConnector, VirtualClock

TOOLS = {"_testing.scripted", "_testing.clock"}
"""What the tests put in the place of C: a real waiter is woken by a method of a lock."""
OUT_OF_REACH = {"release", "__exit__", "connection", "transaction"}


class Struck(BaseException):
    """What the signal raises."""


class Strike:
    """Raises at one of the places, counted from the first that is passed."""

    def __init__(self, count: int) -> None:
        self._left = count

    @property
    def came(self) -> bool:
        return self._left <= 0

    def __enter__(self) -> None:
        sys.setprofile(self._look)

    def __exit__(self, *details: object) -> None:
        sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        package, _, module = frame.f_globals["__name__"].partition(".")
        if package != "steadypool" or module in TOOLS:
            return
        if event == "c_return" or (event == "call" and code.co_name not in OUT_OF_REACH):
            self._left -= 1
            if self.came:
                sys.setprofile(None)
                raise Struck


def strikes(scene: Callable[[Stage], None], options: dict[str, Any]) -> Iterator[bool]:
    for count in itertools.count(1):
        stage = Stage(**options)
        strike = Strike(count)
        with suppress(Struck), strike:
            scene(stage)
        stage.check(interrupts=len(stage.opened))
        yield strike.came
        if not strike.came:
            return


@pytest.mark.parametrize(
    ("scene", "options"),
    [
        (scenes.overflow, {}),
        (scenes.overflow, {"max_uses": 1}),
        (scenes.dead, {}),
        (scenes.dirty, {}),
        (scenes.dirty, {"reset": Reset.SESSION}),
        (scenes.late, {}),
        (scenes.lost, {}),
        (scenes.held_back, {}),
        (scenes.resized, {}),
        (scenes.looked_after, {"max_idle_time": 5, "min_size": 0}),
        (scenes.emptied, {}),
        (scenes.drained, {}),
        (scenes.crowded, {"max_waiting": 0}),
    ],
)
def test_a_signal_at_any_place_loses_nothing(
    scene: Callable[[Stage], None], options: dict[str, Any]
) -> None:
    assert sum(strikes(scene, options)) > 20


@pytest.mark.parametrize("work", ["resume", "resize"])
def test_a_signal_that_cuts_short_who_lets_others_on_leaves_nobody_waiting(
    work: str, make_pool: Any, crew: Any
) -> None:
    for count in itertools.count(1):
        pool = make_pool(timeout=None)
        held = None
        if work == "resume":
            pool.suspend()
        else:
            held = pool.acquire()

        def client(pool: ConnectionPool = pool) -> None:
            with pool:
                pass

        def let_on(pool: ConnectionPool = pool) -> None:
            pool.resume() if work == "resume" else pool.resize(size=2)

        crew.queue(pool, client)
        strike = Strike(count)
        with suppress(Struck), strike:
            let_on()
        if pool.suspended or (held and pool.max_size == 1):
            let_on()  # it had not begun
        crew.join()
        pool.release(held)
        pool.close()
        if not strike.came:
            return


def test_a_signal_that_cuts_short_a_close_leaves_nobody_waiting(make_pool: Any, crew: Any) -> None:
    for count in itertools.count(1):
        pool = make_pool(timeout=None)
        refused: list[object] = []

        def client(pool: Any = pool, refused: list[object] = refused) -> None:
            with suppress(PoolClosedError):
                refused.append(pool.acquire())

        held = pool.acquire()
        crew.queue(pool, client)
        crew.queue(pool, client)
        strike = Strike(count)
        with suppress(Struck), strike:
            pool.close()
        if not pool.closed:
            pool.close()  # it had not begun
        crew.join()
        pool.release(held)
        assert (refused, pool.stats().total_connections) == ([], 0)
        if not strike.came:
            return


def test_a_signal_as_a_failed_set_up_is_put_away_loses_no_slot(
    make_pool: Any, clock: VirtualClock
) -> None:
    failing: list[bool] = []

    def set_up(connection: object) -> None:
        if failing:
            raise ValueError

    for count in itertools.count(1):
        # One whose close was interrupted before it began is left to its finalizer.
        connect = ScriptedConnector(clock=clock)
        pool = make_pool(size=1, max_overflow=0, setup=set_up, connect=connect)
        connect.opened[-1].die()
        failing.append(True)
        strike = Strike(count)
        with suppress(Struck), strike:
            pool.maintain()
        failing.clear()
        pool.release(pool.acquire(timeout=5))
        pool.close()
        assert (pool.stats().total_connections, pool._core.pending) == (0, 0)
        if not strike.came:
            return
