"""A lab for either concurrency: made, run and disposed of where it belongs.

A threads test runs in the main thread. An asyncio test gets an event loop of its own, in which its
lab is made, used, held to the invariants and undone.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from poolspec.invariants.log import MAIN
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.aio.lab import AsyncLab
from poolspec.lab.context import OVER
from poolspec.lab.contract import PoolAdapter
from poolspec.lab.threads.actors import GIVE_UP_AFTER
from poolspec.lab.threads.lab import Lab
from poolspec.lifecycle.alarm import Alarm, too_long
from poolspec.lifecycle.teardown import LEFT_BEHIND, PATIENCE, Undoing, told
from poolspec.servers import Server
from poolspec.vocabulary import Connections, TimeKind

logger = logging.getLogger("asyncio")


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
        self._loop = self._runner.get_loop()
        self._executor = ThreadPoolExecutor(thread_name_prefix="asyncio")
        self._loop.set_default_executor(self._executor)
        self._loop.set_exception_handler(_complain)
        self.lab: AsyncLab = self._runner.run(_made(server, adapter, time, connections))

    def call(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the test, then hold it to the standing invariants."""
        self._runner.run(self._main(test))

    def dispose(self) -> None:
        """Undo everything. Raises what went wrong, such as tasks that cannot be cancelled."""
        undoing = Undoing(OVER)
        alarm = Alarm(PATIENCE, partial(too_long, PATIENCE))
        undoing.do("the test's tasks", partial(alarm.watch, partial(self._end, undoing, alarm)))
        undoing.do("the event loop's threads", self._end_executor, patience=None)
        undoing.do("the event loop", self._runner.close)
        self.lab.clean_up(undoing)
        undoing.judge()

    def _end(self, undoing: Undoing, alarm: Alarm) -> None:
        try:
            self._runner.run(self._undo(undoing, alarm))
        finally:
            self._beating.cancel()

    def _beat(self, alarm: Alarm) -> None:
        """While the loop turns, whatever takes long has its own limit; it may only not block."""
        alarm.postpone()
        self._beating = self._loop.call_later(PATIENCE / 4, self._beat, alarm)

    def _end_executor(self) -> None:
        """Wait a little for the threads of the loop; it forgets those that go on."""
        end = partial(self._executor.shutdown, cancel_futures=True)
        ending = threading.Thread(target=end, name="end of the event loop", daemon=True)
        ending.start()
        ending.join(PATIENCE)
        if ending.is_alive():
            self._loop.set_default_executor(ThreadPoolExecutor())
            raise AssertionError("threads go on that were started through the event loop")

    async def _undo(self, undoing: Undoing, alarm: Alarm) -> None:
        self._beat(alarm)
        await self.lab.dispose(undoing)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=GIVE_UP_AFTER)
        for task in left:
            _leave_behind(task)
        if left:
            names = ", ".join(sorted(task.get_name() for task in left))
            undoing.note(AssertionError(f"tasks go on though they were cancelled: {names}"))

    async def _main(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.set_name(MAIN)
        await test()
        await self.lab.verify()


def _complain(_loop: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
    """Log what nobody caught, without a traceback.

    This may be told by the garbage collector in the midst of parsing, and Python 3.11 parses in
    order to print a traceback: the outer parser then fails with SystemError, and pytest with it.
    """
    error = about.get("exception")
    logger.error("%s%s", about["message"], f": {told(error)}" if error else "")


def _leave_behind(task: asyncio.Task[Any]) -> None:
    """Have nobody wait for a task, nor end it: it would refuse, and be complained of."""
    LEFT_BEHIND.append(task)
    asyncio._unregister_task(task)
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own


async def _made(
    server: Server | None, adapter: AsyncPoolAdapter, time: TimeKind, connections: Connections
) -> AsyncLab:
    return AsyncLab(server, adapter, time, connections)
