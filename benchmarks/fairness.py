"""Does everybody get a turn, and what does that cost?

Fifty threads share ten connections to a real server; each borrows one, runs `SELECT 1`, gives it
back and asks again at once. Beside steadypool runs the least that could hold connections at all: a
`queue.LifoQueue`, which is fast and serves whoever happens to ask at the right moment. Where
SQLAlchemy or DBUtils is installed, its pool runs along.

    python benchmarks/fairness.py [--seconds 3] [--rounds 5] [--server auto]

How to read it, and what not to read into it:

* Contestants take turns, round after round (A B A B), in one process and on one server, so that a
  machine that is busy meanwhile is busy for all of them. Compare figures of one run only.
* Waits are of all rounds together; turns are those of the least fair round, and the throughput is
  that of the middle one, so that a round in which the machine had other work counts for nobody.
* The worst wait is that of one acquire among tens of thousands: on a machine with other work it
  shows that work (the load is printed). Who must wait for 4 others on each connection waits about
  4 queries; Python's switching of threads, every 5 ms when all are busy, comes on top.
* Connections commit by themselves, so that no contestant has anything to roll back, and the others'
  resets and pings are switched off: this measures the queue and nothing else.

The exit code is 0 when steadypool meets its three targets, else 1.
"""

import argparse
import importlib
import math
import os
import queue
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from typing import Any

from poolspec.servers import Tenant, start_server
from steadypool import Config, ConnectionPool, Connector

THREADS = 50
CONNECTIONS = 10
PATIENCE = 30.0
"""Seconds until a starved thread gives up: longer than any round."""

TURNS_RATIO = 1.3
WORST_WAIT = 0.050
THROUGHPUT_RATIO = 0.92


@dataclass(frozen=True)
class Contestant:
    """A way to share connections."""

    name: str
    borrow: Callable[[], Any]
    give_back: Callable[[Any], object]


@dataclass(frozen=True)
class Figures:
    """What one contestant did."""

    idlest: int
    busiest: int
    waits: tuple[float, ...]
    """Every wait for a connection, shortest first, in seconds."""
    throughput: float
    """Turns of all threads in a second."""

    @property
    def ratio(self) -> float:
        """How many turns the busiest thread had for each of the idlest's."""
        return self.busiest / self.idlest if self.idlest else math.inf

    def wait(self, share: float) -> float:
        """Return the wait, in seconds, that so large a share of all waits did not exceed."""
        return self.waits[min(int(len(self.waits) * share), len(self.waits) - 1)]


# --- the contestants -----------------------------------------------------------------------------


@contextmanager
def steadypool(connect: Connector) -> Iterator[Contestant]:
    pool = ConnectionPool(CONNECTIONS, 0, PATIENCE, connect=connect)
    try:
        yield Contestant("steadypool", pool.acquire, pool.release)
    finally:
        pool.close()


@contextmanager
def lifo_queue(connect: Connector) -> Iterator[Contestant]:
    idle: queue.LifoQueue[Any] = queue.LifoQueue()
    connections = [connect() for _ in range(CONNECTIONS)]
    for connection in connections:
        idle.put(connection)
    try:
        yield Contestant("LifoQueue", idle.get, idle.put)
    finally:
        for connection in connections:
            connection.close()


@contextmanager
def sqlalchemy_pool(connect: Connector) -> Iterator[Contestant]:
    pool = importlib.import_module("sqlalchemy.pool").QueuePool(
        connect, pool_size=CONNECTIONS, max_overflow=0, timeout=PATIENCE, reset_on_return=None
    )
    try:
        yield Contestant("QueuePool", pool.connect, lambda connection: connection.close())
    finally:
        pool.dispose()


@contextmanager
def dbutils_pool(connect: Connector) -> Iterator[Contestant]:
    pool = importlib.import_module("dbutils.pooled_db").PooledDB(
        connect,
        mincached=CONNECTIONS,
        maxcached=CONNECTIONS,
        maxconnections=CONNECTIONS,
        blocking=True,
        reset=False,
        ping=0,
        failures=(OSError,),
    )
    try:
        yield Contestant("DBUtils", pool.connection, lambda connection: connection.close())
    finally:
        pool.close()


Entry = Callable[[Connector], Any]


def entries() -> list[Entry]:
    optional = {"sqlalchemy": sqlalchemy_pool, "dbutils": dbutils_pool}
    found = [entry for module, entry in optional.items() if find_spec(module)]
    return [steadypool, lifo_queue, *found]


# --- one round -----------------------------------------------------------------------------------


