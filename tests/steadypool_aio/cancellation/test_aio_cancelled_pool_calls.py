"""Cancellation of calls for the whole pool at every interruption point."""

import pytest
from tests.steadypool_aio.cancellation.cancelled_call import Moment
from tests.steadypool_aio.cancellation.scenario import (
    LIMIT,
    CancellationSwallower,
    Case,
    Scenario,
    acquire_all,
    join,
    run_at_every_point,
)


async def clearing(case: Case) -> None:
    case.pool = case.new_pool(size=2, max_overflow=0, min_size=2)
    await case.pool.start()
    for connection in case.connect.opened:
        connection.on_close = 2.0
    tasks = await case.start(case.cancel(case.pool.close_all()), case.serve(), case.serve())
    await join(case, tasks)
    assert case.served == 2


async def closing(case: Case) -> None:
    await case.pool.start()
    await case.serve()
    case.connect.opened[0].on_close = 2.0
    case.connect.then(50.0)
    tasks = await case.start(case.serve(), case.serve())
    await join(case, [*tasks, *await case.start(case.cancel(case.pool.close()))])


async def starting(case: Case) -> None:
    case.connect.then(2.0, 2.0)
    case.pool = case.new_pool(size=2, max_overflow=0, min_size=2)
    await join(case, await case.start(case.cancel(case.pool.start())))
    assert case.pool.closed is (case.raised is not None)


async def starting_without_honouring_the_cancellation(case: Case) -> None:
    case.connect = CancellationSwallower(clock=case.clock)
    await starting(case)


async def closing_and_draining(case: Case) -> None:
    held = await acquire_all(case)

    async def release_later() -> None:
        await case.clock.sleep(5)
        await case.pool.release(held[0])

    tasks = await case.start(case.cancel(case.pool.close(drain=10)), release_later())
    await join(case, tasks)
    await case.pool.release(held[1])


async def shrinking(case: Case) -> None:
    case.pool = case.new_pool(size=2, max_overflow=0, min_size=2)
    await case.pool.start()
    case.connect.opened[0].on_close = 2.0
    tasks = await case.start(case.cancel(case.pool.resize(size=1)), case.serve())
    await join(case, tasks)
    await case.pool.resize(max_overflow=LIMIT - 1)
    assert case.served == 1


async def maintaining(case: Case) -> None:
    case.pool = case.new_pool(size=2, max_overflow=0, min_size=2)
    await case.pool.start()
    case.connect.opened[0].die()
    case.connect.opened[0].on_close = 2.0
    case.connect.then(2.0)
    tasks = await case.start(case.cancel(case.pool.maintain()), case.serve(), case.serve())
    await join(case, tasks)
    assert case.served == 2


async def checking_the_health(case: Case) -> None:
    case.pool = case.new_pool(size=2, max_overflow=0, min_size=2)
    await case.pool.start()
    case.connect.opened[0].die()
    case.connect.then(50.0)
    tasks = await case.start(case.cancel(case.pool.health()), case.serve())
    await join(case, tasks)
    assert case.served == 1


SCENARIOS: dict[Scenario, int] = {
    clearing: 1,
    closing: 1,
    closing_and_draining: 1,
    starting: 2,
    starting_without_honouring_the_cancellation: 2,
    shrinking: 1,
    maintaining: 2,
    checking_the_health: 3,
}
"""The scenarios, with the minimum number of interruption points of their call."""


@pytest.mark.parametrize("listening", [False, True], ids=["plain", "listening"])
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_cancelling_a_pool_call_at_any_point_loses_nothing(
    scenario: Scenario, moment: Moment, listening: bool
) -> None:
    run_at_every_point(scenario, SCENARIOS[scenario], moment, listening)
