"""Blocks that a test enters in one step and leaves in another, in either concurrency mode.

An exit stack or a generator runs the block meanwhile, or the block is entered and left by hand. An
exit stack enters and leaves it in frames that end at once. A generator is suspended inside a `with`
statement, so its frame stays. When a generator is dropped, the garbage collector ends it and its
block: in the thread that happens to run the collector, and in asyncio in a task that the event loop
makes for it.
"""

import asyncio
import gc
import weakref
from collections.abc import AsyncGenerator, Generator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
)
from typing import Any

from poolspec.vocabulary import BlockFrame

__tracebackhide__ = True  # a failure is shown where the test failed


def _collect(left: "weakref.ref[Any]") -> None:
    """Run the collector until an object is gone: the youngest generation may be enough."""
    for generation in range(3):
        gc.collect(generation)
        if left() is None:
            return


class EnteredBlock:
    """A block of a pool that threads use."""

    def __init__(self, context: AbstractContextManager[Any], frame: BlockFrame) -> None:
        self._stack = ExitStack()
        self._generator: Generator[Any, None, None] | None = None
        self._error: Exception | None = None
        self._context = context
        self._frame = frame

    def enter(self) -> Any:
        """Enter the block and return its connection."""
        if self._frame is BlockFrame.EXIT_STACK:
            return self._stack.enter_context(self._context)
        if self._frame is BlockFrame.BY_HAND:
            return self._context.__enter__()
        cycle: list[Any] = []
        generator = self._hold(cycle)
        cycle.append(generator)
        connection = next(generator)
        self._generator = generator
        return connection

    def leave(self) -> None:
        """Leave the block. Raises the error of the pool."""
        if self._generator is not None:
            next(self._generator, None)
        elif self._frame is BlockFrame.BY_HAND:
            self._context.__exit__(None, None, None)
        else:
            self._stack.close()
        self._raise()

    def abandon(self) -> None:
        """Drop the generator that runs the block, and collect it. Raises the error of the pool."""
        left, self._generator = weakref.ref(self._generator), None
        _collect(left)
        self._raise()

    def _hold(self, cycle: list[Any]) -> Generator[Any, None, None]:
        """Run the block. `cycle` leads to the generator, so only the collector finds it unused."""
        try:
            with self._context as connection:
                yield connection
        except Exception as error:  # the collector would print it and drop it
            if not cycle:
                raise
            self._error = error

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error


class AsyncEnteredBlock:
    """A block of a pool that tasks use."""

    def __init__(self, context: AbstractAsyncContextManager[Any], frame: BlockFrame) -> None:
        self._stack = AsyncExitStack()
        self._generator: AsyncGenerator[Any, None] | None = None
        self._error: Exception | None = None
        self._over = asyncio.Event()
        self._context = context
        self._frame = frame

    async def enter(self) -> Any:
        """Enter the block and return its connection."""
        if self._frame is BlockFrame.EXIT_STACK:
            return await self._stack.enter_async_context(self._context)
        if self._frame is BlockFrame.BY_HAND:
            return await self._context.__aenter__()
        cycle: list[Any] = []
        generator = self._hold(cycle)
        cycle.append(generator)
        connection = await anext(generator)
        self._generator = generator
        return connection

    async def leave(self) -> None:
        """Leave the block. Raises the error of the pool."""
        if self._generator is not None:
            await anext(self._generator, None)
        elif self._frame is BlockFrame.BY_HAND:
            await self._context.__aexit__(None, None, None)
        else:
            await self._stack.aclose()
        self._raise()

    async def abandon(self) -> None:
        """Drop the generator that runs the block, and collect it. Raises the error of the pool.

        The event loop closes the generator in a task; returns when the block has ended.
        """
        left, self._generator = weakref.ref(self._generator), None
        _collect(left)
        await self._over.wait()
        self._raise()

    async def _hold(self, cycle: list[Any]) -> AsyncGenerator[Any, None]:
        """Run the block. `cycle` leads to the generator, so only the collector finds it unused."""
        try:
            async with self._context as connection:
                yield connection
        except Exception as error:  # the event loop would log it and drop it
            if not cycle:
                raise
            self._error = error
        finally:
            self._over.set()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error
