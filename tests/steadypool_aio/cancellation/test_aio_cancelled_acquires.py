"""Cancellation of an acquire at every interruption point."""

from typing import Any

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


async def queued_and_handed_a_connection(case: Case) -> None:
    held = await acquire_all(case)
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve())
    for connection in held:
        await case.pool.release(connection)
    await join(case, tasks)
    assert case.served == 1


async def queued_and_handed_a_slot(case: Case) -> None:
    held = await acquire_all(case)
    case.connect.then(5.0)
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve())
    await case.pool.close_all()
    for connection in held:
        await case.pool.release(connection)
    await join(case, tasks)
    assert case.served == 1


async def queued_too_long(case: Case) -> None:
    held = await acquire_all(case)
    tasks = await case.start(case.cancel(case.pool.acquire(timeout=3)), case.serve())
    await case.clock.sleep(10)
    for connection in held:
        await case.pool.release(connection)
    await join(case, tasks)
    assert case.served == 1


async def queued_and_refused(case: Case) -> None:
    held = await acquire_all(case)
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve())
    await case.pool.close()
    for connection in held:
        await case.pool.release(connection)
    await join(case, tasks)


async def connecting(case: Case) -> None:
    await case.pool.start()
    case.connect.then(5.0)
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve(), case.serve())
    await join(case, tasks)
    assert case.served == 2


async def connecting_without_honouring_the_cancellation(case: Case) -> None:
    case.connect = CancellationSwallower(clock=case.clock)
    case.pool = case.new_pool()
    await connecting(case)


async def connecting_and_failing(case: Case) -> None:
    await case.pool.start()
    case.connect.then(OSError("refused"))
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve(), case.serve())
    await join(case, tasks)
    assert case.served == 2


async def connecting_too_long(case: Case) -> None:
    await case.pool.start()
    case.connect.then(50.0)
    tasks = await case.start(case.cancel(case.pool.acquire(timeout=3)), case.serve(), case.serve())
    await join(case, tasks)
    assert case.served == 2


async def connecting_while_the_pool_is_closed(case: Case) -> None:
    await case.pool.start()
    case.connect.then(50.0)
    tasks = await case.start(case.cancel(case.pool.acquire()))
    await case.pool.close()
    await join(case, tasks)


async def finding_a_dead_connection(case: Case) -> None:
    await case.pool.start()
    await case.serve()
    case.connect.opened[0].die()
    case.connect.opened[0].on_close = 2.0
    case.connect.then(2.0)
    await case.clock.sleep(10)
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve())
    await join(case, tasks)
    assert case.served == 2


async def finding_a_stale_connection(case: Case) -> None:
    await case.pool.start()
    await case.serve()
    case.connect.opened[0].on_close = 2.0
    await case.clock.sleep(2000)
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve())
    await join(case, tasks)
    assert case.served == 2


async def acquire_with_hooks(case: Case, **hooks: Any) -> None:
    """Acquire with hooks that take 2 s; two other clients follow."""
    case.pool = case.new_pool(**hooks)
    await case.pool.start()
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve(), case.serve())
    await join(case, tasks)
    assert case.served == 2


async def running_the_setup_hook(case: Case) -> None:
    await acquire_with_hooks(case, setup=case.hook)


async def running_a_setup_hook_that_fails(case: Case) -> None:
    await acquire_with_hooks(case, setup=case.first_fails)


async def running_the_on_acquire_hook(case: Case) -> None:
    await acquire_with_hooks(case, on_acquire=case.hook)


async def running_an_on_acquire_hook_that_fails(case: Case) -> None:
    await acquire_with_hooks(case, on_acquire=case.first_fails)


async def validating(case: Case) -> None:
    case.pool = case.new_pool(validate_after=5)
    await case.pool.start()
    await case.serve()
    case.connect.opened[0].on_rollback = 2.0
    await case.clock.sleep(10)
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve(), case.serve())
    await join(case, tasks)
    assert case.served == 3


async def validating_and_failing(case: Case) -> None:
    case.pool = case.new_pool(validate_after=5)
    await case.pool.start()
    await case.serve()
    case.connect.opened[0].on_rollback = OSError("gone")
    case.connect.opened[0].on_close = 1.0
    case.connect.then(OSError("refused"))
    await case.clock.sleep(10)
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve())
    await join(case, tasks)
    assert case.served == 2


async def backing_off_between_two_attempts(case: Case) -> None:
    await case.pool.start()
    case.connect.then(OSError("refused"), OSError("refused"))
    tasks = await case.start(case.cancel(case.pool.acquire()))
    await join(case, [*tasks, *await case.start(case.serve(), case.serve())])
    assert case.served == 2


async def backing_off_while_the_pool_is_closed(case: Case) -> None:
    await case.pool.start()
    case.connect.then(OSError("refused"), OSError("refused"))
    tasks = await case.start(case.cancel(case.pool.acquire()))
    await case.pool.close()
    await join(case, tasks)


async def waiting_for_another_connect(case: Case) -> None:
    case.pool = case.new_pool(max_connecting=1)
    await case.pool.start()
    case.connect.then(2.0)
    tasks = await case.start(case.serve(), case.cancel(case.pool.acquire()), case.serve())
    await join(case, tasks)
    assert case.served == 2


async def waiting_for_the_pool_to_resume(case: Case) -> None:
    await case.pool.start()
    case.pool.suspend()
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve(), case.serve())
    case.pool.resume()
    await join(case, tasks)
    assert case.served == 2


async def waiting_for_a_larger_pool(case: Case) -> None:
    case.pool = case.new_pool(size=1, max_overflow=0)
    await case.pool.start()
    held = await case.pool.acquire()
    tasks = await case.start(case.cancel(case.pool.acquire()), case.serve())
    await case.pool.resize(max_overflow=LIMIT - 1)
    await join(case, tasks)
    await case.pool.release(held)
    assert case.served == 1


SCENARIOS: dict[Scenario, int] = {
    queued_and_handed_a_connection: 1,
    queued_and_handed_a_slot: 2,
    queued_too_long: 1,
    queued_and_refused: 1,
    connecting: 1,
    connecting_without_honouring_the_cancellation: 1,
    connecting_and_failing: 3,
    connecting_too_long: 2,
    connecting_while_the_pool_is_closed: 1,
    finding_a_dead_connection: 2,
    finding_a_stale_connection: 1,
    running_the_setup_hook: 2,
    running_a_setup_hook_that_fails: 2,
    running_the_on_acquire_hook: 2,
    running_an_on_acquire_hook_that_fails: 2,
    validating: 1,
    validating_and_failing: 3,
    backing_off_between_two_attempts: 3,
    backing_off_while_the_pool_is_closed: 2,
    waiting_for_another_connect: 2,
    waiting_for_the_pool_to_resume: 2,
    waiting_for_a_larger_pool: 2,
}
"""The scenarios, with the minimum number of interruption points of their call."""


@pytest.mark.parametrize("listening", [False, True], ids=["plain", "listening"])
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name.lower())
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_cancelling_an_acquire_at_any_point_loses_nothing(
    scenario: Scenario, moment: Moment, listening: bool
) -> None:
    run_at_every_point(scenario, SCENARIOS[scenario], moment, listening)
