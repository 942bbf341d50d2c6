"""A waiter that waits although there is room is reported at once, by the name of the defect."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.lab.control_pools import (
    ControlAdapter,
    FairPool,
    ForgetfulPool,
    LosingPool,
    PollingPool,
)
from tests.lab.control_pools_asyncio import AsyncControlAdapter, AsyncForgetfulPool

from poolspec.invariants.defects import Defect
from poolspec.lab.aio.actors import async_actor
from poolspec.lab.aio.lab import AsyncLab
from poolspec.lab.threads.actors import actor
from poolspec.lab.threads.clock import ClockAbortedError
from poolspec.lab.threads.lab import Lab
from poolspec.plugin.deadline import run_until
from poolspec.plugin.forms import AsyncioRun
from poolspec.vocabulary import Connections, TimeKind

QUICK = 3.0
"""Seconds within which a waiter that waits in vain is reported; its timeout is longer."""


@contextmanager
def a_lab(make: Callable[..., Any]) -> Iterator[Lab]:
    lab = Lab(None, ControlAdapter(make), TimeKind.REAL, Connections.SCRIPTED)
    try:
        yield lab
    finally:
        lab.dispose()


def serve_a_waiter(lab: Lab) -> None:
    """Release the only connection while an actor waits for it, and wait for the actor's end."""
    pool = lab.pool(size=1, timeout=30.0)
    held = pool.acquire()

    def waiter() -> None:
        pool.release(pool.acquire())

    lab.start(actor(waiter, name="waiter"))
    lab.wait_until_waiting("waiter")
    pool.release(held)
    lab.join("waiter")


@pytest.mark.parametrize("make", [ForgetfulPool, LosingPool])
def test_a_waiter_that_no_one_wakes_is_a_lost_wake_up(make: Callable[..., Any]) -> None:
    started = time.monotonic()
    with a_lab(make) as lab:
        with pytest.raises(
            ClockAbortedError, match="lost wake-up: waiter waits although only 0 of"
        ):
            serve_a_waiter(lab)
        assert time.monotonic() - started < QUICK
        (finding,) = lab.found()
        assert finding.defect is Defect.LOST_WAKE_UP
        assert [entry.kind for entry in finding.events] == ["waiting", "checked_in"]


def test_the_test_itself_may_be_the_waiter() -> None:
    with a_lab(ForgetfulPool) as lab:
        pool = lab.pool(size=1, timeout=30.0)
        held = pool.acquire()

        def releaser() -> None:
            lab.wait_until_waiting(count=1)
            pool.release(held)

        def test() -> None:
            lab.start(actor(releaser, name="releaser"))
            pool.acquire()

        with pytest.raises(pytest.fail.Exception, match="lost wake-up: main waits although"):
            run_until(20.0, test, lab)


def test_an_acquire_that_waits_for_a_slot_that_is_free_has_found_a_lost_slot() -> None:
    with a_lab(LosingPool) as lab:
        pool = lab.pool(size=1, timeout=30.0)
        pool.release(pool.acquire())

        def late() -> None:
            pool.acquire()

        lab.start(actor(late, name="late"))
        with pytest.raises(ClockAbortedError, match="lost slot: late waits although only 0 of 1"):
            lab.join("late")


@pytest.mark.parametrize("make", [FairPool, PollingPool])
def test_a_waiter_that_is_woken_or_looks_again_is_not_reported(make: Callable[..., Any]) -> None:
    with a_lab(make) as lab:
        serve_a_waiter(lab)
        assert not lab.found()


def test_a_waiter_of_a_full_pool_is_not_reported() -> None:
    with a_lab(FairPool) as lab:
        pool = lab.pool(size=1, timeout=30.0)
        held = pool.acquire()

        def waiter() -> None:
            pool.release(pool.acquire())

        lab.start(actor(waiter, name="waiter"))
        lab.advance(1.5)
        assert not lab.found()
        pool.release(held)
        lab.join("waiter")


def test_a_waiter_of_an_asyncio_pool_that_no_one_wakes_is_a_lost_wake_up() -> None:
    adapter = AsyncControlAdapter(AsyncForgetfulPool)
    run = AsyncioRun(None, adapter, TimeKind.REAL, Connections.SCRIPTED)

    async def test() -> None:
        lab: AsyncLab = run.lab
        pool = await lab.pool(size=1, timeout=30.0)
        held = await pool.acquire()

        async def waiter() -> None:
            await pool.release(await pool.acquire())

        lab.start(async_actor(waiter, name="waiter"))
        await lab.wait_until_waiting("waiter")
        await pool.release(held)
        await lab.join("waiter")

    started = time.monotonic()
    with pytest.raises(ClockAbortedError, match="lost wake-up: waiter waits although only 0 of 1"):
        run.call(test)
    assert time.monotonic() - started < QUICK
    run.dispose()
