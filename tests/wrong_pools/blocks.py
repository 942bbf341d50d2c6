"""Pools whose blocks return the connection of another block."""

import asyncio
import threading
from typing import Any

from tests.wrong_pools.faults import noticed_by

import steadypool


@noticed_by("blocks.with_blocks_of_generators_end_in_any_order")
class EndsTheLastBlock(steadypool.ConnectionPool):
    """Takes every block that ends for the one that was entered last."""

    def __init__(self, *positional: Any, **options: Any) -> None:
        super().__init__(*positional, **options)
        self._entered: list[Any] = []

    def __enter__(self) -> Any:
        connection = self.acquire()
        self._entered.append(connection)
        return connection

    def __exit__(self, *exc: object) -> None:
        self.release(self._entered.pop())


@noticed_by("blocks.with_blocks_of_generators_end_in_any_order")
class AsyncEndsTheLastBlock(steadypool.AsyncConnectionPool):
    """Takes every block that ends for the one that was entered last."""

    def __init__(self, *positional: Any, **options: Any) -> None:
        super().__init__(*positional, **options)
        self._entered: list[Any] = []

    async def _borrow(self) -> Any:
        connection = await self.acquire()
        self._entered.append(connection)
        return connection

    def __aenter__(self) -> Any:
        return self._borrow()

    def __aexit__(self, *exc: object) -> Any:
        return self.release(self._entered.pop())


@noticed_by("blocks.a_generator_ends_in_another_actor")
class EndsTheThreadsBlock(EndsTheLastBlock):
    """Takes a block that ends for the last one of the running thread."""

    def __enter__(self) -> Any:
        connection = self.acquire()
        self._entered.append((threading.get_ident(), connection))
        return connection

    def __exit__(self, *exc: object) -> None:
        own = [one for one in self._entered if one[0] == threading.get_ident()]
        ended = (own or self._entered)[-1]
        self._entered.remove(ended)
        self.release(ended[1])


@noticed_by("blocks.an_abandoned_with_block_returns_its_own_connection")
class AsyncEndsTheTasksBlock(AsyncEndsTheLastBlock):
    """Takes a block that ends for the last one of the running task."""

    async def _borrow(self) -> Any:
        connection = await self.acquire()
        self._entered.append((asyncio.current_task(), connection))
        return connection

    def __aexit__(self, *exc: object) -> Any:
        own = [one for one in self._entered if one[0] is asyncio.current_task()]
        ended = (own or self._entered)[-1]
        self._entered.remove(ended)
        return self.release(ended[1])
