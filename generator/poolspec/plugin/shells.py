"""A lab for either shell: made, run and disposed of where it belongs.

A threads test runs in the main thread. An asyncio test gets an event loop of its own, in which its
lab is made, used, held to the invariants and undone.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from poolspec.runtime.actors import GIVE_UP_AFTER
from poolspec.runtime.aio.contract import AsyncPoolAdapter
from poolspec.runtime.aio.lab import AsyncLab
from poolspec.runtime.contract import PoolAdapter
from poolspec.runtime.lab import Lab
from poolspec.runtime.log import MAIN
from poolspec.servers import Server
from poolspec.vocabulary import Connections, TimeKind


class ThreadsRun:
    """Runs a test whose actors are threads."""

    def __init__(
        self,
        server: Server | None,
        adapter: PoolAdapter,
        time: TimeKind,
        connections: Connections,
    ) -> None:
        self.lab = Lab(server, adapter, time, connections)

    def call(self, test: Callable[[], object]) -> None:
        """Run the test, then hold it to the standing invariants."""
        test()
        self.lab.verify()

    def dispose(self) -> None:
        """Undo everything."""
        self.lab.dispose()


class AsyncioRun:
    """Runs a test whose actors are tasks."""

    def __init__(
        self,
        server: Server | None,
        adapter: AsyncPoolAdapter,
        time: TimeKind,
        connections: Connections,
    ) -> None:
        self._runner = asyncio.Runner()
        self.lab: AsyncLab = self._runner.run(_made(server, adapter, time, connections))

    def call(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the test, then hold it to the standing invariants."""
        self._runner.run(self._main(test))

    def dispose(self) -> None:
        """Undo everything. Raises AssertionError naming tasks that cannot be cancelled."""
        try:
            self._runner.run(self._end())
        finally:
            self._runner.close()

    async def _end(self) -> None:
        undone = asyncio.create_task(self.lab.dispose(), name="dispose")
        await asyncio.wait([undone], timeout=GIVE_UP_AFTER)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=GIVE_UP_AFTER)
        for task in left:
            asyncio._unregister_task(task)  # or the runner would wait for it for ever
        if left:
            names = ", ".join(sorted(task.get_name() for task in left))
            raise AssertionError(f"tasks go on though they were cancelled: {names}")
        undone.result()

    async def _main(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.set_name(MAIN)
        await test()
        await self.lab.verify()


async def _made(
    server: Server | None, adapter: AsyncPoolAdapter, time: TimeKind, connections: Connections
) -> AsyncLab:
    return AsyncLab(server, adapter, time, connections)
