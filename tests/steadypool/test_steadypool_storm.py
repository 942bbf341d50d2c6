"""Many threads in real time, with all options at once."""

import random
import threading
import time
from typing import Any

from steadypool import ConnectionPool, ConnectionPoolError, Order, ServerUnavailableError
from steadypool.testing import ScriptedConnector


class RefusalError(Exception):
    """Raised by the hook at random."""


class Storm:
    """Twelve clients, and a thread that constantly resizes, suspends and maintains the pool."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        script = [OSError("down") if self.dice.random() < 0.1 else None for _ in range(2000)]
        self.connect = ScriptedConnector(*script)
        self.errors: list[BaseException] = []
        self.holders: set[int] = set()
        self.over = threading.Event()
        self.pool = ConnectionPool(
            size=3,
            max_overflow=1,
            min_size=0,
            timeout=20,
            max_uses=40,
            recycle=0.05,
            recycle_jitter=0.5,
            max_idle_time=0.01,
            check_after=0,
            max_connecting=2,
            breaker_failures=3,
            breaker_cooldown=0.01,
            leak_after=0.001,
            validate_after=0.005,
            order=Order.FIFO,
            connect=self.connect,
            on_acquire=self.refuse_some,
        )

    def refuse_some(self, connection: Any) -> None:
        if self.dice.random() < 0.02:
            raise RefusalError

    def run(self) -> None:
        clients = [threading.Thread(target=self.guard, args=(self.borrow,)) for _ in range(12)]
        admin = threading.Thread(target=self.guard, args=(self.administer,))
        for thread in (*clients, admin):
            thread.start()
        for thread in clients:
            thread.join(60)
        self.over.set()
        admin.join(60)
        assert not any(thread.is_alive() for thread in (*clients, admin)), "a thread hangs"

    def guard(self, work: Any) -> None:
        try:
            work()
        except BaseException as error:
            self.errors.append(error)

    def borrow(self) -> None:
        for turn in range(150):
            try:
                with self.pool.connection() as connection:
                    assert connection.number not in self.holders
                    self.holders.add(connection.number)
                    connection.in_transaction = turn % 5 == 0
                    self.holders.remove(connection.number)
                    if turn % 31 == 30:
                        connection.close()
            except ServerUnavailableError:  # raised at once until the cooldown ends
                time.sleep(0.002)
            except (ConnectionPoolError, RefusalError):
                continue

    def administer(self) -> None:
        while not self.over.wait(0.0005):  # leaves processor time to the clients
            self.pool.resize(size=self.dice.randint(0, 3), max_overflow=self.dice.randint(1, 2))
            self.pool.suspend()
            self.pool.maintain()
            self.pool.resume()
            self.pool.health()
            self.pool.clear()


def test_heavy_load_on_a_pool_under_constant_changes_loses_nothing() -> None:
    for seed in range(3):
        storm = Storm(seed)
        storm.run()
        assert storm.errors == []
        stats, core = storm.pool.stats(), storm.pool._core
        assert stats.acquired == stats.released > 1000
        assert (stats.waiting, stats.in_use, core.pending, core.connecting) == (0, 0, 0, 0)
        assert stats.total_connections == stats.pool_size == storm.connect.open_now
        storm.pool.close(drain=1)
        assert storm.connect.open_now == 0
