"""Measures an uncontended acquire and release.

The baseline, measured in the same run, is the minimum that any pool needs: a lock and a deque. The
script prints nanoseconds per pair and the ratios, for steadypool's own connections, which are
clean, and for those of any other driver, which the pool rolls back. It needs no server: the
connections are never used.

    python benchmarks/hot_path.py
"""

import socket
import threading
import timeit
from collections import deque
from collections.abc import Callable

from steadypool import Connection, ConnectionPool

ROUNDS = 7
PAIRS = 100_000


def idle_connection() -> Connection:
    """Make a connection object in the state after sign-in, without a server."""
    connection = Connection(defer_connect=True, ssl_disabled=True)
    connection.server_status = 0x0002
    connection._sock = socket.socket()
    return connection


class Plain:
    """A connection with the methods that DB-API requires."""

    def cursor(self) -> None:
        """Do nothing."""

    def commit(self) -> None:
        """Do nothing."""

    def rollback(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


def bare_pair() -> float:
    lock = threading.Lock()
    items = deque([object()])

    def pair() -> None:
        with lock:
            item = items.pop()
        with lock:
            items.append(item)

    return best(pair)


def pool_pair(connect: Callable[[], object] = idle_connection) -> float:
    pool = ConnectionPool(size=1, max_overflow=0, connect=connect)
    acquire, release = pool.acquire, pool.release

    def pair() -> None:
        release(acquire())

    try:
        return best(pair)
    finally:
        pool.close()


def best(pair: Callable[[], None]) -> float:
    return min(timeit.repeat(pair, number=PAIRS, repeat=ROUNDS)) / PAIRS * 1e9


def main() -> None:
    bare, own, other = bare_pair(), pool_pair(), pool_pair(Plain)
    print(f"bare lock and deque:               {bare:6.0f} ns per pair")
    for whose, pair in (("own connection", own), ("other driver's connection", other)):
        print(f"{whose + ':':34} {pair:6.0f} ns per pair, ratio {pair / bare:.2f}")


if __name__ == "__main__":
    main()
