"""The default pool of a process, and pools in a forked child."""

import gc
import os
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from steadypool import ConnectionPool, PoolConfigError, close_global_pool, get_global_pool
from steadypool.testing import ScriptedConnection, ScriptedConnector, VirtualClock


@pytest.fixture(autouse=True)
def _no_global_pool() -> Iterator[None]:
    close_global_pool()
    yield
    close_global_pool()


@pytest.fixture
def connect() -> ScriptedConnector:
    return ScriptedConnector()


def test_the_default_pool_is_created_once(connect: ScriptedConnector) -> None:
    pool = get_global_pool(size=2, connect=connect)
    assert get_global_pool() is pool
    assert get_global_pool(size=2) is pool
    assert get_global_pool(timeout=30.0) is pool


def test_the_error_for_other_options_names_them(connect: ScriptedConnector) -> None:
    get_global_pool(size=2, connect=connect)
    with pytest.raises(PoolConfigError, match="size, timeout differ"):
        get_global_pool(size=3, timeout=1, connect=connect)


def test_a_password_among_the_options_is_not_shown(connect: ScriptedConnector) -> None:
    get_global_pool(connect=connect)
    with pytest.raises(PoolConfigError) as caught:
        get_global_pool(config="mysql://u:hunter2@h/d")
    assert "hunter2" not in str(caught.value)


def test_a_closed_default_pool_is_replaced(connect: ScriptedConnector) -> None:
    first = get_global_pool(connect=connect)
    first.close()
    assert get_global_pool(size=1, connect=connect) is not first


def test_a_failed_start_leaves_no_default_pool(connect: ScriptedConnector) -> None:
    connect.then(OSError("refused"))
    with pytest.raises(Exception, match="refused"):
        get_global_pool(connect=connect)
    assert get_global_pool(connect=connect).stats().created == 5


def test_fifty_concurrent_first_calls_get_the_same_pool(connect: ScriptedConnector) -> None:
    barrier = threading.Barrier(50)
    pools: list[ConnectionPool] = []

    def ask() -> None:
        barrier.wait(30)
        pools.append(get_global_pool(size=1, connect=connect))

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(pools) == 50
    assert len(set(map(id, pools))) == 1
    assert connect.attempts == 1


def in_child(check: Callable[[], object]) -> int:
    """Run a check in a forked child; return 0 on success."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            check()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_forked_child_starts_with_an_empty_pool(connect: ScriptedConnector) -> None:
    pool = ConnectionPool(size=2, connect=connect)

    def check() -> None:
        assert pool.stats().total_connections == 0
        with pool as connection:
            assert connection.number == 3

    assert in_child(check) == 0
    assert pool.stats().total_connections == 2
    pool.close()


def test_a_forked_child_neither_uses_nor_closes_inherited_connections(
    connect: ScriptedConnector,
) -> None:
    pool = ConnectionPool(size=2, connect=connect)

    def check() -> None:
        pool.release(held)
        pool.close_all()
        pool.close()
        assert not any(connection.closed for connection in connect.opened)

    with pool as held:
        assert in_child(check) == 0
    assert pool.stats().pool_size == 2
    pool.close()


def test_a_forked_child_keeps_inherited_connections_alive() -> None:
    """Otherwise a driver's finalizer could send a goodbye to the parent's server."""
    pool = ConnectionPool(size=1, connect=lambda: ScriptedConnection(1))
    held = pool.acquire()
    known = weakref.ref(held)

    def check() -> None:
        nonlocal held
        pool.release(held)
        del held
        gc.collect()
        assert known() is not None

    assert in_child(check) == 0
    pool.release(held)
    pool.close()


def test_a_forked_child_closes_unused_connections_too(
    connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = ConnectionPool(size=2, min_size=0, max_idle_time=60, connect=connect, clock=clock)

    def check() -> None:
        with pool, pool:
            pass
        for _ in range(10):
            clock.sleep(10)
            with pool:
                pass
        assert pool.stats().pool_size == 1

    assert in_child(check) == 0
    pool.close()


def test_a_fork_while_another_thread_holds_the_lock_leaves_the_child_no_deadlock(
    connect: ScriptedConnector,
) -> None:
    pool = ConnectionPool(size=1, connect=connect)

    def check() -> None:
        with pool:
            pass

    with pool._lock:
        child = in_child(check)
    assert child == 0
    pool.close()
