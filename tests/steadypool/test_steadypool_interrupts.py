"""No exception at any point of an acquire or release loses anything."""

import gc
import itertools
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from tests.steadypool.rig import SCENARIOS, Interrupt, Rig

from steadypool import (
    ConnectionPool,
    NotBorrowedError,
)
from steadypool._core.core import Core


def trips(scenario: Callable[[Rig], None], variant: str, options: dict[str, Any]) -> Iterator[bool]:
    for count in itertools.count(1):
        rig = Rig(variant, **options)
        rig.wire.left = count
        with suppress(Interrupt):
            scenario(rig)
        tripped = rig.wire.tripped
        rig.check()
        yield tripped
        if not tripped:
            return


@pytest.mark.parametrize("variant", ["plain", "listening", "hooked"])
@pytest.mark.parametrize(("scenario", "options"), SCENARIOS)
def test_an_interrupt_at_any_point_loses_nothing(
    scenario: Callable[[Rig], None], options: dict[str, Any], variant: str
) -> None:
    assert sum(trips(scenario, variant, options)) >= 2


def test_a_release_interrupted_before_its_checkin_is_completed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rig = Rig()
    held = rig.pool.acquire()

    def interrupted(*_: object) -> bool:
        raise Interrupt

    with monkeypatch.context() as patch, pytest.raises(Interrupt):
        patch.setattr(Core, "put_back", interrupted)
        rig.pool.release(held)
    rig.check()


@pytest.mark.parametrize("when", ["before the wait", "after the hand-over"])
def test_an_interrupted_waiter_leaves_the_connection_to_the_next(
    when: str, clock: Any, connect: Any, actors: Any
) -> None:
    pool = ConnectionPool(size=1, max_overflow=0, connect=connect, clock=clock)
    held = pool.acquire()
    served: list[object] = []
    engine: Any = pool._engine

    class Interrupted:
        def __init__(self) -> None:
            self._waiter = clock.waiter()
            self.wake = self._waiter.wake

        def wait(self, deadline: float | None) -> bool:
            if when == "after the hand-over":
                self._waiter.wait(deadline)
            raise Interrupt

    def client() -> None:
        with pool as connection:
            served.append(connection)

    def victim() -> None:
        with pytest.raises(Interrupt):
            pool.acquire()

    if when == "after the hand-over":
        engine._waiter = Interrupted
        actors.queue(pool, victim)
    else:
        engine._waiter = Interrupted
        victim()
    engine._waiter = clock.waiter
    actors.queue(pool, client)
    pool.release(held)
    actors.join()
    assert served == [held]
    pool.close()


def test_a_storm_of_signals_loses_no_connection() -> None:
    """An interrupt once per operation, at any bytecode."""
    rig = Rig()
    armed = False

    def interrupt(number: int, frame: object) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise Interrupt

    def interrupted(work: Callable[[], None]) -> bool:
        nonlocal armed
        try:
            armed = True
            work()
            armed = False
        except Interrupt:
            return True
        return False

    held: list[Any] = []
    interrupts = 0
    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.0003, 0.0003)
    gc.disable()  # callbacks of a collection would swallow the interrupt
    try:
        for turn in range(1500):
            for _ in range(2):
                interrupts += interrupted(lambda: held.append(rig.pool.acquire()))
            for connection in held:
                connection.in_transaction = turn % 4 == 0
                if interrupted(partial(rig.pool.release, connection)):
                    interrupts += 1
                    with suppress(
                        NotBorrowedError
                    ):  # unless the interrupt came before the release began
                        rig.pool.release(connection)
            held.clear()
    finally:
        gc.enable()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert interrupts > 0
    rig.check(interrupts)
