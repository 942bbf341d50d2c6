"""The thread that looks after pools: what it does, what it survives, and how it ends."""

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

OFTEN = 0.001


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(OFTEN)


def test_a_housekeeper_looks_after_pools_until_it_is_stopped(connect: ScriptedConnector) -> None:
    pool = ConnectionPool(size=1, connect=connect)
    pool.clear()
    with Housekeeper(interval=0.001) as keeper:
        keeper.watch(pool)
        while not pool.stats().pool_size:
            pass
    pool.close()
    with pytest.raises(PoolConfigError, match="interval"):
        Housekeeper(interval=0)


def test_a_housekeeper_lets_go_of_pools_that_are_closed_or_forgotten() -> None:
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
def test_whatever_a_hook_raises_is_logged_and_ends_nothing(
    kind: type[BaseException], connect: ScriptedConnector, caplog: pytest.LogCaptureFixture
) -> None:
    raised: list[BaseException] = []

    def setup(connection: object) -> None:
        if raised:
            raise raised.pop()

    pool = ConnectionPool(size=1, connect=connect, setup=setup)
    raised.append(kind("the hook's own"))
    pool.clear()
    with caplog.at_level(logging.WARNING, "steadypool"), Housekeeper(OFTEN) as keeper:
        keeper.watch(pool)
        until(lambda: pool.stats().pool_size)
    pool.close()
    (record,) = caplog.records
    assert vars(record)["event"] == LogEvent.MAINTENANCE_FAILED
    assert vars(record)["error"] == kind.__name__


def test_who_has_stopped_takes_no_more_pools(connect: ScriptedConnector) -> None:
    pool = ConnectionPool(size=1, connect=connect)
    with Housekeeper(OFTEN) as keeper:
        keeper.watch(pool)
    with pytest.raises(HousekeeperStoppedError, match="create another"):
        keeper.watch(pool)
    pool.close()


def test_who_stayed_behind_at_a_fork_takes_no_pools(connect: ScriptedConnector) -> None:
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
