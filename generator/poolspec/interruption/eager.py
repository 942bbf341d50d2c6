"""Tasks that start at once, inside the code that makes them.

asyncio of Python 3.12 has them (`asyncio.eager_task_factory`), and with them a signal handler, a
finalizer or a listener may run the first part of a coroutine inside a method of the pool.
"""

import asyncio
from asyncio import tasks
from collections.abc import Callable, Coroutine, Generator
from functools import partial
from typing import Any

__tracebackhide__ = True  # a failure is shown where the test failed

Work = Coroutine[Any, Any, None]


def start_at_once(work: Work, failed: Callable[[BaseException], None]) -> "asyncio.Task[None]":
    """Run a coroutine until it suspends, and let a task run the rest. `failed` takes its error."""
    loop, current = asyncio.get_running_loop(), asyncio.current_task()
    begun = _Begun(work)
    task = loop.create_task(_finish(begun, failed))
    if current is not None:
        tasks._leave_task(loop, current)
    tasks._enter_task(loop, task)
    try:
        begun.start()
    finally:
        tasks._leave_task(loop, task)
        if current is not None:
            tasks._enter_task(loop, current)
    return task


async def _finish(begun: "_Begun", failed: Callable[[BaseException], None]) -> None:
    try:
        await begun
    except BaseException as error:
        failed(error)


class _Begun:
    """A coroutine that has run until it suspended, or to its end."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._future: Any = None
        self._is_over = False
        self._error: BaseException | None = None

    def start(self) -> None:
        """Run the coroutine until it suspends."""
        try:
            self._future = self._work.send(None)
        except StopIteration:
            self._is_over = True
        except BaseException as error:
            self._is_over, self._error = True, error

    def __await__(self) -> Generator[Any, None, None]:
        if self._error is not None:
            raise self._error
        future = self._future
        while not self._is_over:
            try:
                value = yield future
            except BaseException as error:
                step = partial(self._work.throw, error)
            else:
                step = partial(self._work.send, value)
            try:
                future = step()
            except StopIteration:
                return
