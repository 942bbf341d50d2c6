"""A cancellation at every place where an acquire suspends."""

from typing import Any

import pytest
from tests.steadypool_aio.cancellation import Moment
from tests.steadypool_aio.scenario import (
    LIMIT,
    Scene,
    Stage,
    StubbornConnector,
    all_of,
    full,
    play_all,
)


async def queued_and_handed_a_connection(stage: Stage) -> None:
    held = await full(stage)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    for connection in held:
        await stage.pool.release(connection)
    await all_of(stage, tasks)
    assert stage.served == 1


async def queued_and_handed_a_slot(stage: Stage) -> None:
    held = await full(stage)
    stage.connect.then(5.0)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    await stage.pool.close_all()
    for connection in held:
        await stage.pool.release(connection)
    await all_of(stage, tasks)
    assert stage.served == 1


async def queued_too_long(stage: Stage) -> None:
    held = await full(stage)
    tasks = await stage.start(stage.strike(stage.pool.acquire(timeout=3)), stage.serve())
    await stage.clock.sleep(10)
    for connection in held:
        await stage.pool.release(connection)
    await all_of(stage, tasks)
    assert stage.served == 1


async def queued_and_refused(stage: Stage) -> None:
    held = await full(stage)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    await stage.pool.close()
    for connection in held:
        await stage.pool.release(connection)
    await all_of(stage, tasks)


async def connecting(stage: Stage) -> None:
    await stage.pool.start()
    stage.connect.then(5.0)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve(), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def connecting_stubbornly(stage: Stage) -> None:
    stage.connect = StubbornConnector(clock=stage.clock)
    stage.pool = stage.new_pool()
    await connecting(stage)


async def connecting_in_vain(stage: Stage) -> None:
    await stage.pool.start()
    stage.connect.then(OSError("refused"))
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve(), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def connecting_too_long(stage: Stage) -> None:
    await stage.pool.start()
    stage.connect.then(50.0)
    tasks = await stage.start(
        stage.strike(stage.pool.acquire(timeout=3)), stage.serve(), stage.serve()
    )
    await all_of(stage, tasks)
    assert stage.served == 2


async def connecting_while_the_pool_is_closed(stage: Stage) -> None:
    await stage.pool.start()
    stage.connect.then(50.0)
    tasks = await stage.start(stage.strike(stage.pool.acquire()))
    await stage.pool.close()
    await all_of(stage, tasks)


async def finding_a_dead_connection(stage: Stage) -> None:
    await stage.pool.start()
    await stage.serve()
    stage.connect.opened[0].die()
    stage.connect.opened[0].on_close = 2.0
    stage.connect.then(2.0)
    await stage.clock.sleep(10)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def finding_a_stale_connection(stage: Stage) -> None:
    await stage.pool.start()
    await stage.serve()
    stage.connect.opened[0].on_close = 2.0
    await stage.clock.sleep(2000)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def preparing(stage: Stage, **hooks: Any) -> None:
    """Acquire with hooks that take 2 s; two others come later."""
    stage.pool = stage.new_pool(**hooks)
    await stage.pool.start()
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve(), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def setting_up(stage: Stage) -> None:
    await preparing(stage, setup=stage.hook)


async def setting_up_in_vain(stage: Stage) -> None:
    await preparing(stage, setup=stage.first_fails)


async def preparing_for_the_borrower(stage: Stage) -> None:
    await preparing(stage, on_acquire=stage.hook)


async def preparing_in_vain(stage: Stage) -> None:
    await preparing(stage, on_acquire=stage.first_fails)


async def validating(stage: Stage) -> None:
    stage.pool = stage.new_pool(validate_after=5)
    await stage.pool.start()
    await stage.serve()
    stage.connect.opened[0].on_rollback = 2.0
    await stage.clock.sleep(10)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve(), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 3


async def validating_in_vain(stage: Stage) -> None:
    stage.pool = stage.new_pool(validate_after=5)
    await stage.pool.start()
    await stage.serve()
    stage.connect.opened[0].on_rollback = OSError("gone")
    stage.connect.opened[0].on_close = 1.0
    stage.connect.then(OSError("refused"))
    await stage.clock.sleep(10)
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def resting_between_two_attempts(stage: Stage) -> None:
    await stage.pool.start()
    stage.connect.then(OSError("refused"), OSError("refused"))
    tasks = await stage.start(stage.strike(stage.pool.acquire()))
    await all_of(stage, [*tasks, *await stage.start(stage.serve(), stage.serve())])
    assert stage.served == 2


async def resting_while_the_pool_is_closed(stage: Stage) -> None:
    await stage.pool.start()
    stage.connect.then(OSError("refused"), OSError("refused"))
    tasks = await stage.start(stage.strike(stage.pool.acquire()))
    await stage.pool.close()
    await all_of(stage, tasks)


async def waiting_for_leave_to_connect(stage: Stage) -> None:
    stage.pool = stage.new_pool(max_connecting=1)
    await stage.pool.start()
    stage.connect.then(2.0)
    tasks = await stage.start(stage.serve(), stage.strike(stage.pool.acquire()), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def waiting_for_the_pool_to_resume(stage: Stage) -> None:
    await stage.pool.start()
    stage.pool.suspend()
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve(), stage.serve())
    stage.pool.resume()
    await all_of(stage, tasks)
    assert stage.served == 2


async def waiting_for_a_larger_pool(stage: Stage) -> None:
    stage.pool = stage.new_pool(size=1, max_overflow=0)
    await stage.pool.start()
    held = await stage.pool.acquire()
    tasks = await stage.start(stage.strike(stage.pool.acquire()), stage.serve())
    await stage.pool.resize(max_overflow=LIMIT - 1)
    await all_of(stage, tasks)
    await stage.pool.release(held)
    assert stage.served == 1


SCENES: dict[Scene, int] = {
    queued_and_handed_a_connection: 1,
    queued_and_handed_a_slot: 2,
    queued_too_long: 1,
    queued_and_refused: 1,
    connecting: 1,
    connecting_stubbornly: 1,
    connecting_in_vain: 3,
    connecting_too_long: 2,
    connecting_while_the_pool_is_closed: 1,
    finding_a_dead_connection: 2,
    finding_a_stale_connection: 1,
    setting_up: 2,
    setting_up_in_vain: 2,
    preparing_for_the_borrower: 2,
    preparing_in_vain: 2,
    validating: 1,
    validating_in_vain: 3,
    resting_between_two_attempts: 3,
    resting_while_the_pool_is_closed: 2,
    waiting_for_leave_to_connect: 2,
    waiting_for_the_pool_to_resume: 2,
    waiting_for_a_larger_pool: 2,
}
"""Each scene, with the least number of places at which its deed suspends."""


@pytest.mark.parametrize("listening", [False, True], ids=["plain", "listening"])
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_cancellation_at_any_place_loses_nothing(
    scene: Scene, moment: Moment, listening: bool
) -> None:
    play_all(scene, SCENES[scene], moment, listening)
