"""The base of an adapter for a pool that threads use.

An adapter says how to make a pool, borrow, release and close. The lab observes the rest by itself:
it counts connections and acquires, sees which acquires wait, and passes virtual time in the pool's
modules. An adapter has no state, so an interrupt leaves none of it in disorder.

    class MyAdapter(ThreadsAdapter):
        name = "my-pool"
        capabilities = frozenset({Capability.OVERFLOW, Capability.TIMEOUT})
        modules = ("my_pool.pool",)
        errors = {my_pool.Timeout: ErrorKind.TIMEOUT}

        def create(self, options, wiring):
            return my_pool.Pool(wiring.connect, options["size"], timeout=options["timeout"])

        def acquire(self, pool, timeout):
            return pool.get()

        def release(self, pool, connection):
            pool.put(connection)

        def close(self, pool):
            pool.close()
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ClassVar

from poolspec.drivers.contract import Driver
from poolspec.drivers.pymysql import PyMySQLDriver
from poolspec.lab.contract import Options, Wiring
from poolspec.lab.threads.clock import Clock, RealClock
from poolspec.vocabulary import Capability, ErrorKind, TimeKind
from steadypool.testing import VirtualClock


class ThreadsAdapter(ABC):
    """Drives a pool that threads use. `pool` and `connection` are objects of its library.

    A subclass with `modules` has the capability `virtual_time`, unless the clock is another.
    """

    name: str = ""
    """The name in reports."""
    capabilities: frozenset[Capability] = frozenset()
    """What the pool can do, as far as the lab cannot see it from outside."""
    driver: Driver = PyMySQLDriver()
    """The driver of the pool's connections."""
    modules: tuple[str, ...] = ()
    """The pool's modules that use `threading`, `queue` or `time`: there, time is virtual."""
    errors: ClassVar[Mapping[type[BaseException], ErrorKind]] = {}
    """The kinds of the pool's exceptions; the first class that fits counts."""

    def __init_subclass__(cls) -> None:
        virtual = {Capability.VIRTUAL_TIME} if cls.modules else set()
        cls.capabilities = cls.capabilities | virtual | {Capability.SIGNAL_SAFETY}

    @abstractmethod
    def create(self, options: Options, wiring: Wiring) -> Any:
        """Make a pool that opens its connections with `wiring.connect`.

        `options` always has `size` and `timeout` (in seconds), and `max_overflow` if the pool has
        the capability `overflow`.
        """

    @abstractmethod
    def acquire(self, pool: Any, timeout: float | None) -> Any:
        """Borrow a connection. `timeout` is None without the capability `call_timeout`."""

    @abstractmethod
    def release(self, pool: Any, connection: Any) -> None:
        """Release a connection. None stands for a caller that never got one."""

    @abstractmethod
    def close(self, pool: Any) -> None:
        """Close the pool, or its idle connections if it cannot be closed for good."""

    def raw(self, connection: Any) -> Any:
        """Return the driver's own connection of what `acquire` returned."""
        return connection

    def clock(self, time: TimeKind) -> Clock:
        """Return a clock that the pool and the lab share: the real one if it cannot be virtual."""
        can_be_virtual = Capability.VIRTUAL_TIME in self.capabilities
        return VirtualClock() if can_be_virtual and time is TimeKind.VIRTUAL else RealClock()

    def block(self, pool: Any) -> AbstractContextManager[Any]:
        """Return a context that borrows for the length of a block."""
        return self._borrowed(pool)

    @contextmanager
    def _borrowed(self, pool: Any) -> Iterator[Any]:
        connection = self.acquire(pool, None)
        try:
            yield connection
        finally:
            self.release(pool, connection)

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an exception of the pool means; None for any other exception."""
        return next(
            (kind for raised, kind in self.errors.items() if isinstance(error, raised)), None
        )

    def stats(self, pool: Any) -> Mapping[str, int]:
        """Return the pool's own figures; for the capability `statistics`."""
        return {}

    def close_all(self, pool: Any) -> None:
        """Empty the pool; for the capability `close_all`."""
        raise NotImplementedError

    def global_pool(self, options: Options, wiring: Wiring) -> Any:
        """Return the process-wide pool; for the capability `global_pool`."""
        raise NotImplementedError
