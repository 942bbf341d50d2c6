"""The metrics that the OpenTelemetry SDK reads from pools, on the virtual clock."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    HistogramDataPoint,
    InMemoryMetricReader,
    Metric,
    NumberDataPoint,
)
from opentelemetry.semconv._incubating.metrics import db_metrics

from steadypool import ConnectionPool, PoolTimeoutError
from steadypool.telemetry import Telemetry
from steadypool.testing import ScriptedConnector, VirtualClock

PREFIX = "db.client.connection."
NAMED = (("db.client.connection.pool.name", "shop"),)


class Meters:
    """A provider that keeps its metrics in memory, with queries for them."""

    def __init__(self) -> None:
        self._reader = InMemoryMetricReader()
        self.provider = MeterProvider([self._reader], shutdown_on_exit=False)
        self.telemetry = Telemetry(self.provider)

    def read(self) -> dict[str, Metric]:
        data = self._reader.get_metrics_data()
        if data is None:
            return {}
        found = [
            metric
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        ]
        return {metric.name.removeprefix(PREFIX): metric for metric in found}

    def numbers(self, name: str) -> dict[Any, Any]:
        """Return the values of a counter or gauge, by attributes."""
        metric = self.read().get(name)
        points = metric.data.data_points if metric else []
        return {
            tuple(sorted((point.attributes or {}).items())): point.value
            for point in points
            if isinstance(point, NumberDataPoint)
        }

    def times(self, name: str) -> tuple[int, float]:
        """Return the number of measurements and their sum in seconds."""
        metric = self.read().get(name)
        points = list(metric.data.data_points) if metric else []
        if not points:
            return (0, 0)
        assert isinstance(points[0], HistogramDataPoint)
        return (points[0].count, points[0].sum)


@pytest.fixture
def meters() -> Iterator[Meters]:
    meters = Meters()
    yield meters
    meters.provider.shutdown()


MakePool = Callable[..., ConnectionPool]


@pytest.fixture
def make_pool(
    meters: Meters, clock: VirtualClock, connect: ScriptedConnector
) -> Iterator[MakePool]:
    pools: list[ConnectionPool] = []

    def make(name: str = "shop", **options: Any) -> ConnectionPool:
        settings: dict[str, Any] = {"size": 1, "max_overflow": 0, "connect": connect}
        settings |= {"clock": clock, "name": name, "listeners": [meters.telemetry.listener(name)]}
        pools.append(ConnectionPool(**(settings | options)))
        meters.telemetry.watch(pools[-1])
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def test_every_metric_has_the_name_kind_and_unit_of_the_conventions(
    meters: Meters, make_pool: MakePool
) -> None:
    pool = make_pool()
    with pool, pytest.raises(PoolTimeoutError):
        pool.acquire(timeout=1)
    found = meters.read()
    for create in (
        db_metrics.create_db_client_connection_count,
        db_metrics.create_db_client_connection_idle_max,
        db_metrics.create_db_client_connection_idle_min,
        db_metrics.create_db_client_connection_max,
        db_metrics.create_db_client_connection_pending_requests,
        db_metrics.create_db_client_connection_timeouts,
        db_metrics.create_db_client_connection_create_time,
        db_metrics.create_db_client_connection_wait_time,
        db_metrics.create_db_client_connection_use_time,
    ):
        wanted: Any = create(MeterProvider(shutdown_on_exit=False).get_meter("wanted"))
        ours = found.pop(wanted.name.removeprefix(PREFIX))
        assert ours.unit == wanted.unit
        kind = type(ours.data).__name__
        assert kind == ("Histogram" if wanted.unit == "s" else "Sum")
        if kind == "Sum":
            rising = getattr(ours.data, "is_monotonic")  # noqa: B009 - the union's other half
            assert rising is (wanted.name == "db.client.connection.timeouts")
    assert not found


def test_connections_are_counted_by_state(meters: Meters, make_pool: MakePool) -> None:
    pool = make_pool(size=3)
    pool.acquire()
    assert meters.numbers("count") == {
        (*NAMED, ("db.client.connection.state", "idle")): 2,
        (*NAMED, ("db.client.connection.state", "used")): 1,
    }


def test_waiters_are_pending_requests(
    meters: Meters, make_pool: MakePool, clock: VirtualClock, connect: ScriptedConnector
) -> None:
    seen: list[dict[Any, Any]] = []
    pool = make_pool()
    pool.acquire()
    listening = ConnectionPool(
        1,
        0,
        name="shop",
        connect=connect,
        clock=clock,
        listeners=[
            meters.telemetry.listener("shop"),
            lambda event: seen.append(meters.numbers("pending_requests")),
        ],
    )
    listening.acquire()
    seen.clear()
    with pytest.raises(PoolTimeoutError):
        listening.acquire(timeout=1)
    assert seen == [{NAMED: 1}, {NAMED: 1}, {NAMED: 0}]
    listening.close()


def test_limits_are_reported(meters: Meters, make_pool: MakePool) -> None:
    pool = make_pool(size=3, min_size=1, max_overflow=4)
    assert meters.numbers("max") == {NAMED: 7}
    assert meters.numbers("idle.max") == {NAMED: 3}
    assert meters.numbers("idle.min") == {NAMED: 1}
    assert pool.max_size == 7


def test_a_pool_without_limit_reports_none(meters: Meters, make_pool: MakePool) -> None:
    pool = make_pool(max_overflow=-1)
    assert meters.numbers("max") == {}
    assert meters.numbers("idle.max") == {NAMED: 1}
    assert not pool.closed


def test_a_closed_pool_reports_no_limits(meters: Meters, make_pool: MakePool) -> None:
    make_pool().close()
    assert meters.numbers("max") == meters.numbers("idle.max") == meters.numbers("idle.min") == {}


def test_timeouts_are_counted_and_other_failures_are_not(
    meters: Meters, make_pool: MakePool
) -> None:
    pool = make_pool()
    pool.acquire()
    for _ in range(2):
        with pytest.raises(PoolTimeoutError):
            pool.acquire(timeout=1)
    pool.close()
    with pytest.raises(Exception, match="closed"):
        pool.acquire()
    assert meters.numbers("timeouts") == {NAMED: 2}


def test_connects_waits_and_loans_are_timed(
    meters: Meters, make_pool: MakePool, connect: ScriptedConnector, clock: VirtualClock
) -> None:
    connect.then(2.0)
    pool = make_pool(min_size=0)
    connection = pool.acquire()
    clock.sleep(5)
    pool.release(connection)
    with pool:
        clock.sleep(1)
    assert meters.times("create_time") == (1, 2.0)
    assert meters.times("wait_time") == (2, 2.0)
    assert meters.times("use_time") == (2, 6.0)


def test_pools_are_distinguished_by_name(meters: Meters, make_pool: MakePool) -> None:
    make_pool("shop", size=1)
    make_pool("log", size=2)
    assert sorted(meters.numbers("idle.max").values()) == [1, 2]
    assert sorted(meters.numbers("count").values()) == [0, 0, 1, 2]


def test_a_closed_pool_has_no_connections_left(meters: Meters, make_pool: MakePool) -> None:
    make_pool(size=2).close()
    assert set(meters.numbers("count").values()) == {0}


class Broken:
    """An instrument of an SDK that fails."""

    def record(self, *arguments: object) -> None:
        raise RuntimeError("the exporter is broken")

    add = record


def test_a_failing_instrument_affects_no_borrower(
    meters: Meters, make_pool: MakePool, caplog: pytest.LogCaptureFixture
) -> None:
    instruments = meters.telemetry._instruments
    for name in ("wait_time", "use_time", "timeouts", "create_time"):
        object.__setattr__(instruments, name, Broken())
    pool = make_pool()
    with pool:
        pass
    assert pool.stats().released == 1
    assert "a listener of the pool 'shop' failed" in caplog.text


def test_steadypool_itself_needs_no_opentelemetry() -> None:
    code = "import steadypool, sys; sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
