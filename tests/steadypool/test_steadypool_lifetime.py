"""The lifetime of connections: uses, age, idle time and maintenance."""

from collections.abc import Callable
from typing import Any

import pytest

from steadypool import (
    CloseReason,
    ConnectionPool,
    EventKind,
    PoolEvent,
)
from steadypool.testing import Gate, ScriptedConnector, VirtualClock

MakePool = Callable[..., ConnectionPool]


def closings(events: list[PoolEvent]) -> list[object]:
    return [event.reason for event in events if event.kind is EventKind.CONNECTION_CLOSED]


def test_a_connection_is_closed_after_its_last_use(make_pool: MakePool) -> None:
    events: list[PoolEvent] = []
    pool = make_pool(max_uses=2, listeners=[events.append])
    seen = []
    for _ in range(5):
        with pool as connection:
            seen.append(connection.number)
    assert seen == [1, 1, 2, 2, 3]
    assert closings(events) == [CloseReason.USED_UP] * 2


def test_a_used_up_connection_frees_its_slot_for_a_waiter(make_pool: MakePool, actors: Any) -> None:
    pool = make_pool(max_uses=1)
    held = pool.acquire()
    got: list[int] = []

    def client() -> None:
        with pool as connection:
            got.append(connection.number)

    actors.queue(pool, client)
    pool.release(held)
    actors.join()
    assert got == [2]


def test_a_release_closes_connections_unused_for_long(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=3, min_size=1, max_idle_time=60)
    held = [pool.acquire() for _ in range(3)]
    for connection in held:
        pool.release(connection)
    for _ in range(10):
        clock.sleep(10)
        with pool:
            pass
    assert (pool.stats().pool_size, connect.open_now) == (1, 1)


def test_maintenance_closes_unused_connections_down_to_the_minimum(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    events: list[PoolEvent] = []
    pool = make_pool(size=4, max_idle_time=60, min_size=2, listeners=[events.append])
    held = [pool.acquire() for _ in range(4)]
    for connection in held:
        pool.release(connection)
    clock.sleep(59)
    pool.maintain()
    assert pool.stats().pool_size == 4
    clock.sleep(1)
    pool.maintain()
    assert pool.stats().pool_size == 2
    assert closings(events) == [CloseReason.IDLE] * 2


def test_connections_closed_for_their_age_do_not_count_when_unused_ones_are_closed(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=4, max_idle_time=10, min_size=2, recycle=100)
    clock.sleep(95)
    held = [pool.acquire() for _ in range(4)]
    for connection in held:
        pool.release(connection)
    clock.sleep(10)
    pool.maintain()
    assert (pool.stats().recycled, len(connect.opened), pool.stats().pool_size) == (2, 4, 2)


def test_maintenance_replaces_old_and_dead_connections(
    make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    pool = make_pool(size=2, recycle=100)
    connect.opened[0].die()
    pool.maintain()
    assert (connect.opened[0].closed, pool.stats().pool_size) == (True, 2)
    clock.sleep(100)
    pool.maintain()
    assert pool.stats().pool_size == connect.open_now == 2
    assert len(connect.opened) == 5
    assert (pool.stats().recycled, pool.stats().validation_failures) == (2, 1)


def test_maintenance_restores_the_minimum_after_an_outage(
    make_pool: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=3)
    for connection in connect.opened:
        connection.die()
    connect.then(OSError("down"))
    pool.maintain()
    assert pool.stats().total_connections == 0
    clock.sleep(1)
    pool.maintain()
    assert pool.stats().pool_size == 3


def test_maintenance_serves_a_waiter_with_the_connection_it_opens(
    make_pool: MakePool, actors: Any, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    pool = make_pool(size=2, min_size=1, max_overflow=0)
    pool.clear()
    gate = Gate(clock)
    connect.then(gate)
    actors.start(pool.maintain)
    assert gate.arrived.wait(10)
    held = pool.acquire()
    got: list[object] = []
    actors.queue(pool, lambda: got.append(pool.acquire()))
    gate.open()
    actors.join()
    assert len(got) == 1
    pool.release(held)
    pool.release(got[0])


def test_jitter_shortens_each_connections_age_by_its_own_share(
    make_pool: MakePool, clock: VirtualClock
) -> None:
    dice = iter([0.0, 0.5, 1.0])
    pool = make_pool(size=3, recycle=100, recycle_jitter=0.2, random=lambda: next(dice, 0.0))
    recycled: list[int] = []
    for _ in range(3):
        clock.sleep(10 if recycled else 80)
        pool.maintain()
        recycled.append(pool.stats().recycled)
    assert recycled == [1, 2, 3]


@pytest.mark.parametrize(("order", "expected"), [("lifo", [2, 2, 2]), ("fifo", [1, 2, 1])])
def test_the_order_determines_which_idle_connection_is_used(
    make_pool: MakePool, order: str, expected: list[int]
) -> None:
    pool = make_pool(size=2, order=order)
    seen = []
    for _ in range(3):
        with pool as connection:
            seen.append(connection.number)
    assert seen == expected
