"""Pools that hold a lock while they wait, keep what is released, or lose what was committed."""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from tests.wrong_pools.faults import noticed_by

import steadypool


class Turn:
    """A lock whose waits go through the test's clock, for threads or for tasks."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._is_taken = False
        self._waiters: deque[Any] = deque()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the lock within the block."""
        if (waiter := self._queued()) is not None:
            waiter.wait(None)
        try:
            yield
        finally:
            self._pass_on()

    @asynccontextmanager
    async def taken_by_task(self) -> AsyncIterator[None]:
        """Hold the lock within the block."""
        if (waiter := self._queued()) is not None:
            await waiter.wait(None)
        try:
            yield
        finally:
            self._pass_on()

    def _queued(self) -> Any:
        if not self._is_taken:
            self._is_taken = True
            return None
        waiter = self._clock.waiter()
        self._waiters.append(waiter)
        return waiter

    def _pass_on(self) -> None:
        if self._waiters:
            self._waiters.popleft().wake()
        else:
            self._is_taken = False


@noticed_by("connection_faults.a_slow_connect_delays_no_other_borrower")
class ConnectsUnderItsLock(steadypool.ConnectionPool):
    """Holds the lock that a release needs while it connects."""

    def __init__(self, *positional: Any, connect: Any, clock: Any, **options: Any) -> None:
        self._turn = Turn(clock)

        def connect_in_turn() -> Any:
            with self._turn.taken():
                return connect()

        super().__init__(*positional, connect=connect_in_turn, clock=clock, **options)

    def release(self, connection: Any) -> None:
        with self._turn.taken():
            super().release(connection)


@noticed_by("connection_faults.a_slow_connect_delays_no_other_borrower")
class AsyncConnectsUnderItsLock(steadypool.AsyncConnectionPool):
    """Holds the lock that a release needs while it connects."""

    def __init__(self, *positional: Any, connect: Any, clock: Any, **options: Any) -> None:
        self._turn = Turn(clock)

        async def connect_in_turn() -> Any:
            async with self._turn.taken_by_task():
                return await connect()

        super().__init__(*positional, connect=connect_in_turn, clock=clock, **options)

    async def release(self, connection: Any) -> None:
        async with self._turn.taken_by_task():
            await super().release(connection)


@noticed_by("timeout.acquire_succeeds_after_release")
class WaitsUnderItsLock(steadypool.ConnectionPool):
    """Holds the lock that a release needs while an acquire waits without limit."""

    def __init__(self, *positional: Any, clock: Any, **options: Any) -> None:
        self._turn = Turn(clock)
        super().__init__(*positional, clock=clock, **(options | {"timeout": None}))

    def acquire(self, timeout: float | None = None) -> Any:
        with self._turn.taken():
            return super().acquire()

    def release(self, connection: Any) -> None:
        with self._turn.taken():
            super().release(connection)


@noticed_by("timeout.acquire_succeeds_after_release")
class AsyncWaitsUnderItsLock(steadypool.AsyncConnectionPool):
    """Holds the lock that a release needs while an acquire waits without limit."""

    def __init__(self, *positional: Any, clock: Any, **options: Any) -> None:
        self._turn = Turn(clock)
        super().__init__(*positional, clock=clock, **(options | {"timeout": None}))

    async def acquire(self, timeout: float | None = None) -> Any:
        async with self._turn.taken_by_task():
            return await super().acquire()

    async def release(self, connection: Any) -> None:
        async with self._turn.taken_by_task():
            await super().release(connection)


@noticed_by("basics.release_connection")
class IgnoresReleases(steadypool.ConnectionPool):
    """Keeps every connection on loan."""

    def release(self, connection: Any) -> None:
        pass


@noticed_by("basics.release_connection")
class AsyncIgnoresReleases(steadypool.AsyncConnectionPool):
    """Keeps every connection on loan."""

    async def release(self, connection: Any) -> None:
        pass


@noticed_by("threads.no_connection_leaks")
class CommitsNothing(steadypool.ConnectionPool):
    """Hands out connections whose commit does nothing."""

    def acquire(self, timeout: float | None = None) -> Any:
        connection = super().acquire(timeout)
        connection.commit = lambda: None
        return connection


@noticed_by("threads.no_connection_leaks")
class AsyncCommitsNothing(steadypool.AsyncConnectionPool):
    """Hands out connections whose commit does nothing."""

    async def acquire(self, timeout: float | None = None) -> Any:
        connection = await super().acquire(timeout)

        async def commit() -> None:
            pass

        connection.commit = commit
        return connection
