"""Cancellation of a release at every interruption point."""

from collections.abc import Callable
from typing import Any

import pytest
from tests.steadypool_aio.cancellation.cancelled_call import Moment
from tests.steadypool_aio.cancellation.scenario import (
    Case,
    Scenario,
    acquire_all,
    join,
    run_at_every_point,
)

from steadypool import Reset


async def release_both(case: Case, prepare: Callable[[Any], None]) -> None:
    """Release two connections in the same state while other clients wait for both."""
    held = await acquire_all(case)
    others = await case.start(case.serve(), case.serve(), case.serve())
    for connection in held:
        prepare(connection)
    tasks = await case.start(case.cancel(case.pool.release(held[0])))
    await join(case, tasks)
    await case.pool.release(held[1])
    await join(case, others)
    assert case.served == 3


async def releasing_a_clean_connection(case: Case) -> None:
    await release_both(case, lambda connection: None)


async def releasing_an_open_transaction(case: Case) -> None:
    def prepare(connection: Any) -> None:
        connection.in_transaction = True
        connection.on_rollback = 2.0

    await release_both(case, prepare)


async def releasing_with_a_rollback_that_fails(case: Case) -> None:
    def prepare(connection: Any) -> None:
        connection.in_transaction = True
        connection.on_rollback = OSError("gone")
        connection.on_close = 2.0

    await release_both(case, prepare)


async def releasing_a_closed_connection(case: Case) -> None:
    await release_both(case, lambda connection: connection.abort())


async def releasing_a_surplus_connection(case: Case) -> None:
    held = await acquire_all(case)
    held[1].on_close = 2.0
    await case.pool.release(held[0])
    await join(case, await case.start(case.cancel(case.pool.release(held[1]))))


async def releasing_after_a_clear(case: Case) -> None:
    held = await acquire_all(case)
    await case.pool.close_all()
    await case.pool.release(held[1])
    held[0].on_close = 2.0
    held[0].in_transaction = True
    await join(case, await case.start(case.cancel(case.pool.release(held[0]))))


async def releasing_while_the_pool_is_closed(case: Case) -> None:
    held = await acquire_all(case)
    await case.pool.release(held[1])
    held[0].in_transaction = True
    held[0].on_rollback = 1000.0
    tasks = await case.start(case.cancel(case.pool.release(held[0])))
    await case.pool.close()
    await join(case, tasks)


async def releasing_with_a_session_reset(case: Case) -> None:
    case.pool = case.new_pool(reset=Reset.SESSION, setup=case.hook)
    await release_both(case, lambda connection: None)


async def releasing_with_a_session_reset_that_fails(case: Case) -> None:
    case.pool = case.new_pool(reset=Reset.SESSION, setup=case.third_fails)
    await release_both(case, lambda connection: None)


async def releasing_after_the_last_use(case: Case) -> None:
    case.pool = case.new_pool(max_uses=1)
    await release_both(case, lambda connection: setattr(connection, "on_close", 2.0))


async def releasing_when_maintenance_is_due(case: Case) -> None:
    case.pool = case.new_pool(size=2, max_overflow=0, min_size=0, max_idle_time=5)
    held = await acquire_all(case)
    await case.pool.release(held[0])
    held[0].on_close = 2.0
    await case.clock.sleep(10)
    await join(case, await case.start(case.cancel(case.pool.release(held[1]))))


async def leaving_a_context(case: Case) -> None:
    await case.pool.start()

    async def block() -> None:
        async with case.pool as connection:
            connection.on_rollback = 2.0
            await case.clock.sleep(1)

    await join(case, await case.start(case.cancel(block()), case.serve(), case.serve()))
    assert case.served == 2


async def running_a_unit_of_work(case: Case) -> None:
    await case.pool.start()

    async def work() -> None:
        async with case.pool.transaction() as connection:
            connection.on_commit = 2.0
            await case.clock.sleep(1)

    await join(case, await case.start(case.cancel(work()), case.serve(), case.serve()))
    assert case.served == 2


SCENARIOS: dict[Scenario, int] = {
    releasing_a_clean_connection: 0,
    releasing_an_open_transaction: 1,
    releasing_with_a_rollback_that_fails: 1,
    releasing_a_closed_connection: 1,
    releasing_a_surplus_connection: 1,
    releasing_after_a_clear: 1,
    releasing_while_the_pool_is_closed: 1,
    releasing_with_a_session_reset: 1,
    releasing_with_a_session_reset_that_fails: 1,
    releasing_after_the_last_use: 1,
    releasing_when_maintenance_is_due: 1,
    leaving_a_context: 2,
    running_a_unit_of_work: 4,
}
"""The scenarios, with the minimum number of interruption points of their call."""


@pytest.mark.parametrize("listening", [False, True], ids=["plain", "listening"])
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_cancelling_a_release_at_any_point_loses_nothing(
    scenario: Scenario, moment: Moment, listening: bool
) -> None:
    run_at_every_point(scenario, SCENARIOS[scenario], moment, listening)
