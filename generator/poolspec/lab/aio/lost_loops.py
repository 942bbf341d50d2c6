"""A pool in another event loop, which is closed, stopped or runs when the pool is closed here.

The other loop runs in a thread. Everything in it is done for the calling actor.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

from poolspec.invariants.connection import Sockets
from poolspec.invariants.log import acting_for, current_actor
from poolspec.lab.aio.contract import AsyncPoolAdapter
from poolspec.lab.aio.pool import AsyncContext
from poolspec.lab.aio.pools import AsyncPools
from poolspec.vocabulary import Capability, ErrorKind, LoopEnd, StatName

__tracebackhide__ = True  # a failure is shown where the test failed

T = TypeVar("T")
_BEGUN = 0.05
"""Real seconds that an acquire under way may need to reach its wait; no result depends on it."""


_LAST_WAIT = 1.0
"""Real seconds for the tasks of the other loop to end."""


class _OtherLoop:
    """An event loop that runs in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._actor = current_actor()
        self.run()

    def run(self) -> None:
        """Run it, for the first time or again."""
        name = "another event loop"
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    async def do(self, work: Awaitable[T]) -> T:
        """Do work in it, and return the result."""
        return await asyncio.wrap_future(
            asyncio.run_coroutine_threadsafe(self._for_actor(work), self._loop)
        )

    async def begin(self, work: Awaitable[T]) -> asyncio.Task[T]:
        """Start a task in it."""

        async def start() -> asyncio.Task[T]:
            task = asyncio.create_task(self._for_actor(work))
            await asyncio.wait([task], timeout=_BEGUN)
            return task

        return await self.do(start())

    async def stop(self) -> None:
        """Stop it; it may run again."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            await asyncio.to_thread(self._thread.join)

    async def finish(self, undo: Callable[[], object]) -> None:
        """Undo what is left in it, cancel its tasks, and end it for good."""
        if not self._loop.is_closed():
            if not self._thread.is_alive():
                self.run()
            await self.do(_finish(undo))
        await self.close()

    async def close(self) -> None:
        """End it for good."""
        await self.stop()
        self._loop.close()

    async def _for_actor(self, work: Awaitable[T]) -> T:
        acting_for.set(self._actor)
        return await work


class AsyncLostLoops:
    """Closes pools outside their event loops."""

    def __init__(self, context: AsyncContext, adapter: AsyncPoolAdapter, pools: AsyncPools) -> None:
        self._context = context
        self._adapter = adapter
        self._pools = pools
        self._sockets = Sockets(lambda kind, number, was=None: None)
        """Those of the pool that is lost."""

    async def lose(self, end: LoopEnd, on_loan: int, waiting: int) -> None:
        """Start a pool in another event loop, and close it here.

        Nothing of it may be left. Where the loop continues, the acquires under way fail because the
        pool is closed, and the borrowers release. Raises AssertionError.
        """
        other = _OtherLoop()
        try:
            raw, account = await other.do(self._pools.new())
            self._sockets = account.sockets
            held = [await other.do(self._acquire(raw)) for _ in range(on_loan)]
            begun = [await other.begin(self._acquire(raw)) for _ in range(waiting)]
            if end is LoopEnd.STOPPED:
                await other.stop()
            elif end is LoopEnd.CLOSED:
                await other.close()
            await self._adapter.close(raw)
            if end is LoopEnd.CLOSED:
                _forget(begun)
            else:
                await self._continue(other, end, raw, held, begun)
            self._check(raw)
        finally:
            await other.finish(self._end_connections)

    async def _acquire(self, raw: Any) -> Any:
        return await self._adapter.acquire(raw, None)

    async def _continue(
        self,
        other: _OtherLoop,
        end: LoopEnd,
        raw: Any,
        held: list[Any],
        begun: list[asyncio.Task[Any]],
    ) -> None:
        """Let the tasks of the other loop learn that the pool is closed, and release."""
        if end is LoopEnd.STOPPED:
            other.run()
        for task in begun:
            await other.do(self._refused(task))
        for connection in held:
            await other.do(self._adapter.release(raw, connection))

    async def _refused(self, task: asyncio.Task[Any]) -> None:
        try:
            await task
        except Exception as error:
            kind = self._context.kind_of(error)
            if kind is not ErrorKind.CLOSED:
                raise AssertionError(f"an acquire failed as {kind}, not as closed") from error
        else:
            raise AssertionError("an acquire under way got a connection of a closed pool")

    def _end_connections(self) -> None:
        """Close the connections that a wrong pool left open."""
        for connection in self._sockets.open().values():
            self._adapter.driver.end(connection)

    def _check(self, raw: Any) -> None:
        if left := len(self._sockets.open()):
            raise AssertionError(f"{left} connections of the pool are open after its close")
        if Capability.STATISTICS in self._context.capabilities:
            stats = self._adapter.stats(raw)
            for name in (StatName.TOTAL_CONNECTIONS, StatName.IN_USE, StatName.WAITING):
                if stats.get(name):
                    raise AssertionError(f"{name} after the close: expected 0, was {stats[name]}")


async def _finish(undo: Callable[[], object]) -> None:
    undo()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_LAST_WAIT)
    await asyncio.sleep(0)  # a transport closes its socket in the loop's next turn


def _forget(begun: list[asyncio.Task[Any]]) -> None:
    """End the test's own tasks in a closed loop, which nothing resumes."""
    for task in begun:
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.gather does
        coroutine = task.get_coro()
        with suppress(Exception):  # the pool may have ended what the task waits for
            if coroutine is not None:
                coroutine.close()
