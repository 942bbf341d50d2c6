"""A cancellation at every place where a call for the whole pool suspends."""

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


async def emptying(stage: Stage) -> None:
    stage.pool = stage.new_pool(size=2, max_overflow=0, min_size=2)
    await stage.pool.start()
    for connection in stage.connect.opened:
        connection.on_close = 2.0
    tasks = await stage.start(stage.strike(stage.pool.close_all()), stage.serve(), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def closing(stage: Stage) -> None:
    await stage.pool.start()
    await stage.serve()
    stage.connect.opened[0].on_close = 2.0
    stage.connect.then(50.0)
    tasks = await stage.start(stage.serve(), stage.serve())
    await all_of(stage, [*tasks, *await stage.start(stage.strike(stage.pool.close()))])


async def starting(stage: Stage) -> None:
    stage.connect.then(2.0, 2.0)
    stage.pool = stage.new_pool(size=2, max_overflow=0, min_size=2)
    await all_of(stage, await stage.start(stage.strike(stage.pool.start())))
    assert stage.pool.closed is (stage.raised is not None)


async def starting_stubbornly(stage: Stage) -> None:
    stage.connect = StubbornConnector(clock=stage.clock)
    await starting(stage)


async def closing_and_draining(stage: Stage) -> None:
    held = await full(stage)

    async def bring_back() -> None:
        await stage.clock.sleep(5)
        await stage.pool.release(held[0])

    tasks = await stage.start(stage.strike(stage.pool.close(drain=10)), bring_back())
    await all_of(stage, tasks)
    await stage.pool.release(held[1])


async def shrinking(stage: Stage) -> None:
    stage.pool = stage.new_pool(size=2, max_overflow=0, min_size=2)
    await stage.pool.start()
    stage.connect.opened[0].on_close = 2.0
    tasks = await stage.start(stage.strike(stage.pool.resize(size=1)), stage.serve())
    await all_of(stage, tasks)
    await stage.pool.resize(max_overflow=LIMIT - 1)
    assert stage.served == 1


async def maintaining(stage: Stage) -> None:
    stage.pool = stage.new_pool(size=2, max_overflow=0, min_size=2)
    await stage.pool.start()
    stage.connect.opened[0].die()
    stage.connect.opened[0].on_close = 2.0
    stage.connect.then(2.0)
    tasks = await stage.start(stage.strike(stage.pool.maintain()), stage.serve(), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 2


async def asking_for_the_health(stage: Stage) -> None:
    stage.pool = stage.new_pool(size=2, max_overflow=0, min_size=2)
    await stage.pool.start()
    stage.connect.opened[0].die()
    stage.connect.then(50.0)
    tasks = await stage.start(stage.strike(stage.pool.health()), stage.serve())
    await all_of(stage, tasks)
    assert stage.served == 1


SCENES: dict[Scene, int] = {
    emptying: 1,
    closing: 1,
    closing_and_draining: 1,
    starting: 2,
    starting_stubbornly: 2,
    shrinking: 1,
    maintaining: 2,
    asking_for_the_health: 3,
}
"""Each scene, with the least number of places at which its deed suspends."""


@pytest.mark.parametrize("listening", [False, True], ids=["plain", "listening"])
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_a_cancellation_at_any_place_loses_nothing(
    scene: Scene, moment: Moment, listening: bool
) -> None:
    play_all(scene, SCENES[scene], moment, listening)
