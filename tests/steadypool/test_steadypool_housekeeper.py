"""The housekeeper's thread: its work, the exceptions it survives, and its end."""

import gc
import logging
import os
import time
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    AsyncConnectionPool,
    ConnectionPool,
    Housekeeper,
    HousekeeperStoppedError,
    LogEvent,
    PoolConfigError,
)
from steadypool.testing import ScriptedConnector

INTERVAL = 0.001


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(INTERVAL)


def test_a_housekeeper_maintains_pools_until_it_is_stopped(connect: ScriptedConnector) -> None:
    pool = ConnectionPool(size=1, connect=connect)
    pool.clear()
    with Housekeeper(interval=0.001) as keeper:
        keeper.watch(pool)
        while not pool.stats().pool_size:
            pass
    pool.close()
    with pytest.raises(PoolConfigError, match="interval"):
        Housekeeper(interval=0)


def test_a_housekeeper_drops_pools_that_are_closed_or_no_longer_referenced() -> None:
    closed, forgotten = (ConnectionPool(size=1, connect=ScriptedConnector()) for _ in range(2))
    gone = weakref.ref(forgotten)
    with Housekeeper(interval=0.001) as keeper:
        keeper.watch(closed)
        keeper.watch(forgotten)
        forgotten.clear()
        while not forgotten.stats().pool_size:
            pass
        closed.close()
        del forgotten
        deadline = time.monotonic() + 10
        while (gone() or closed in keeper._pools) and time.monotonic() < deadline:
            gc.collect()
        assert gone() is None
        assert closed not in keeper._pools


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_any_exception_of_a_hook_is_logged_and_does_not_end_the_thread(
    kind: type[BaseException], connect: ScriptedConnector, caplog: pytest.LogCaptureFixture
) -> None:
    raised: list[BaseException] = []

    def setup(connection: object) -> None:
        if raised:
            raise raised.pop()

    pool = ConnectionPool(size=1, connect=connect, setup=setup)
    raised.append(kind("the hook's own"))
    pool.clear()
    with caplog.at_level(logging.WARNING, "steadypool"), Housekeeper(INTERVAL) as keeper:
        keeper.watch(pool)
        until(lambda: pool.stats().pool_size)
    pool.close()
    (record,) = caplog.records
    assert vars(record)["event"] == LogEvent.MAINTENANCE_FAILED
    assert vars(record)["error"] == kind.__name__


def test_a_stopped_housekeeper_accepts_no_pools(connect: ScriptedConnector) -> None:
    pool = ConnectionPool(size=1, connect=connect)
    with Housekeeper(INTERVAL) as keeper:
        keeper.watch(pool)
    with pytest.raises(HousekeeperStoppedError, match="create another"):
        keeper.watch(pool)
    pool.close()


def test_a_housekeeper_in_a_forked_child_accepts_no_pools(connect: ScriptedConnector) -> None:
    pool = ConnectionPool(size=1, connect=connect)
    with Housekeeper() as keeper:
        child = os.fork()
        if not child:
            try:
                keeper.watch(pool)
            except HousekeeperStoppedError:
                keeper.stop()
                os._exit(0)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        keeper.watch(pool)
    pool.close()


def test_an_asyncio_pool_is_refused() -> None:
    connect: Any = ScriptedConnector()
    pool: Any = AsyncConnectionPool(size=1, connect=connect)
    with Housekeeper() as keeper, pytest.raises(TypeError, match="use AsyncHousekeeper"):
        keeper.watch(pool)
