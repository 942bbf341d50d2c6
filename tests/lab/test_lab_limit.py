"""The lab's own timeout for an acquire."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from poolspec.lab.event_loop.clock import LoopClock
from poolspec.lab.event_loop.limit import AcquireTimeoutError, limited
from poolspec.lab.event_loop.loop import LabLoop


def run(work: Callable[[LoopClock], Awaitable[None]]) -> None:
    async def main() -> None:
        await work(LoopClock())

    with asyncio.Runner(loop_factory=LabLoop) as runner:
        runner.run(main())


def test_an_acquire_is_given_up_when_its_time_is_over() -> None:
    async def work(clock: LoopClock) -> None:
        with pytest.raises(AcquireTimeoutError, match=r"no connection within 2\.5 s"):
            async with limited(2.5):
                await asyncio.Event().wait()
        assert clock.now() == 2.5

    run(work)


def test_an_acquire_without_a_limit_waits_for_its_connection() -> None:
    async def work(clock: LoopClock) -> None:
        async with limited(None):
            await asyncio.sleep(1e6)
        assert clock.now() == 1e6

    run(work)


def test_a_timeout_of_the_driver_passes_as_it_is() -> None:
    async def work(clock: LoopClock) -> None:
        with pytest.raises(TimeoutError) as raised:
            async with limited(5):
                async with asyncio.timeout(1):
                    await asyncio.Event().wait()
        assert type(raised.value) is TimeoutError
        assert clock.now() == 1

    run(work)


def test_an_error_that_answers_the_timeout_passes_as_it_is() -> None:
    async def work(_clock: LoopClock) -> None:
        with pytest.raises(ValueError, match="unwilling"):
            async with limited(1):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    raise ValueError("unwilling") from None

    run(work)


def test_a_cancellation_from_outside_passes_as_it_is() -> None:
    async def work(_clock: LoopClock) -> None:
        async def acquire() -> None:
            async with limited(60):
                await asyncio.Event().wait()

        task = asyncio.create_task(acquire())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(work)
