"""Signals at every point where Python handles them: at the start of a function, after a C call.

Each scenario runs repeatedly, interrupted at the next of these points in the pool's code until none
is left. The tests exclude the first instruction of `release` and of the end of a block, and the end
of a generator's context: at these points the pool cannot know yet that a connection is being
released.
"""

import itertools
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest
from tests.steadypool import rig as scenarios
from tests.steadypool.rig import Rig

from steadypool import ConnectionPool, PoolClosedError, Reset
from steadypool.testing import ScriptedConnector, VirtualClock

TOOLS = {"_testing.scripted", "_testing.clock"}
"""Test tools that replace C code: the system's waiter is woken by a lock's own method."""
EXCLUDED = {"release", "__call__", "connection", "transaction"}


class SignalError(BaseException):
    """The exception that the signal raises."""


class Signal:
    """Raises at the point with this number."""

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
        if event == "c_return" or (event == "call" and code.co_name not in EXCLUDED):
            self._left -= 1
            if self.came:
                sys.setprofile(None)
                raise SignalError


def signals(scenario: Callable[[Rig], None], options: dict[str, Any]) -> Iterator[bool]:
    for count in itertools.count(1):
        rig = Rig(**options)
        signal = Signal(count)
        with suppress(SignalError), signal:
            scenario(rig)
        rig.check(interrupts=len(rig.opened))
        yield signal.came
        if not signal.came:
            return


@pytest.mark.parametrize(
    ("scenario", "options"),
    [
        (scenarios.overflow, {}),
        (scenarios.overflow, {"max_uses": 1}),
        (scenarios.dead, {}),
        (scenarios.dirty, {}),
        (scenarios.dirty, {"reset": Reset.SESSION}),
        (scenarios.late, {}),
        (scenarios.lost, {}),
        (scenarios.suspended, {}),
        (scenarios.resized, {}),
        (scenarios.maintained, {"max_idle_time": 5, "min_size": 0}),
        (scenarios.emptied, {}),
        (scenarios.drained, {}),
        (scenarios.crowded, {"max_waiting": 0}),
    ],
)
def test_a_signal_at_any_point_loses_nothing(
    scenario: Callable[[Rig], None], options: dict[str, Any]
) -> None:
    assert sum(signals(scenario, options)) > 20


@pytest.mark.parametrize("work", ["resume", "resize"])
def test_a_signal_in_resume_or_resize_leaves_no_waiter_unserved(
    work: str, make_pool: Any, actors: Any
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

        def let_continue(pool: ConnectionPool = pool) -> None:
            pool.resume() if work == "resume" else pool.resize(size=2)

        actors.queue(pool, client)
        signal = Signal(count)
        with suppress(SignalError), signal:
            let_continue()
        if pool.suspended or (held and pool.max_size == 1):
            let_continue()  # interrupted before it began
        actors.join()
        pool.release(held)
        pool.close()
        if not signal.came:
            return


def test_a_signal_in_close_leaves_no_waiter_waiting(make_pool: Any, actors: Any) -> None:
    for count in itertools.count(1):
        pool = make_pool(timeout=None)
        refused: list[object] = []

        def client(pool: Any = pool, refused: list[object] = refused) -> None:
            with suppress(PoolClosedError):
                refused.append(pool.acquire())

        held = pool.acquire()
        actors.queue(pool, client)
        actors.queue(pool, client)
        signal = Signal(count)
        with suppress(SignalError), signal:
            pool.close()
        if not pool.closed:
            pool.close()  # interrupted before it began
        actors.join()
        pool.release(held)
        assert (refused, pool.stats().total_connections) == ([], 0)
        if not signal.came:
            return


def test_a_signal_while_a_failed_setup_is_cleaned_up_loses_no_slot(
    make_pool: Any, clock: VirtualClock
) -> None:
    failing: list[bool] = []

    def set_up(connection: object) -> None:
        if failing:
            raise ValueError

    for count in itertools.count(1):
        # If a close was interrupted before it began, the finalizer closes the connection.
        connect = ScriptedConnector(clock=clock)
        pool = make_pool(size=1, max_overflow=0, setup=set_up, connect=connect)
        connect.opened[-1].die()
        failing.append(True)
        signal = Signal(count)
        with suppress(SignalError), signal:
            pool.maintain()
        failing.clear()
        pool.release(pool.acquire(timeout=5))
        pool.close()
        assert (pool.stats().total_connections, pool._core.pending) == (0, 0)
        if not signal.came:
            return
