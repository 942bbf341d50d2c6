"""Interrupts in a listener of a pool for threads lose nothing, at any transition."""

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from tests.steadypool.recorder import OPTIONS, EventRecorder, Interrupt

from steadypool import ConnectionPool, EventKind, PoolEvent, Reset
from steadypool.testing import ScriptedConnection, ScriptedConnector, VirtualClock

MakePool = Callable[..., ConnectionPool]


class RandomClient:
    """A client that uses a pool at random while interrupts are raised in its listener."""

    def __init__(self, chance: random.Random, clock: VirtualClock) -> None:
        self.recorder = EventRecorder()
        self.connect = ScriptedConnector(clock=clock)
        self._chance = chance
        self._clock = clock
        self._fails = False
        self._held: list[ScriptedConnection] = []
        chosen: dict[str, Any] = {name: chance.choice(of) for name, of in OPTIONS.items()}
        self.pool = ConnectionPool(
            **chosen,
            setup=chance.choice([None, self._hook]),
            on_acquire=chance.choice([None, self._hook]),
            reset=chance.choice([Reset.ROLLBACK, Reset.SESSION]),
            connect=self.connect,
            connect_attempts=2,
            breaker_failures=None,
            clock=clock,
            listeners=[self.recorder],
        )

    def _hook(self, connection: Any) -> None:
        connection.cursor().execute("SELECT 1")
        if self._fails:
            self._fails = False
            raise ValueError

    def step(self) -> None:
        """Do one random action; its exceptions are expected."""
        actions: list[Callable[[], object]] = [
            self._acquire,
            self._acquire,
            self._release,
            self._release,
            self.pool.clear,
            lambda: self.pool.resize(self._chance.randint(1, 3)),
            self.pool.maintain,
            self.pool.health,
            self._suspend,
            self._lose,
            lambda: setattr(self, "_fails", True),
            lambda: self.connect.then(OSError("refused")),
        ]
        self._clock.sleep(self._chance.choice([0.05, 0.05, 1.0, 3.0]))
        self.recorder.arm(self._chance.randint(0, 3), self._chance.choice([0, 1, 1, 2, 99]))
        with suppress(Interrupt, Exception):
            self._chance.choice(actions)()
        self.recorder.arm(0, 0)

    def _acquire(self) -> None:
        self._held.append(self.pool.acquire(timeout=0.3))

    def _release(self) -> None:
        if self._held:
            self.pool.release(self._held.pop(self._chance.randrange(len(self._held))))

    def _suspend(self) -> None:
        try:
            self.pool.suspend()
        finally:
            self.pool.resume()

    def _lose(self) -> None:
        connection = self._chance.choice(self.connect.opened)
        if not connection.closed:
            connection.die()


@pytest.mark.parametrize("seed", range(120))
def test_interrupts_in_listeners_lose_nothing(seed: int) -> None:
    client = RandomClient(random.Random(seed), VirtualClock())
    for _ in range(40):
        client.step()
        client.recorder.check(client.pool, client.connect.opened)


@pytest.mark.parametrize("seed", range(30))
def test_interrupts_in_listeners_lose_nothing_with_many_threads(seed: int) -> None:
    chance = random.Random(seed)
    recorder = EventRecorder()
    connect = ScriptedConnector()
    options: dict[str, Any] = {name: chance.choice(of) for name, of in OPTIONS.items()}
    pool = ConnectionPool(**options, connect=connect, breaker_failures=None, listeners=[recorder])

    def client() -> None:
        for _ in range(30):
            with suppress(Interrupt, Exception):
                borrow()

    def borrow() -> None:
        connection = pool.acquire(timeout=chance.choice([0, 0.01, 5]))
        try:
            time.sleep(chance.choice([0, 0.001]))
            if chance.random() < 0.2:
                recorder.arm(chance.randint(0, 4), chance.choice([1, 1, 2, 9]))
            if chance.random() < 0.1:
                connection.die()
        finally:
            pool.release(connection)

    threads = [threading.Thread(target=client) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    recorder.arm(0, 0)
    recorder.check(pool, connect.opened)
    assert pool.stats().in_use == 0
    assert not pool._deferred.pending, "an interrupt was never raised"
    pool.close()


def test_the_transaction_of_a_hook_for_an_interrupted_borrower_reaches_no_other(
    make_pool: MakePool, connect: ScriptedConnector
) -> None:
    def begin(connection: ScriptedConnection) -> None:
        connection.cursor().execute("INSERT")

    def interrupt(event: PoolEvent) -> None:
        if event.kind is EventKind.CHECKED_OUT and event.connection == 1:
            raise Interrupt

    pool = make_pool(size=1, on_acquire=begin, listeners=[interrupt])
    with pytest.raises(Interrupt):
        pool.acquire()
    assert pool.acquire() is connect.opened[1]
    assert connect.opened[0].closed
