"""Runs the two forms of a test, threads and asyncio, each with its lab.

The threads form runs in the main thread. The asyncio form gets a new event loop, in which its lab
is created, used, checked and torn down.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Any

from poolspec.invariants.defects import Finding
from poolspec.invariants.log import MAIN
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.aio.lab import AsyncLab
from poolspec.lab.context import OVER
from poolspec.lab.contract import PoolAdapter
from poolspec.lab.event_loop.loop import LabLoop
from poolspec.lab.threads.actors import GIVE_UP_AFTER
from poolspec.lab.threads.lab import Lab
from poolspec.lifecycle.alarm import Alarm, too_long
from poolspec.lifecycle.teardown import LEFT_BEHIND, STEP_LIMIT, Teardown, text_of
from poolspec.plugin.examination import examined
from poolspec.servers import Server
from poolspec.virtual import VirtualModulesError, virtual_modules, virtual_readings
from poolspec.vocabulary import Connections, TimeKind

logger = logging.getLogger("asyncio")


class ThreadsRun:
    """Runs the threads form of a test."""

    def __init__(
        self,
        server: Server | None,
        adapter: PoolAdapter,
        time: TimeKind,
        connections: Connections,
    ) -> None:
        self.server, self.adapter = server, adapter
        self.lab = Lab(server, adapter, time, connections)
        self._modules = ExitStack()
        """Makes the pool's modules virtual until the lab is torn down."""
        names = getattr(adapter, "modules", ()) if time is TimeKind.VIRTUAL else ()
        try:
            if names:
                self._modules.enter_context(virtual_modules(self.lab.context.clock, *names))
        except VirtualModulesError:
            self.lab.dispose()
            raise

    def call(self, test: Callable[[], object]) -> None:
        """Run the test, then check the invariants."""
        try:
            test()
        finally:
            self.lab.context.log.note_end()
        self.lab.verify()

    def examine(self, error: BaseException) -> list[Finding]:
        """Return what is broken after the test has failed with an error. Ends in any case."""
        return examined(self.lab, error, self.lab.ending.examine)

    def dispose(self) -> None:
        """Tear down the lab."""
        with self._modules:
            self.lab.dispose()


class AsyncioRun:
    """Runs the asyncio form of a test."""

    def __init__(
        self,
        server: Server | None,
        adapter: AsyncPoolAdapter,
        time: TimeKind,
        connections: Connections,
    ) -> None:
        self.server, self.adapter = server, adapter
        self._loop = LabLoop()
        self._runner = asyncio.Runner(loop_factory=lambda: self._loop)
        self._runner.get_loop()
        self._executor = ThreadPoolExecutor(thread_name_prefix="asyncio")
        self._loop.set_default_executor(self._executor)
        self._loop.set_exception_handler(_log_uncaught)
        self.lab: AsyncLab = self._runner.run(_made(server, adapter, time, connections))
        self._modules = ExitStack()
        """Makes the time that the pool's modules read virtual until the lab is torn down."""
        names = getattr(adapter, "modules", ()) if time is TimeKind.VIRTUAL else ()
        try:
            if names:
                now = self.lab.context.clock.now
                self._modules.enter_context(virtual_readings(now, *names))
        except VirtualModulesError:
            self.dispose()
            raise

    def call(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the test, then check the invariants."""
        self._runner.run(self._main(test))

    def examine(self, error: BaseException) -> list[Finding]:
        """Return what is broken after the test has failed with an error. Ends in any case."""
        return examined(self.lab, error, lambda: self._runner.run(self._examined()))

    async def _examined(self) -> list[Finding]:
        _current_task().set_name(MAIN)
        return await self.lab.ending.examine()

    def dispose(self) -> None:
        """Tear down the lab. Raises the first error, such as tasks that ignore cancellation."""
        with self._modules:
            self._dispose()

    def _dispose(self) -> None:
        teardown = Teardown(OVER)
        alarm = Alarm(STEP_LIMIT, partial(too_long, STEP_LIMIT))
        self._loop.recover()
        self._loop.end_virtual_time()
        teardown.do("the test's tasks", partial(alarm.watch, partial(self._end, teardown, alarm)))
        self._loop.recover()
        teardown.do("the event loop's threads", self._end_executor, limit=None)
        teardown.do("the event loop", self._runner.close)
        self.lab.context.clean_up(teardown)
        teardown.raise_first()

    def _end(self, teardown: Teardown, alarm: Alarm) -> None:
        try:
            self._runner.run(self._undo(teardown, alarm))
        finally:
            self._beating.cancel()

    def _beat(self, alarm: Alarm) -> None:
        """Postpone the alarm while the loop runs: steps have their own limits but may not block."""
        alarm.postpone()
        self._beating = self._loop.call_later(STEP_LIMIT / 4, self._beat, alarm)

    def _end_executor(self) -> None:
        """Wait for the threads of the loop; those that do not end are left behind."""
        end = partial(self._executor.shutdown, cancel_futures=True)
        ending = threading.Thread(target=end, name="end of the event loop", daemon=True)
        ending.start()
        ending.join(STEP_LIMIT)
        if ending.is_alive():
            self._loop.set_default_executor(ThreadPoolExecutor())
            raise AssertionError("threads started through the event loop are still running")

    async def _undo(self, teardown: Teardown, alarm: Alarm) -> None:
        self._beat(alarm)
        await self.lab.dispose(teardown)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        if left:
            _, left = await asyncio.wait(left, timeout=GIVE_UP_AFTER)
        for task in left:
            _leave_behind(task)
        if left:
            names = ", ".join(sorted(task.get_name() for task in left))
            teardown.note(AssertionError(f"tasks ignore their cancellation: {names}"))

    async def _main(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        _current_task().set_name(MAIN)
        try:
            await test()
        finally:
            self.lab.context.log.note_end()
        await self.lab.verify()


def _current_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


def _log_uncaught(_loop: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
    """Log an uncaught error without a traceback.

    The garbage collector may call this while Python parses a module. Python 3.11 parses code to
    print a traceback; the outer parser would then fail with SystemError, and pytest with it.
    """
    error = about.get("exception")
    logger.error("%s%s", about["message"], f": {text_of(error)}" if error else "")


def _leave_behind(task: asyncio.Task[Any]) -> None:
    """Leave a task running: it ignores cancellation, so asyncio must neither wait nor warn."""
    LEFT_BEHIND.append(task)
    asyncio._unregister_task(task)
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own


async def _made(
    server: Server | None, adapter: AsyncPoolAdapter, time: TimeKind, connections: Connections
) -> AsyncLab:
    return AsyncLab(server, adapter, time, connections)
