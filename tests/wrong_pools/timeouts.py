"""Pools that wait too long or too briefly, or lose a slot at a timeout."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymysql import OperationalError
from pymysql.constants import CR
from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._core.core import Core
from steadypool._core.entries import AcquireRequest, PoolEntry
from steadypool.events import FailReason


@noticed_by("timeout.after_a_timeout_every_slot_can_be_used")
class LosesASlotAtATimeout(Core):
    """Hands out one connection less after every timeout."""

    lost = 0

    def withdraw(self, request: AcquireRequest, reason: FailReason, now: float) -> PoolEntry | None:
        self.lost += reason is FailReason.TIMEOUT
        return super().withdraw(request, reason, now)

    def _used_slots(self) -> int:
        return super()._used_slots() + self.lost


@noticed_by("timeout.acquire_timeout_default")
class IgnoresTimeouts(steadypool.ConnectionPool):
    """Waits without limit."""

    def acquire(self, timeout: float | None = None) -> Any:
        return super().acquire(math.inf)


@noticed_by("timeout.acquire_timeout_default")
class AsyncIgnoresTimeouts(steadypool.AsyncConnectionPool):
    """Waits without limit."""

    async def acquire(self, timeout: float | None = None) -> Any:
        return await super().acquire(math.inf)


@noticed_by("timeout.acquire_timeout_default")
class GivesUpEarly(steadypool.ConnectionPool):
    """Waits one per cent less than its timeout."""

    def acquire(self, timeout: float | None = None) -> Any:
        return super().acquire((self._timeout if timeout is None else timeout) * 0.99)


@noticed_by("timeout.acquire_timeout_default")
class AsyncGivesUpEarly(steadypool.AsyncConnectionPool):
    """Waits one per cent less than its timeout."""

    async def acquire(self, timeout: float | None = None) -> Any:
        return await super().acquire((self._timeout if timeout is None else timeout) * 0.99)


@noticed_by("interrupts.a_timeout_of_the_only_connect_attempt_is_raised")
class RetriesTheOnlyAttempt(steadypool.ConnectionPool):
    """Connects again after the only connect attempt timed out."""

    def acquire(self, timeout: float | None = None) -> Any:
        try:
            return super().acquire(timeout)
        except steadypool.ConnectionFailedError:
            return super().acquire(timeout)


@noticed_by("interrupts.a_timeout_in_a_transaction_is_raised")
class HidesLostAnswers(steadypool.ConnectionPool):
    """Ends a transaction without an error although an answer timed out."""

    @contextmanager
    def transaction(self, timeout: float | None = None) -> Iterator[Any]:
        try:
            with super().transaction(timeout) as connection:
                yield connection
        except OperationalError as error:
            if error.args[0] != CR.CR_SERVER_LOST:
                raise
