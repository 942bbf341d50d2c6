"""Measures the fairness of connection pools, and its cost in throughput.

Fifty threads share ten connections to a real server. Each thread acquires a connection, runs
`SELECT 1`, releases the connection and acquires again at once. The baseline is a `queue.LifoQueue`
of connections, the minimum that any pool needs: fast, but unfair. The pools of SQLAlchemy and
DBUtils take part if they are installed.

    python benchmarks/fairness.py [--seconds 3] [--rounds 5] [--server auto]

How to read the results:

* The candidates run alternately (A B A B) in one process and on one server, so other work on the
  machine affects all of them. Compare only figures of the same run.
* The waits are those of all rounds. The operation counts are those of the least fair round. The
  throughput is the median of all rounds, so a single disturbed round has no effect on it.
* The maximum wait is that of one acquire among tens of thousands. On a busy machine it reflects the
  other work; the report shows the load. With 4 other threads per connection a wait takes about
  4 queries, plus Python's thread switches, every 5 ms while all threads are busy.
* The connections use autocommit, so no pool has anything to roll back, and resets and pings of the
  other pools are off. The benchmark measures only the queue.

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
TIMEOUT = 30.0
"""The acquire timeout in seconds, longer than any round."""

FAIRNESS_RATIO = 1.3
MAX_WAIT = 0.050
THROUGHPUT_RATIO = 0.92


@dataclass(frozen=True)
class Candidate:
    """A pool to measure."""

    name: str
    acquire: Callable[[], Any]
    release: Callable[[Any], object]


@dataclass(frozen=True)
class Figures:
    """The measurements of one candidate."""

    least_busy: int
    busiest: int
    waits: tuple[float, ...]
    """All waits for a connection in seconds, in ascending order."""
    throughput: float
    """Operations of all threads per second."""

    @property
    def ratio(self) -> float:
        """Operations of the busiest thread divided by those of the least busy one."""
        return self.busiest / self.least_busy if self.least_busy else math.inf

    def wait(self, quantile: float) -> float:
        """Return the wait in seconds at this quantile."""
        return self.waits[min(int(len(self.waits) * quantile), len(self.waits) - 1)]


# --- candidates ----------------------------------------------------------------------------------


@contextmanager
def steadypool(connect: Connector) -> Iterator[Candidate]:
    pool = ConnectionPool(CONNECTIONS, 0, TIMEOUT, connect=connect)
    try:
        yield Candidate("steadypool", pool.acquire, pool.release)
    finally:
        pool.close()


@contextmanager
def lifo_queue(connect: Connector) -> Iterator[Candidate]:
    idle: queue.LifoQueue[Any] = queue.LifoQueue()
    connections = [connect() for _ in range(CONNECTIONS)]
    for connection in connections:
        idle.put(connection)
    try:
        yield Candidate("LifoQueue", idle.get, idle.put)
    finally:
        for connection in connections:
            connection.close()


@contextmanager
def sqlalchemy_pool(connect: Connector) -> Iterator[Candidate]:
    pool = importlib.import_module("sqlalchemy.pool").QueuePool(
        connect, pool_size=CONNECTIONS, max_overflow=0, timeout=TIMEOUT, reset_on_return=None
    )
    try:
        yield Candidate("QueuePool", pool.connect, lambda connection: connection.close())
    finally:
        pool.dispose()


@contextmanager
def dbutils_pool(connect: Connector) -> Iterator[Candidate]:
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
        yield Candidate("DBUtils", pool.connection, lambda connection: connection.close())
    finally:
        pool.close()


PoolFactory = Callable[[Connector], Any]


def pool_factories() -> list[PoolFactory]:
    optional = {"sqlalchemy": sqlalchemy_pool, "dbutils": dbutils_pool}
    found = [factory for module, factory in optional.items() if find_spec(module)]
    return [steadypool, lifo_queue, *found]


# --- one round -----------------------------------------------------------------------------------


def run_round(candidate: Candidate, seconds: float) -> Figures:
    """Run all threads for this many seconds; raise the first exception of a thread."""
    waits: list[list[float]] = [[] for _ in range(THREADS)]
    errors: list[BaseException] = []
    start = threading.Barrier(THREADS + 1)

    def client(number: int) -> None:
        try:
            start.wait()
            work(candidate, time.perf_counter() + seconds, waits[number])
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
    counts = [len(own) for own in waits]
    return Figures(min(counts), max(counts), tuple(sorted(chain(*waits))), sum(counts) / took)


def work(candidate: Candidate, until: float, waits: list[float]) -> None:
    """Repeat the operation until the time is over, and record each wait."""
    now = 0.0
    acquire, release, read = candidate.acquire, candidate.release, time.perf_counter
    while now < until:
        asked = read()
        connection = acquire()
        waits.append(read() - asked)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        finally:
            release(connection)
        now = read()


def combined(rounds: list[Figures]) -> Figures:
    """Combine the counts of the least fair round, all waits, and the median throughput."""
    worst = max(rounds, key=lambda figures: figures.ratio)
    return Figures(
        worst.least_busy,
        worst.busiest,
        tuple(sorted(chain(*(figures.waits for figures in rounds)))),
        statistics.median(figures.throughput for figures in rounds),
    )


def run_all(connect: Connector, seconds: float, rounds: int) -> dict[str, Figures]:
    """Run all rounds with alternating candidates; return the figures by name."""
    with ExitStack() as stack:
        candidates = [stack.enter_context(factory(connect)) for factory in pool_factories()]
        for candidate in candidates:
            run_round(candidate, 0.2)  # warm-up
        results: dict[str, list[Figures]] = {candidate.name: [] for candidate in candidates}
        for _ in range(rounds):
            for candidate in candidates:
                results[candidate.name].append(run_round(candidate, seconds))
    return {name: combined(measured) for name, measured in results.items()}


# --- the report ----------------------------------------------------------------------------------


def table(results: dict[str, Figures]) -> str:
    """Format the figures as a table with one column per candidate."""
    baseline = results["LifoQueue"].throughput
    rows = {
        "ops, least busy thread": [f"{f.least_busy:,}" for f in results.values()],
        "ops, busiest thread": [f"{f.busiest:,}" for f in results.values()],
        "busiest / least busy": [f"{f.ratio:,.2f}" for f in results.values()],
        "wait, median, ms": [f"{f.wait(0.5) * 1000:,.1f}" for f in results.values()],
        "wait, 99.9 %, ms": [f"{f.wait(0.999) * 1000:,.1f}" for f in results.values()],
        "wait, maximum, ms": [f"{f.wait(1) * 1000:,.1f}" for f in results.values()],
        "operations per second": [f"{f.throughput:,.0f}" for f in results.values()],
        "relative to LifoQueue": [f"{f.throughput / baseline:.1%}" for f in results.values()],
    }
    lines = [f"{'':22}" + "".join(f"{name:>12}" for name in results)]
    lines += [f"{name:22}" + "".join(f"{cell:>12}" for cell in row) for name, row in rows.items()]
    return "\n".join(lines)


def targets(results: dict[str, Figures]) -> dict[str, bool]:
    """Return whether steadypool meets each of its targets."""
    ours = results["steadypool"]
    relative = ours.throughput / results["LifoQueue"].throughput
    return {
        f"busiest at most {FAIRNESS_RATIO} x least busy": ours.ratio <= FAIRNESS_RATIO,
        f"maximum wait under {MAX_WAIT * 1000:.0f} ms": ours.wait(1) < MAX_WAIT,
        f"throughput at least {THROUGHPUT_RATIO:.0%} of LifoQueue": relative >= THROUGHPUT_RATIO,
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
    parser.add_argument("--rounds", type=int, default=5, help="rounds for each candidate")
    parser.add_argument("--server", default="auto", help="auto, mariadb, mysql, embedded or a URL")
    options = parser.parse_args()
    server = start_server(options.server)
    try:
        tenant = server.create_tenant()
        try:
            results = run_all(connector(tenant), options.seconds, options.rounds)
        finally:
            server.drop_tenant(tenant)
        print(f"{THREADS} threads, {CONNECTIONS} connections, SELECT 1, {server.description}")
        print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    finally:
        server.stop()
    print(table(results))
    results_by_target = targets(results)
    for target, met in results_by_target.items():
        print(f"{'met   ' if met else 'MISSED'}  {target}")
    return 0 if all(results_by_target.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
