"""The clocks for asyncio: virtual time jumps only while every participant waits."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

import pytest

from steadypool import SystemAsyncClock
from steadypool.testing import ClockAbortedError, ClockStuckError
from steadypool.testing_aio import AsyncVirtualClock

Body = Callable[[AsyncVirtualClock], Awaitable[None]]


def run(body: Body) -> None:
    async def main() -> None:
        await body(AsyncVirtualClock())

    asyncio.run(main())


def test_time_jumps_to_the_deadline_of_the_only_task() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        assert await clock.waiter().wait(30.0) is False
        assert clock.now() == 30.0

    run(body)


def test_a_deadline_that_has_passed_ends_the_wait_at_once() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        assert await clock.waiter().wait(0.0) is False

    run(body)


def test_a_wake_up_before_the_wait_ends_it_at_once() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        waiter = clock.waiter()
        waiter.wake()
        assert await waiter.wait(None) is True

    run(body)


def test_waits_with_one_deadline_end_in_the_order_in_which_they_began() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        ended: list[int] = []

        async def sleeper(number: int) -> None:
            await clock.sleep(5)
            ended.append(number)

        tasks = [clock.spawn(sleeper(number)) for number in range(4)]
        with clock.away():
            await asyncio.gather(*tasks)
        assert ended == [0, 1, 2, 3]
        assert clock.now() == 5.0

    run(body)


def test_time_does_not_jump_past_a_woken_task_that_has_not_run_yet() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        waiter = clock.waiter()
        times: list[float] = []

        async def woken() -> None:
            await waiter.wait(None)
            times.append(clock.now())

        task = clock.spawn(woken())
        await asyncio.sleep(0)
        waiter.wake()
        await clock.sleep(10)
        assert times == [0.0]
        await task

    run(body)


def test_time_does_not_jump_past_a_cancelled_task_that_has_not_run_yet() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        times: list[float] = []

        async def cancelled() -> None:
            try:
                await clock.waiter().wait(None)
            finally:
                times.append(clock.now())
                await clock.sleep(1)

        task = clock.spawn(cancelled())
        await asyncio.sleep(0)
        task.cancel()
        await clock.sleep(10)
        assert times == [0.0]
        assert task.cancelled()

    run(body)


def test_time_does_not_jump_while_a_task_awaits_a_real_thread() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        times: list[float] = []

        async def busy() -> None:
            await asyncio.to_thread(lambda: None)
            times.append(clock.now())

        task = clock.spawn(busy())
        await clock.sleep(10)
        assert times == [0.0]
        await task

    run(body)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="tasks do not start at once")
def test_an_eager_task_is_a_participant_before_it_starts() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        eager = getattr(asyncio, "eager_task_factory")  # noqa: B009 - mypy reads it as 3.11
        asyncio.get_running_loop().set_task_factory(eager)
        task = clock.spawn(clock.sleep(5))
        assert clock.now() == 0.0
        await clock.sleep(10)
        await task

    run(body)


@pytest.mark.parametrize("means", ["await", "gather", "wait", "group"])
def test_a_task_that_awaits_another_continues_before_time_jumps(means: str) -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        async def short() -> None:
            await clock.sleep(1)

        long = clock.spawn(clock.sleep(100))
        with clock.away():
            if means == "await":
                await clock.spawn(short())
            elif means == "gather":
                await asyncio.gather(clock.spawn(short()), clock.spawn(short()))
            elif means == "wait":
                await asyncio.wait([clock.spawn(short())])
            else:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_joined(clock.spawn(short())))
        assert clock.now() == 1.0
        with clock.away():
            await long
        assert clock.now() == 100.0

    run(body)


async def _joined(task: "asyncio.Task[None]") -> None:
    await task


def test_a_wait_in_an_inner_task_counts_for_the_outer_task() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        await asyncio.wait_for(clock.sleep(30), timeout=20)
        assert clock.now() == 30.0

    run(body)


def test_waits_without_any_deadline_raise_an_error_that_names_the_tasks() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        async def lost() -> None:
            await clock.waiter().wait(None)

        task = clock.spawn(lost(), name="the-lost-one")
        with pytest.raises(ClockStuckError, match="the-lost-one"):
            await clock.waiter().wait(None)
        with pytest.raises(ClockStuckError):
            await task

    run(body)


def test_abort_ends_all_current_and_future_waits() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        task = clock.spawn(clock.sleep(5))
        await asyncio.sleep(0)
        assert clock.waiting() == 1
        clock.abort("enough")
        with pytest.raises(ClockAbortedError, match="enough"):
            await task
        with pytest.raises(ClockAbortedError, match="enough"):
            await clock.sleep(1)

    run(body)


def test_the_clock_at_rest_is_seen_once_before_each_jump() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        seen: list[tuple[float, int]] = []
        clock.at_rest = lambda: seen.append((clock.now(), clock.waiting()))
        tasks = [clock.spawn(clock.sleep(5)), clock.spawn(clock.sleep(2))]
        await clock.sleep(9)
        await asyncio.gather(*tasks)
        assert seen == [(0.0, 3), (2.0, 2), (5.0, 1)]

    run(body)


@pytest.mark.parametrize("means", ["wake", "cancel"])
def test_time_does_not_jump_when_a_task_is_resumed_at_rest(means: str) -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        waiter = clock.waiter()
        times: list[float] = []

        async def work() -> None:
            try:
                await waiter.wait(None)
            finally:
                times.append(clock.now())

        task = clock.spawn(work())
        await asyncio.sleep(0)
        resume = [waiter.wake if means == "wake" else task.cancel]
        clock.at_rest = lambda: resume and resume.pop()()
        await clock.sleep(1)
        await asyncio.wait([task])
        assert (times, clock.now()) == ([0.0], 1.0)

    run(body)


def test_a_rest_is_seen_before_every_wait_fails() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        rests: list[float] = []
        clock.at_rest = lambda: rests.append(clock.now())
        with pytest.raises(ClockStuckError):
            await clock.waiter().wait(None)
        assert rests == [0.0]

    run(body)


def test_an_error_at_rest_ends_the_wait_and_keeps_the_count_of_participants_right() -> None:
    async def body(clock: AsyncVirtualClock) -> None:
        def fail() -> None:
            raise RuntimeError("at rest")

        clock.at_rest = fail
        with pytest.raises(RuntimeError, match="at rest"):
            await clock.sleep(1)
        clock.at_rest = None
        assert clock.waiting() == 0
        await clock.sleep(1)
        assert clock.now() == 1.0

    run(body)


def test_waits_on_the_real_clock_end_by_wake_up_timeout_or_cancellation() -> None:
    async def main() -> None:
        clock = SystemAsyncClock()
        early, late, never = clock.waiter(), clock.waiter(), clock.waiter()
        early.wake()
        assert await early.wait(None) is True
        assert await late.wait(clock.now() - 1) is False
        assert await never.wait(clock.now() + 0.001) is False
        woken = clock.waiter()
        asyncio.get_running_loop().call_soon(woken.wake)
        assert await woken.wait(clock.now() + 60) is True
        woken.wake()
        task = asyncio.create_task(clock.sleep(60))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
