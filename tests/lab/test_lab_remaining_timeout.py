"""The remaining timeout of an actor is read from its own timers, and from no others."""

import asyncio

import pytest

from poolspec.lab import remaining_timeout


def test_only_timers_of_actors_count_as_their_timeouts() -> None:
    async def act() -> None:
        remaining_timeout.acts.set(True)
        async with asyncio.timeout(10):
            await asyncio.create_task(asyncio.sleep(20))

    async def main() -> None:
        loop = asyncio.get_running_loop()
        housekeeper = asyncio.create_task(asyncio.sleep(5))
        await asyncio.sleep(0)
        assert remaining_timeout.of_tasks(loop) is None
        actor = asyncio.create_task(act())
        await asyncio.sleep(0.001)
        assert remaining_timeout.of_tasks(loop) == pytest.approx(10, abs=1)
        actor.cancel()
        housekeeper.cancel()
        await asyncio.wait([actor, housekeeper])
        assert remaining_timeout.of_tasks(loop) is None

    asyncio.run(main())
