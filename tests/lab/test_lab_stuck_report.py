"""A test that waits in vain ends as soon as that is certain, and reports who waits."""

import time
from collections.abc import Iterator

import pytest

from poolspec.adapters.steady import SteadypoolAdapter
from poolspec.lab import Lab, actor, async_actor
from poolspec.lab.aio.lab import AsyncLab
from poolspec.lab.steps import step
from poolspec.lab.threads.actors import Actor
from poolspec.lab.threads.pool import Pool
from poolspec.plugin.forms import AsyncioRun
from poolspec.vocabulary import Connections, Operation, Runner, TimeKind

QUICK = 5.0
"""Seconds within which a test that waits in vain ends; its deadline is four times as long."""


@pytest.fixture(params=TimeKind)
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    made = Lab(None, SteadypoolAdapter(), request.param, Connections.SCRIPTED)
    started = time.monotonic()
    yield made
    made.dispose()
    assert time.monotonic() < started + QUICK


@pytest.fixture
def pool(lab: Lab) -> Pool:
    return lab.pool(size=2, max_overflow=0, timeout=30.0)


def borrower(name: str, pool: Pool, count: int = 1) -> Actor:
    return actor(lambda: pool.release(pool.acquire()), name=name, count=count)


def test_a_wait_for_an_actor_that_has_ended_fails_at_once(lab: Lab, pool: Pool) -> None:
    lab.start(borrower("first", pool))
    with pytest.raises(AssertionError, match="first ended, and is never waiting"):
        lab.wait_until_waiting("first")


def test_a_wait_for_an_ended_actor_without_a_connection_to_hold_one_fails(
    lab: Lab, pool: Pool
) -> None:
    lab.start(borrower("pair", pool, count=2))
    lab.join("pair")
    with pytest.raises(AssertionError, match=r"pair-1, pair-2 ended, and are never holding"):
        lab.wait_until_holding("pair")


def test_an_actor_that_ended_with_a_connection_still_holds_it(lab: Lab, pool: Pool) -> None:
    def keep() -> None:
        pool.acquire()

    lab.start(actor(keep, name="keeper"))
    lab.join("keeper")
    lab.wait_until_holding("keeper")


def test_a_wait_with_a_limit_names_what_it_waited_for(lab: Lab, pool: Pool) -> None:
    held = [pool.acquire(), pool.acquire()]
    lab.start(borrower("pair", pool, count=2))
    lab.wait_until_waiting("pair", within=5.0)
    with pytest.raises(AssertionError, match=r"^pair-1, pair-2 are not holding after 0\.05 s$"):
        lab.wait_until_holding("pair", within=0.05)
    with pytest.raises(AssertionError, match=r"^1 of 2 actors is holding after 0\.05 s$"):
        lab.wait_until_holding(count=2, within=0.05)  # the test itself is one
    with pytest.raises(AssertionError, match=r"^pair-1, pair-2 are not done after 0\.05 s$"):
        lab.wait_until_done("pair", within=0.05)
    for connection in held:
        pool.release(connection)
    lab.join("pair")


def test_an_actors_error_is_raised_in_place_of_the_failed_wait(lab: Lab, pool: Pool) -> None:
    def fail() -> None:
        raise ValueError("no such thing")

    lab.start(actor(fail, name="careless"))
    with pytest.raises(ValueError, match="no such thing") as raised:
        lab.wait_until_waiting("careless")
    assert raised.value.__notes__ == ["raised in actor careless"]


def test_a_wait_for_more_actors_than_are_left_fails(lab: Lab, pool: Pool) -> None:
    held = [pool.acquire(), pool.acquire()]
    lab.start(borrower("one", pool), borrower("two", pool), actor(lambda: None, name="idle"))
    with pytest.raises(AssertionError, match=r"3 actors are never waiting: \d are, and the others"):
        lab.wait_until_waiting(count=3)
    for connection in held:
        pool.release(connection)


def test_a_wait_may_be_for_an_actor_that_a_python_step_started(lab: Lab, pool: Pool) -> None:
    held = [pool.acquire(), pool.acquire()]

    @step("another_borrower")
    def start_one(lab: Lab) -> None:
        lab.start(borrower("another", pool))

    lab.use("another_borrower")
    lab.wait_until_waiting(count=1)
    for connection in held:
        pool.release(connection)


def test_the_stuck_report_names_the_actors(lab: Lab, pool: Pool) -> None:
    held = [pool.acquire(), pool.acquire()]
    lab.start(borrower("first", pool), borrower("second", pool))
    lab.wait_until_waiting("first")
    lab.wait_until_waiting("second")
    assert lab.stuck() == "first, second wait for a connection, main holds 2 connections"
    pool.release(held.pop())
    lab.join("first", "second")
    assert lab.stuck() == "main holds 1 connection"
    pool.release(held.pop())
    assert lab.stuck() == ""


def test_the_stuck_report_names_at_most_five_waiters(lab: Lab, pool: Pool) -> None:
    held = [pool.acquire(), pool.acquire()]
    lab.start(borrower("one", pool, count=9))
    lab.wait_until_waiting(count=9)
    listed = "one-1, one-2, one-3, one-4, one-5 and 4 more wait for a connection"
    assert lab.stuck() == f"{listed}, main holds 2 connections"
    for connection in held:
        pool.release(connection)


@pytest.mark.parametrize("kind", TimeKind)
def test_a_wait_for_a_task_that_has_ended_fails_at_once(kind: TimeKind) -> None:
    adapter = SteadypoolAdapter().asyncio
    assert adapter is not None
    run = AsyncioRun(None, adapter, kind, Connections.SCRIPTED)

    async def test() -> None:
        lab: AsyncLab = run.lab
        pool = await lab.pool(size=1, max_overflow=0, timeout=30.0)

        async def borrow() -> None:
            await pool.release(await pool.acquire())

        lab.start(async_actor(borrow, name="first"))
        with pytest.raises(AssertionError, match="first ended, and is never waiting"):
            await lab.wait_until_waiting("first")
        held = await pool.acquire()
        lab.start(async_actor(borrow, name="second"))
        await lab.wait_until_waiting("second")
        assert lab.stuck() == "second waits for a connection, main holds 1 connection"
        await pool.release(held)

    run.call(test)
    run.dispose()


def test_the_stuck_report_names_workers_of_an_executor(lab: Lab, pool: Pool) -> None:
    held = [pool.acquire(), pool.acquire()]
    seen: list[str] = []

    def release() -> None:
        lab.wait_until_waiting(count=1)
        seen.append(lab.stuck())
        for connection in held:
            pool.release(connection)

    lab.start(actor(release, name="releaser"))
    lab.load(clients=1, each=1, mix={Operation.BORROW: 1}, runner=Runner.EXECUTOR)
    assert seen == ["load0_0 waits for a connection, main holds 2 connections"]
