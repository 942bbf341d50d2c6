"""The end of a pool outside its event loop.

A pool belongs to one loop. When that loop has ended, the work under way there never reports an
end. So a successor replaces the pool's core and engine. It is closed, has the same counters, and
has no connections.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

_LOOK_EVERY = 0.05
"""Seconds between two checks whether the other loop still runs."""


def is_elsewhere(loop: asyncio.AbstractEventLoop) -> bool:
    """Whether an event loop runs in another thread."""
    try:
        return loop.is_running() and loop is not asyncio.get_running_loop()
    except RuntimeError:  # none runs in this thread
        return True


async def done_there(
    loop: asyncio.AbstractEventLoop, work: Callable[[], Coroutine[Any, Any, None]]
) -> bool:
    """Do work in the event loop of another thread; False if that loop ends first."""
    coroutine = work()
    try:
        future = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))
    except RuntimeError:  # closed a moment ago
        coroutine.close()
        return False
    while not future.done():
        await asyncio.wait([future], timeout=_LOOK_EVERY)
        if not (future.done() or loop.is_running()):
            return False
    future.result()
    return True


def give_up(task: asyncio.Task[Any], ended: bool) -> None:
    """Cancel a task; of a closed event loop, end its coroutine, which releases what it holds."""
    if not ended:
        task.cancel()
        return
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # as asyncio.gather does
    with suppress(Exception):
        coroutine = task.get_coro()
        if coroutine is not None:
            coroutine.close()
