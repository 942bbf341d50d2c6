"""The base of an adapter for a pool that asyncio tasks use; see `threads_adapter`."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar

from poolspec.drivers.aiomysql import AiomysqlDriver
from poolspec.drivers.contract import AsyncDriver
from poolspec.lab.aio.clock import AsyncClock, RealAsyncClock
from poolspec.lab.aio.contract import AsyncWiring
from poolspec.lab.contract import Options
from poolspec.lab.event_loop.clock import LoopClock
from poolspec.vocabulary import Capability, ErrorKind, TimeKind


class AsyncioAdapter(ABC):
    """Drives a pool that asyncio tasks use. `pool` and `connection` are objects of its library.

    Every subclass has the capability `virtual_time`: the time of the event loop is virtual. To a
    pool without a timeout of its own the lab brings one, `asyncio.timeout` around its acquire.
    """

    name: str = ""
    """The name in reports."""
    capabilities: frozenset[Capability] = frozenset()
    """What the pool can do, as far as the lab cannot see it from outside."""
    driver: AsyncDriver = AiomysqlDriver()
    """The driver of the pool's connections."""
    modules: tuple[str, ...] = ()
    """The pool's modules that read the time by the functions of `time`: there, it is virtual."""
    timeout_by_lab: ClassVar[bool] = False
    """Whether the lab brings the timeouts; follows from `capabilities`."""
    errors: ClassVar[Mapping[type[BaseException], ErrorKind]] = {}
    """The kinds of the pool's exceptions; the first class that fits counts."""

    def __init_subclass__(cls) -> None:
        cls.timeout_by_lab = cls.timeout_by_lab or Capability.TIMEOUT not in cls.capabilities
        brought = {Capability.TIMEOUT, Capability.CALL_TIMEOUT} if cls.timeout_by_lab else set()
        cls.capabilities = cls.capabilities | brought | {Capability.VIRTUAL_TIME}

    @abstractmethod
    async def create(self, options: Options, wiring: AsyncWiring) -> Any:
        """Make a pool that opens its connections with `wiring.connect`.

        `options` always has `size` and `timeout` (in seconds), and `max_overflow` if the pool has
        the capability `overflow`.
        """

    @abstractmethod
    async def acquire(self, pool: Any, timeout: float | None) -> Any:
        """Borrow a connection. `timeout` is None without the capability `call_timeout`."""

    @abstractmethod
    async def release(self, pool: Any, connection: Any) -> None:
        """Release a connection. None stands for a caller that never got one."""

    @abstractmethod
    async def close(self, pool: Any) -> None:
        """Close the pool, or its idle connections if it cannot be closed for good."""

    def raw(self, connection: Any) -> Any:
        """Return the driver's own connection of what `acquire` returned."""
        return connection

    def clock(self, time: TimeKind) -> AsyncClock:
        """Return a clock that the pool and the lab share. Called inside the event loop."""
        return LoopClock() if time is TimeKind.VIRTUAL else RealAsyncClock()

    def block(self, pool: Any) -> AbstractAsyncContextManager[Any]:
        """Return a context that borrows for the length of a block."""
        return self._borrowed(pool)

    @asynccontextmanager
    async def _borrowed(self, pool: Any) -> AsyncIterator[Any]:
        connection = await self.acquire(pool, None)
        try:
            yield connection
        finally:
            await self.release(pool, connection)

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an exception of the pool means; None for any other exception."""
        return next(
            (kind for raised, kind in self.errors.items() if isinstance(error, raised)), None
        )

    def stats(self, pool: Any) -> Mapping[str, int]:
        """Return the pool's own figures; for the capability `statistics`."""
        return {}

    async def close_all(self, pool: Any) -> None:
        """Empty the pool; for the capability `close_all`."""
        raise NotImplementedError
