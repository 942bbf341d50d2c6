"""Reads steadypool's metrics with the SDK of OpenTelemetry, in memory.

Imported only by tests that expect metrics, since the SDK is slow to load.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader, Metric
from opentelemetry.sdk.resources import Resource

from poolspec.vocabulary import MetricName, TimingName
from steadypool.telemetry import Telemetry

_PREFIX = "db.client.connection."
_STATE = "db.client.connection.state"
_UNTIL_MEASURED: dict[str, float] = {
    MetricName.TIMEOUTS: 0,
    **{f"{timing}.{part}": 0 for timing in TimingName for part in ("count", "sum")},
}
"""Values of counters and histograms before their first measurement exports them."""


class SteadyMeter:
    """The metrics of one test's pool. Safe to read from any thread."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self._provider = MeterProvider(
            [self._reader], resource=Resource.get_empty(), shutdown_on_exit=False
        )
        self._telemetry = Telemetry(self._provider)
        self._listeners: dict[str, Any] = {}

    def listener(self, pool_name: str) -> Any:
        """Return the listener for the pool of this name, the same one each time.

        A test may get the default pool several times, and the pool compares the listeners.
        """
        if pool_name not in self._listeners:
            self._listeners[pool_name] = self._telemetry.listener(pool_name)
        return self._listeners[pool_name]

    def watch(self, pool: Any) -> None:
        """Export the pool's limits too."""
        self._telemetry.watch(pool)

    def read(self) -> Mapping[str, float]:
        """Return all values by their names in specs."""
        found = dict(_UNTIL_MEASURED)
        for metric in self._metrics():
            for point in metric.data.data_points:
                found.update(_figures(metric.name.removeprefix(_PREFIX), point))
        return found

    def stop(self) -> None:
        """Stop measuring."""
        self._provider.shutdown()

    def _metrics(self) -> Iterator[Metric]:
        data = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                yield from scope.metrics


def _figures(name: str, point: Any) -> Mapping[str, float]:
    if isinstance(point, HistogramDataPoint):
        parts = {"count": point.count, "sum": point.sum, "min": point.min, "max": point.max}
        return {f"{name}.{part}": figure for part, figure in parts.items()}
    return {point.attributes.get(_STATE, name): point.value}
