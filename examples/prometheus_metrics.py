"""A pool's statistics for Prometheus, read at each scrape.

    export DATABASE_URL=mysql://app:secret@127.0.0.1/shop
    python examples/prometheus_metrics.py --port 9464
    curl http://127.0.0.1:9464/metrics

The pool needs no listener: `stats()` returns all counters and gauges as of one moment. Metrics that
OpenTelemetry defines have its names for Prometheus. For histograms, such as those of waits, use
`steadypool.telemetry` and an OpenTelemetry exporter.

Needs the package prometheus-client (the extra `examples`).
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from serving import HOST, chosen_port, port_errors
from steadypool import ConnectionPool

_POOL = "db_client_connection_pool_name"
_STATE = "db_client_connection_state"
_COUNTERS = {
    "created": "Connections opened.",
    "closed": "Connections closed, for any reason.",
    "recycled": "Connections closed because of their age.",
    "acquired": "Acquires that got a connection.",
    "released": "Connections released.",
    "validation_failures": "Idle connections found dead.",
    "connect_failures": "Connects that failed, retries included.",
    "connect_retries": "Connects retried for the same acquire.",
    "leaks_suspected": "Loans reported as suspected leaks.",
}


class PoolCollector(Collector):
    """Converts the statistics of pools to metrics at each scrape."""

    def __init__(self, *pools: ConnectionPool) -> None:
        self._pools = pools

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics of all pools."""
        every = {pool.name: pool.stats() for pool in self._pools}
        count = GaugeMetricFamily(
            "db_client_connection_count", "Open connections, by state.", labels=[_POOL, _STATE]
        )
        waiting = GaugeMetricFamily(
            "db_client_connection_pending_requests", "Acquires in the queue.", labels=[_POOL]
        )
        limit = GaugeMetricFamily(
            "db_client_connection_max", "Most connections open at once.", labels=[_POOL]
        )
        timeouts = CounterMetricFamily(
            "db_client_connection_timeouts", "Acquires that timed out.", labels=[_POOL]
        )
        for name, stats in every.items():
            count.add_metric([name, "idle"], stats.pool_size)
            count.add_metric([name, "used"], stats.total_connections - stats.pool_size)
            waiting.add_metric([name], stats.waiting)
            timeouts.add_metric([name], stats.timeouts)
            if stats.max_size != sys.maxsize:
                limit.add_metric([name], stats.max_size)
        yield from (count, waiting, limit, timeouts)
        for figure, text in _COUNTERS.items():
            counter = CounterMetricFamily(f"steadypool_{figure}", text, labels=[_POOL])
            for name, stats in every.items():
                counter.add_metric([name], getattr(stats, figure))
            yield counter


def main() -> None:
    port = chosen_port("A pool's statistics for Prometheus.", 9464)
    registry = CollectorRegistry()
    with port_errors(port):
        server, thread = start_http_server(port, HOST, registry)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *details: stop.set())
    pool = ConnectionPool(
        config=os.environ.get("DATABASE_URL", "mysql://root@127.0.0.1/test"), name="shop"
    )
    try:
        registry.register(PoolCollector(pool))
        print(f"listening on http://{HOST}:{port}/metrics", flush=True)
        stop.wait()
    finally:
        pool.close()
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    main()
