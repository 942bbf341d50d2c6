"""The events of a pool: their order, their figures, and their agreement with the counters."""

import logging
import random
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from steadypool import (
    CloseReason,
    ConnectionFailedError,
    ConnectionPool,
    EventKind,
    FailReason,
    PoolEvent,
    PoolTimeoutError,
)
from steadypool.testing import ScriptedConnector, VirtualClock

MakePool = Callable[..., ConnectionPool]
K = EventKind


def kinds(events: list[PoolEvent]) -> list[EventKind]:
    return [event.kind for event in events]


def test_the_events_of_a_pool_arrive_in_order(make_pool: MakePool) -> None:
    events: list[PoolEvent] = []
    pool = make_pool(listeners=[events.append])
    with pool:
        pass
    pool.close()
    assert kinds(events) == [
        K.POOL_CREATED,
        K.CONNECTION_CREATED,
        K.CHECKOUT_STARTED,
        K.CHECKED_OUT,
        K.CHECKED_IN,
        K.POOL_CLOSED,
        K.CONNECTION_CLOSED,
    ]
    assert events[-1].reason is CloseReason.POOL_CLOSED
    assert (events[-1].total, events[-1].idle) == (0, 0)


def test_the_event_of_a_new_connection_contains_the_duration_of_the_connect(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    events: list[PoolEvent] = []
    connect.then(None, 2.5)
    pool = make_pool(listeners=[events.append], max_overflow=1)
    pool.acquire()
    pool.acquire()
    assert [event.took for event in events if event.kind is K.CONNECTION_CREATED] == [0, 2.5]
    assert all(event.took is None for event in events if event.kind is not K.CONNECTION_CREATED)


def test_a_hand_over_is_one_transition(
    make_pool: MakePool, actors: Any, clock: VirtualClock
) -> None:
    events: list[PoolEvent] = []
    pool = make_pool(listeners=[events.append])
    held = pool.acquire()
    events.clear()
    actors.queue(pool, lambda: pool.release(pool.acquire()))
    clock.sleep(3)
    pool.release(held)
    actors.join()
    assert kinds(events) == [
        K.CHECKOUT_STARTED,
        K.CHECKOUT_QUEUED,
        K.CHECKED_IN,
        K.CHECKOUT_GRANTED,
        K.CHECKED_OUT,
        K.CHECKED_IN,
    ]
    queued, granted, out = events[1], events[3], events[4]
    assert queued.ticket == granted.ticket == out.ticket
    assert (queued.waiting, granted.waiting) == (1, 0)
    assert events[2].waiting == 0
    assert (granted.at, granted.connection) == (3, out.connection)


def test_the_event_of_a_timeout_contains_its_reason(make_pool: MakePool) -> None:
    events: list[PoolEvent] = []
    pool = make_pool(listeners=[events.append])
    pool.acquire()
    with pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=2)
    assert (events[-1].kind, events[-1].reason) == (K.CHECKOUT_FAILED, FailReason.TIMEOUT)
    assert (events[-1].at, events[-1].waiting) == (2, 0)


def test_checked_out_is_emitted_in_the_borrowers_thread(make_pool: MakePool, actors: Any) -> None:
    emitters: list[int] = []

    def listen(event: PoolEvent) -> None:
        if event.kind is K.CHECKED_OUT:
            emitters.append(threading.get_ident())

    pool = make_pool(listeners=[listen])
    held = pool.acquire()
    borrower: list[int] = []

    def client() -> None:
        borrower.append(threading.get_ident())
        pool.release(pool.acquire())

    actors.queue(pool, client)
    pool.release(held)
    actors.join()
    assert emitters == [threading.get_ident(), *borrower]


def test_a_failing_listener_is_logged_once_and_affects_no_borrower(
    make_pool: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    events: list[PoolEvent] = []

    def fail(event: PoolEvent) -> None:
        raise ValueError("no")

    pool = make_pool(listeners=[fail, events.append])
    with caplog.at_level(logging.WARNING, "steadypool"), pool:
        pass
    assert len(events) == 5
    assert len([record for record in caplog.records if record.name == "steadypool"]) == 1


@pytest.mark.parametrize("number", range(1, 15))
def test_an_interrupted_listener_loses_no_event(make_pool: MakePool, number: int) -> None:
    events: list[PoolEvent] = []
    seen = 0

    def interrupt(event: PoolEvent) -> None:
        nonlocal seen
        seen += 1
        if seen == number + 1:  # the first event is that of the pool
            raise KeyboardInterrupt

    pool = make_pool(size=0, max_overflow=1, listeners=[interrupt, events.append])
    for _ in range(3):
        with suppress(KeyboardInterrupt), pool:
            pass
    with suppress(KeyboardInterrupt):
        pool.close()
    stats = pool.stats()
    assert {name: getattr(stats, name) for name in recount(events)} == recount(events)
    assert seen > number, "nothing was interrupted"
    assert (stats.in_use, stats.total_connections) == (0, 0)


def recount(events: list[PoolEvent]) -> dict[str, int]:
    count = Counter(event.kind for event in events)
    reasons = Counter(event.reason for event in events)
    return {
        "created": count[K.CONNECTION_CREATED],
        "closed": count[K.CONNECTION_CLOSED],
        "recycled": reasons[CloseReason.STALE],
        "acquired": count[K.CHECKED_OUT],
        "released": count[K.CHECKED_IN],
        "timeouts": reasons[FailReason.TIMEOUT],
    }


def test_the_events_of_a_storm_add_up_to_the_counters() -> None:
    events: list[PoolEvent] = []
    connect = ScriptedConnector(*[OSError("refused") if n % 7 == 6 else None for n in range(70)])
    pool = ConnectionPool(
        size=2, max_overflow=1, recycle=0.02, connect=connect, listeners=[events.append], timeout=5
    )

    def client(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(60):
            try:
                connection = pool.acquire(timeout=dice.choice([None, 0, 0.001]))
            except (PoolTimeoutError, ConnectionFailedError):
                continue
            connection.in_transaction = dice.random() < 0.2
            if dice.random() < 0.1:
                connection.close()
            pool.release(connection)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    pool.close()
    stats = pool.get_stats()
    assert recount(events).items() <= stats.items()
    assert all(event.total <= 3 for event in events)
    assert all(not (event.idle and event.waiting) for event in events)
    queued = [event.ticket for event in events if event.kind is K.CHECKOUT_QUEUED]
    granted = [event.ticket for event in events if event.kind is K.CHECKOUT_GRANTED]
    assert granted == [request for request in queued if request in set(granted)]
    on_loan: dict[int | None, bool] = {}
    for event in events:
        if event.kind in (K.CHECKED_OUT, K.CHECKED_IN):
            assert on_loan.get(event.connection, False) is (event.kind is K.CHECKED_IN)
            on_loan[event.connection] = event.kind is K.CHECKED_OUT
