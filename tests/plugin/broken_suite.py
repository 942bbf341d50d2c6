"""Tests on broken pools, and some on sound ones after them; run by `test_plugin_broken.py`."""

import asyncio
from functools import partial

import pytest

from poolspec.lab import AsyncLab, Lab, actor, async_actor
from poolspec.lab.threads.pool import Pool


def spec(name: str, concurrency: str = "threads", deadline: float = 1.0) -> pytest.MarkDecorator:
    return pytest.mark.spec(f"broken.{name}", covers=[], concurrency=concurrency, deadline=deadline)


def borrow(pool: Pool) -> None:
    pool.release(pool.acquire())


@spec("takes_its_lock_twice")
def test_takes_its_lock_twice(lab: Lab) -> None:
    borrow(lab.pool(size=2))


@spec("keeps_its_lock")
def test_keeps_its_lock(lab: Lab) -> None:
    lab.start(actor(partial(borrow, lab.pool(size=2)), name="keeper"))
    lab.join("keeper")


@spec("catches_everything")
def test_catches_everything(lab: Lab) -> None:
    borrow(lab.pool(size=2))


@spec("tries_for_ever")
def test_tries_for_ever(lab: Lab) -> None:
    lab.start(actor(partial(borrow, lab.pool(size=2)), name="tireless"))
    lab.join("tireless")


@spec("has_no_figures")
def test_has_no_figures(lab: Lab) -> None:
    lab.pool(size=2).acquire()
    raise AssertionError("on its own account")


@spec("cannot_be_closed")
def test_cannot_be_closed(lab: Lab) -> None:
    lab.pool(size=2).acquire()
    raise AssertionError("on its own account")


@spec("starts_threads", deadline=10.0)
def test_starts_threads(lab: Lab) -> None:
    borrow(lab.pool(size=2))


@spec("swallows_cancellations", "asyncio")
async def test_swallows_cancellations(lab: AsyncLab) -> None:
    await (await lab.pool(size=2)).acquire()


@spec("swallows_cancellations_in_a_task", "asyncio")
async def test_swallows_cancellations_in_a_task(lab: AsyncLab) -> None:
    pool = await lab.pool(size=2)

    async def act() -> None:
        await pool.acquire()

    lab.start(async_actor(act, name="stubborn"))
    await lab.join("stubborn")


@spec("blocks_the_loop", "asyncio")
async def test_blocks_the_loop(lab: AsyncLab) -> None:
    pool = await lab.pool(size=2)
    await pool.release(await pool.acquire())


@spec("waits_in_a_thread", "asyncio")
async def test_waits_in_a_thread(lab: AsyncLab) -> None:
    await (await lab.pool(size=2)).acquire()


@spec("is_given_up", "asyncio")
async def test_is_given_up(lab: AsyncLab) -> None:
    await (await lab.pool(size=2)).acquire()
    await asyncio.sleep(60)


@pytest.mark.parametrize("number", range(4))
@pytest.mark.spec("broken.sound", covers=[], concurrency="threads")
def test_sound(lab: Lab, number: int) -> None:
    borrow(lab.pool(size=2))


@pytest.mark.parametrize("number", range(4))
@pytest.mark.spec("broken.sound_asyncio", covers=[], concurrency="asyncio")
async def test_sound_asyncio(lab: AsyncLab, number: int) -> None:
    pool = await lab.pool(size=2)
    await pool.release(await pool.acquire())
