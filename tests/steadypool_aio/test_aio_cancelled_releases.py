"""A cancellation at every place where a return suspends."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.steadypool_aio.cancellation import Moment
from tests.steadypool_aio.scenario import Scene, Stage, all_of, full, play_all

from steadypool import Reset


async def released(stage: Stage, spoil: Callable[[Any], None]) -> None:
    """Give back two that are alike; others wait for both."""
    held = await full(stage)
    others = await stage.start(stage.serve(), stage.serve(), stage.serve())
    for connection in held:
        spoil(connection)
    tasks = await stage.start(stage.strike(stage.pool.release(held[0])))
    await all_of(stage, tasks)
    await stage.pool.release(held[1])
    await all_of(stage, others)
    assert stage.served == 3


async def releasing_a_clean_one(stage: Stage) -> None:
    await released(stage, lambda connection: None)


async def releasing_a_transaction(stage: Stage) -> None:
    def spoil(connection: Any) -> None:
        connection.in_transaction = True
        connection.on_rollback = 2.0

    await released(stage, spoil)


async def releasing_what_cannot_be_rolled_back(stage: Stage) -> None:
    def spoil(connection: Any) -> None:
        connection.in_transaction = True
        connection.on_rollback = OSError("gone")
        connection.on_close = 2.0

    await released(stage, spoil)


async def releasing_a_closed_one(stage: Stage) -> None:
    await released(stage, lambda connection: connection.abort())


async def releasing_surplus(stage: Stage) -> None:
    held = await full(stage)
    held[1].on_close = 2.0
    await stage.pool.release(held[0])
    await all_of(stage, await stage.start(stage.strike(stage.pool.release(held[1]))))


async def releasing_after_the_pool_was_emptied(stage: Stage) -> None:
    held = await full(stage)
    await stage.pool.close_all()
    await stage.pool.release(held[1])
    held[0].on_close = 2.0
    held[0].in_transaction = True
    await all_of(stage, await stage.start(stage.strike(stage.pool.release(held[0]))))


async def releasing_while_the_pool_is_closed(stage: Stage) -> None:
    held = await full(stage)
    await stage.pool.release(held[1])
    held[0].in_transaction = True
    held[0].on_rollback = 1000.0
    tasks = await stage.start(stage.strike(stage.pool.release(held[0])))
    await stage.pool.close()
    await all_of(stage, tasks)


async def releasing_with_a_session_reset(stage: Stage) -> None:
    stage.pool = stage.new_pool(reset=Reset.SESSION, setup=stage.hook)
    await released(stage, lambda connection: None)


async def releasing_with_a_session_reset_in_vain(stage: Stage) -> None:
    stage.pool = stage.new_pool(reset=Reset.SESSION, setup=stage.third_fails)
    await released(stage, lambda connection: None)


async def releasing_for_the_last_time(stage: Stage) -> None:
    stage.pool = stage.new_pool(max_uses=1)
    await released(stage, lambda connection: setattr(connection, "on_close", 2.0))


async def releasing_when_it_is_time_to_tidy(stage: Stage) -> None:
    stage.pool = stage.new_pool(size=2, max_overflow=0, min_size=0, max_idle_time=5)
    held = await full(stage)
    await stage.pool.release(held[0])
    held[0].on_close = 2.0
    await stage.clock.sleep(10)
    await all_of(stage, await stage.start(stage.strike(stage.pool.release(held[1]))))


async def leaving_a_block(stage: Stage) -> None:
    await stage.pool.start()

    async def block() -> None:
        async with stage.pool as connection:
            connection.on_rollback = 2.0
            await stage.clock.sleep(1)

    await all_of(stage, await stage.start(stage.strike(block()), stage.serve(), stage.serve()))
    assert stage.served == 2


async def doing_a_unit_of_work(stage: Stage) -> None:
    await stage.pool.start()

    async def work() -> None:
        async with stage.pool.transaction() as connection:
            connection.on_commit = 2.0
            await stage.clock.sleep(1)

    await all_of(stage, await stage.start(stage.strike(work()), stage.serve(), stage.serve()))
    assert stage.served == 2


SCENES: dict[Scene, int] = {
    releasing_a_clean_one: 0,
    releasing_a_transaction: 1,
    releasing_what_cannot_be_rolled_back: 1,
    releasing_a_closed_one: 1,
    releasing_surplus: 1,
    releasing_after_the_pool_was_emptied: 1,
    releasing_while_the_pool_is_closed: 1,
    releasing_with_a_session_reset: 1,
    releasing_with_a_session_reset_in_vain: 1,
    releasing_for_the_last_time: 1,
    releasing_when_it_is_time_to_tidy: 1,
    leaving_a_block: 2,
    doing_a_unit_of_work: 4,
}
"""Each scene, with the least number of places at which its deed suspends."""


@pytest.mark.parametrize("listening", [False, True], ids=["plain", "listening"])
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_cancellation_at_any_place_loses_nothing(
    scene: Scene, moment: Moment, listening: bool
) -> None:
    play_all(scene, SCENES[scene], moment, listening)
