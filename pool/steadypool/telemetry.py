"""OpenTelemetry metrics of a pool, named by its semantic conventions.

    telemetry = Telemetry()                     # one per process; the global meter provider
    pool = ConnectionPool(name="shop", listeners=[telemetry.listener("shop")])
    telemetry.watch(pool)                       # exports its limits and gauges as well

Needs the package `opentelemetry-api` (the extra `otel`), and an SDK, set up by the application,
that exports what is measured. Nothing else in steadypool imports this module.

All metrics are called `db.client.connection.…` and carry `db.client.connection.pool.name`:

    count             connections, by `db.client.connection.state`: idle or used
    pending_requests  acquires in the queue
    max, idle.max, idle.min        limit, size and min_size of a watched pool
    timeouts          acquires that timed out
    create_time       seconds to open a connection
    wait_time         seconds from the acquire to its connection
    use_time          seconds from check-out to check-in

Rules:

* A listener only counts and records. It never waits for the pool.
* Collecting metrics never takes the pool's lock, so collector and pool cannot wait for each other.
  For a watched pool the collector reads plain attributes, for any other pool the figures of the
  last event. No event reports when a connection becomes idle after its rollback, so watch the pool.
* `wait_time` covers the acquires that got a connection; `timeouts` counts those that timed out.
* Two pools with one name cannot be distinguished: the later one replaces the earlier one.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol
from weakref import WeakValueDictionary

from opentelemetry.metrics import (
    CallbackOptions,
    Counter,
    Histogram,
    Meter,
    MeterProvider,
    Observation,
    get_meter_provider,
)

from steadypool.events import EventKind, FailReason, Listener, PoolEvent

_PREFIX = "db.client.connection."
_POOL_NAME = "db.client.connection.pool.name"
_STATE = "db.client.connection.state"
_SECONDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0)
"""Bucket bounds of the histograms, from taking an idle connection up to the default timeout."""


class Limited(Protocol):
    """The limits and gauges of a pool; reading them takes no lock."""

    name: str

    @property
    def size(self) -> int:
        """The number of idle connections that the pool keeps."""

    @property
    def min_size(self) -> int:
        """The minimum number of connections."""

    @property
    def max_size(self) -> int:
        """The maximum number of open connections; `sys.maxsize` means no limit."""

    @property
    def gauges(self) -> tuple[int, int, int]:
        """The numbers of idle connections, waiting acquires and open connections."""

    @property
    def closed(self) -> bool:
        """Whether the pool is closed."""


@dataclass(frozen=True, slots=True)
class _Instruments:
    """The counter and histograms that record events."""

    timeouts: Counter
    create_time: Histogram
    wait_time: Histogram
    use_time: Histogram


class Telemetry:
    """Metrics of all pools of a process. Thread-safe.

    `meter_provider` None means the global one. Create one `Telemetry` per provider, because
    OpenTelemetry keeps only the first of several gauges with one name.
    """

    def __init__(self, meter_provider: MeterProvider | None = None) -> None:
        meter = (meter_provider or get_meter_provider()).get_meter("steadypool", _version())
        self._listeners: dict[str, _PoolListener] = {}
        self._pools: WeakValueDictionary[str, Limited] = WeakValueDictionary()
        self._instruments = _make_instruments(meter)
        self._observe(meter)

    def listener(self, pool_name: str) -> Listener:
        """Make the listener for the pool with this name."""
        listener = _PoolListener(pool_name, self._instruments)
        self._listeners[pool_name] = listener
        self._pools.pop(pool_name, None)  # the earlier pool with this name
        return listener

    def watch(self, pool: Limited) -> None:
        """Export the pool's gauges, and its limits until it is closed; the reference is weak."""
        self._pools[pool.name] = pool

    def _observe(self, meter: Meter) -> None:
        def gauge(name: str, unit: str, text: str, read: _Reader) -> None:
            def callback(options: CallbackOptions) -> Iterable[Observation]:
                return list(read())

            meter.create_observable_up_down_counter(_PREFIX + name, [callback], unit, text)

        gauge("count", "{connection}", "Open connections, by state.", self._counts)
        gauge("pending_requests", "{request}", "Acquires in the queue.", self._pending)
        gauge("max", "{connection}", "Most connections open at once.", self._maximum)
        gauge("idle.max", "{connection}", "Most idle connections kept.", self._idle_maximum)
        gauge("idle.min", "{connection}", "Fewest connections kept.", self._idle_minimum)

    def _counts(self) -> Iterator[Observation]:
        for name, listener in list(self._listeners.items()):
            idle, _, total = self._gauges(name, listener)
            for state, count in (("idle", idle), ("used", total - idle)):
                yield Observation(count, listener.attributes | {_STATE: state})

    def _pending(self) -> Iterator[Observation]:
        for name, listener in list(self._listeners.items()):
            _, waiting, _ = self._gauges(name, listener)
            yield Observation(waiting, listener.attributes)

    def _gauges(self, name: str, listener: "_PoolListener") -> tuple[int, int, int]:
        pool = self._pools.get(name)
        return listener.figures if pool is None else pool.gauges

    def _maximum(self) -> Iterator[Observation]:
        for pool in self._open_pools():
            if pool.max_size != sys.maxsize:
                yield Observation(pool.max_size, {_POOL_NAME: pool.name})

    def _idle_maximum(self) -> Iterator[Observation]:
        for pool in self._open_pools():
            yield Observation(pool.size, {_POOL_NAME: pool.name})

    def _idle_minimum(self) -> Iterator[Observation]:
        for pool in self._open_pools():
            yield Observation(pool.min_size, {_POOL_NAME: pool.name})

    def _open_pools(self) -> list[Limited]:
        return [pool for pool in list(self._pools.values()) if not pool.closed]


