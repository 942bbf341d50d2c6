"""The control pools for asyncio: a fair one, one that lets releasers in, and one that forgets."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from tests.lab.control_pools import ControlPool, NoConnectionError

from poolspec.adapters.steady_asyncio import AsyncSteadypoolAdapter
from poolspec.lab.aio.clock import AsyncClock, RealAsyncClock
from poolspec.lab.aio.contract import AsyncWiring
from poolspec.lab.contract import Options
from poolspec.vocabulary import Capability, ErrorKind, TimeKind


class AsyncFairPool:
    """Serves waiters first in, first out."""

    def __init__(self, connect: Callable[[], Awaitable[Any]], limit: int, timeout: float) -> None:
        self._connect = connect
        self._limit = limit
        self._timeout = timeout
        self._idle: deque[Any] = deque()
        self._queue: deque[asyncio.Future[Any]] = deque()
        self._opened = 0

    async def acquire(self, timeout: float | None) -> Any:
        if self._idle:
            return self._idle.pop()
        if self._opened < self._limit:
            self._opened += 1
            return await self._connect()
        waiter = asyncio.get_running_loop().create_future()
        self._queue.append(waiter)
        try:
            return await asyncio.wait_for(waiter, self._timeout if timeout is None else timeout)
        except TimeoutError:
            self._queue.remove(waiter)
            raise NoConnectionError from None

    async def release(self, connection: Any) -> None:
        if self._queue:
            self._queue.popleft().set_result(connection)
        else:
            self._idle.append(connection)

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()


class AsyncHelpedFairPool(AsyncFairPool):
    """Resets a returned connection in a task of its own, and then wakes its waiter."""

    async def release(self, connection: Any) -> None:
        if not self._queue:
            self._idle.append(connection)
            return
        waiter = self._queue.popleft()
        self._reset = asyncio.create_task(self._hand_over(connection, waiter))

    async def _hand_over(self, connection: Any, waiter: "asyncio.Future[Any]") -> None:
        await connection.ping()
        await asyncio.sleep(0)
        waiter.set_result(connection)


class AsyncBargingPool(AsyncFairPool):
    """Makes a returned connection idle and wakes a waiter; the acquire that looks first gets it."""

    async def acquire(self, timeout: float | None) -> Any:
        while not self._idle and self._opened == self._limit:
            waiter = asyncio.get_running_loop().create_future()
            self._queue.append(waiter)
            await waiter
        if self._idle:
            return self._idle.pop()
        self._opened += 1
        return await self._connect()

    async def release(self, connection: Any) -> None:
        self._idle.append(connection)
        if self._queue:
            self._queue.popleft().set_result(None)


class AsyncForgetfulPool(AsyncFairPool):
    """Wakes no waiter: a returned connection becomes idle."""

    async def release(self, connection: Any) -> None:
        self._idle.append(connection)


class AsyncControlAdapter(AsyncSteadypoolAdapter):
    """Drives a control pool in real time; its connections are those of steadypool's adapter."""

    capabilities = frozenset({Capability.FAIR_QUEUE, Capability.TIMEOUT})

    def __init__(self, make: ControlPool) -> None:
        self._make = make

    def clock(self, time: TimeKind) -> AsyncClock:
        return RealAsyncClock()

    async def create(self, options: Options, wiring: AsyncWiring) -> Any:
        return self._make(wiring.connect, int(options["size"]), float(options["timeout"]))

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        return ErrorKind.TIMEOUT if isinstance(error, NoConnectionError) else None