def play(contestant: Contestant, seconds: float) -> Figures:
    """Let all threads loose for so long; raises what a thread raised."""
    waits: list[list[float]] = [[] for _ in range(THREADS)]
    errors: list[BaseException] = []
    start = threading.Barrier(THREADS + 1)

    def client(number: int) -> None:
        try:
            start.wait()
            work(contestant, time.perf_counter() + seconds, waits[number])
        except BaseException as error:
            errors.append(error)
            start.abort()

    threads = [threading.Thread(target=client, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    took = time.perf_counter() - began
    turns = [len(own) for own in waits]
    return Figures(min(turns), max(turns), tuple(sorted(chain(*waits))), sum(turns) / took)


def work(contestant: Contestant, until: float, waits: list[float]) -> None:
    """Take turns until the time is over, noting how long each was waited for."""
    now = 0.0
    borrow, give_back, read = contestant.borrow, contestant.give_back, time.perf_counter
    while now < until:
        asked = read()
        connection = borrow()
        waits.append(read() - asked)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        finally:
            give_back(connection)
        now = read()


def together(rounds: list[Figures]) -> Figures:
    """Take the least fair round's turns, all waits, and the middle one of the throughputs."""
    worst = max(rounds, key=lambda figures: figures.ratio)
    return Figures(
        worst.idlest,
        worst.busiest,
        tuple(sorted(chain(*(figures.waits for figures in rounds)))),
        statistics.median(figures.throughput for figures in rounds),
    )


def compete(connect: Connector, seconds: float, rounds: int) -> dict[str, Figures]:
    """Play all rounds, the contestants in turn; returns the figures by name."""
    with ExitStack() as stack:
        contestants = [stack.enter_context(entry(connect)) for entry in entries()]
        for contestant in contestants:
            play(contestant, 0.2)  # every connection used, every code path warm
        results: dict[str, list[Figures]] = {contestant.name: [] for contestant in contestants}
        for _ in range(rounds):
            for contestant in contestants:
                results[contestant.name].append(play(contestant, seconds))
    return {name: together(played) for name, played in results.items()}


# --- the report ----------------------------------------------------------------------------------


def table(results: dict[str, Figures]) -> str:
    """Lay the figures out side by side."""
    baseline = results["LifoQueue"].throughput
    rows = {
        "turns, idlest thread": [f"{f.idlest:,}" for f in results.values()],
        "turns, busiest thread": [f"{f.busiest:,}" for f in results.values()],
        "busiest / idlest": [f"{f.ratio:,.2f}" for f in results.values()],
        "wait, median, ms": [f"{f.wait(0.5) * 1000:,.1f}" for f in results.values()],
        "wait, 99.9 %, ms": [f"{f.wait(0.999) * 1000:,.1f}" for f in results.values()],
        "wait, worst, ms": [f"{f.wait(1) * 1000:,.1f}" for f in results.values()],
        "turns per second": [f"{f.throughput:,.0f}" for f in results.values()],
        "of LifoQueue's": [f"{f.throughput / baseline:.1%}" for f in results.values()],
    }
    lines = [f"{'':22}" + "".join(f"{name:>12}" for name in results)]
    lines += [f"{name:22}" + "".join(f"{cell:>12}" for cell in row) for name, row in rows.items()]
    return "\n".join(lines)


def verdicts(results: dict[str, Figures]) -> dict[str, bool]:
    """Compare steadypool with its targets."""
    ours = results["steadypool"]
    share = ours.throughput / results["LifoQueue"].throughput
    return {
        f"busiest at most {TURNS_RATIO} x idlest": ours.ratio <= TURNS_RATIO,
        f"worst wait under {WORST_WAIT * 1000:.0f} ms": ours.wait(1) < WORST_WAIT,
        f"throughput at least {THROUGHPUT_RATIO:.0%} of LifoQueue": share >= THROUGHPUT_RATIO,
    }


def connector(tenant: Tenant) -> Connector:
    address = tenant.address
    return Connector(
        Config(
            host=address.host,
            port=address.port or 3306,
            unix_socket=address.unix_socket,
            user=tenant.user,
            password=tenant.password,
            database=tenant.database,
            autocommit=True,
        )
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Fairness and throughput of connection pools.")
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one round")
    parser.add_argument("--rounds", type=int, default=5, help="rounds for each contestant")
    parser.add_argument("--server", default="auto", help="auto, mariadb, mysql, embedded or a URL")
    options = parser.parse_args()
    server = start_server(options.server)
    try:
        tenant = server.create_tenant()
        try:
            results = compete(connector(tenant), options.seconds, options.rounds)
        finally:
            server.drop_tenant(tenant)
        print(f"{THREADS} threads, {CONNECTIONS} connections, SELECT 1, {server.description}")
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    finally:
        server.stop()
    print(table(results))
    judged = verdicts(results)
    for target, met in judged.items():
        print(f"{'met   ' if met else 'MISSED'}  {target}")
    return 0 if all(judged.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
