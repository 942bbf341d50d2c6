"""Measures what the lab's line costs a query that no toxic affects.

One connection goes to the server directly by TCP, one by TCP over a line. Both run `SELECT 1` in
short rounds that alternate. The cost is the median of the differences within a round. On a busy
machine that median measures the scheduler, so the script also compares the calmest rounds: the
tenth percentiles of both connections.

    python benchmarks/line.py [--rounds 3000] [--queries 8] [--limit 25]

The exit code is 1 if the line costs more microseconds than the limit by both measures.
"""

import argparse
import gc
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from statistics import median, quantiles
from typing import Any

from poolspec.drivers.pymysql import PyMySQLDriver
from poolspec.faults.network import Line
from poolspec.servers import Tenant, start_server


def connected(tenant: Tenant, host: str, port: int) -> Any:
    """Return a connection by TCP."""
    address = replace(tenant.address, host=host, port=port, unix_socket=None)
    return PyMySQLDriver().plain(replace(tenant, address=address))()


def per_query(connection: Any, queries: int) -> float:
    """Return the mean microseconds of a query, over a number of queries."""
    with connection.cursor() as cursor:
        began = time.perf_counter()
        for _ in range(queries):
            cursor.execute("SELECT 1")
        return (time.perf_counter() - began) / queries * 1e6


def measure(tenant: Tenant, line: Line, rounds: int, queries: int) -> list[tuple[float, float]]:
    """Return the time of a query without and with the line, for each round."""
    direct = connected(tenant, tenant.address.host, tenant.address.port)
    over = connected(tenant, line.address.host, line.address.port)
    found = []
    gc.disable()
    with closing(direct), closing(over):
        for number in range(rounds):
            pair = (direct, over) if number % 2 else (over, direct)
            times = {id(one): per_query(one, queries) for one in pair}
            found.append((times[id(direct)], times[id(over)]))
    gc.enable()
    return found[rounds // 10 :]


def calmest(times: Sequence[float]) -> float:
    """Return the tenth percentile of the times."""
    return quantiles(times, n=10)[0]


@dataclass(frozen=True)
class Cost:
    """Microseconds of a query directly and over the line, and the difference."""

    direct: float
    over: float
    difference: float

    def __str__(self) -> str:
        ratio = self.over / self.direct
        return (
            f"direct {self.direct:6.1f} µs, over the line {self.over:6.1f} µs, "
            f"difference {self.difference:5.1f} µs, ratio {ratio:.2f}"
        )


def main() -> int:
    """Measure, report, and return the exit code."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=3000)
    options.add_argument("--queries", type=int, default=8)
    options.add_argument("--limit", type=float, default=25.0, help="microseconds for a query")
    given = options.parse_args()
    server = start_server("auto")
    tenant = server.create_tenant()
    line = Line(tenant.address)
    try:
        found = measure(tenant, line, given.rounds, given.queries)
    finally:
        line.close()
        server.drop_tenant(tenant)
        server.stop()
    directs, overs = zip(*found, strict=True)
    all_rounds = Cost(median(directs), median(overs), median(o - d for d, o in found))
    calm = Cost(calmest(directs), calmest(overs), calmest(overs) - calmest(directs))
    print(f"all rounds, medians          {all_rounds}")
    print(f"calmest tenth of the rounds  {calm}")
    return int(min(all_rounds.difference, calm.difference) > given.limit)


if __name__ == "__main__":
    sys.exit(main())