_Reader = Callable[[], Iterator[Observation]]


class _PoolListener:
    """Counts and times the events of one pool, which come one at a time."""

    def __init__(self, pool_name: str, instruments: _Instruments) -> None:
        self.attributes = {_POOL_NAME: pool_name}
        self.figures = (0, 0, 0)
        """Idle, waiting and total; replaced as a whole, so a reader needs no lock."""
        self._instruments = instruments
        self._started: dict[int | None, float] = {}
        """Start times of pending acquires, by the events' `ticket`."""
        self._loan_started: dict[int | None, float] = {}
        """Check-out times of connections on loan, by their number."""
        self._actions = {
            EventKind.CONNECTION_CREATED: self._connection_created,
            EventKind.CHECKOUT_STARTED: self._checkout_started,
            EventKind.CHECKED_OUT: self._checked_out,
            EventKind.CHECKED_IN: self._checked_in,
            EventKind.CHECKOUT_FAILED: self._checkout_failed,
        }

    def __call__(self, event: PoolEvent) -> None:
        self.figures = (event.idle, event.waiting, event.total)
        action = self._actions.get(event.kind)
        if action is not None:
            action(event)

    def _connection_created(self, event: PoolEvent) -> None:
        if event.took is not None:
            self._instruments.create_time.record(event.took, self.attributes)

    def _checkout_started(self, event: PoolEvent) -> None:
        self._started[event.ticket] = event.at

    def _checked_out(self, event: PoolEvent) -> None:
        self._loan_started[event.connection] = event.at
        started = self._started.pop(event.ticket, event.at)
        self._instruments.wait_time.record(event.at - started, self.attributes)

    def _checked_in(self, event: PoolEvent) -> None:
        since = self._loan_started.pop(event.connection, None)
        if since is not None:
            self._instruments.use_time.record(event.at - since, self.attributes)

    def _checkout_failed(self, event: PoolEvent) -> None:
        self._started.pop(event.ticket, None)
        if event.reason is FailReason.TIMEOUT:
            self._instruments.timeouts.add(1, self.attributes)


def _make_instruments(meter: Meter) -> _Instruments:
    def histogram(name: str, text: str) -> Histogram:
        return meter.create_histogram(
            _PREFIX + name, "s", text, explicit_bucket_boundaries_advisory=_SECONDS
        )

    return _Instruments(
        meter.create_counter(_PREFIX + "timeouts", "{timeout}", "Acquires that timed out."),
        histogram("create_time", "Time to open a connection."),
        histogram("wait_time", "Time from the acquire to its connection."),
        histogram("use_time", "Time from check-out to check-in."),
    )


def _version() -> str:
    try:
        return version("steadypool")
    except PackageNotFoundError:
        return ""
