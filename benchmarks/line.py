"""Measures what the lab's line costs a query that no toxic affects.

One connection goes to the server directly by TCP, one by TCP over a line. Both run `SELECT 1` in
rounds that alternate. The difference of the two within a round shows the cost of the line, also
on a busy machine; the median over all rounds is the result.

    python benchmarks/line.py [--rounds 200] [--queries 100] [--limit 25]

The exit code is 1 if the line costs more microseconds than the limit.
"""

import argparse
import gc
import sys
import time
from contextlib import closing
from dataclasses import replace
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
    """Return the microseconds that a query takes, of so many."""
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


def main() -> int:
    """Measure, report, and return the exit code."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=200)
    options.add_argument("--queries", type=int, default=100)
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
    differences = [over - direct for direct, over in found]
    low, _, high = quantiles(differences, n=4)
    cost = median(differences)
    print(f"direct by TCP   {median(direct for direct, _ in found):6.1f} µs for each SELECT 1")
    print(f"over the line   {median(over for _, over in found):6.1f} µs")
    print(f"difference      {cost:6.1f} µs (quartiles {low:.1f} to {high:.1f})")
    print(f"ratio           {median(over / direct for direct, over in found):6.2f}")
    return int(cost > given.limit)


if __name__ == "__main__":
    sys.exit(main())
