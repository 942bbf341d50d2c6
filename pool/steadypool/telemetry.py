"""A pool's figures as OpenTelemetry metrics, by the names of its semantic conventions.

    telemetry = Telemetry()                     # one for a process; the global meter provider
    pool = ConnectionPool(name="shop", listeners=[telemetry.listener("shop")])
    telemetry.watch(pool)                       # its limits too

Needs the package `opentelemetry-api` (the extra `otel`), and an SDK, set up by the application,
that exports what is measured. Nothing else in steadypool imports this module.

All metrics are called `db.client.connection.…` and carry `db.client.connection.pool.name`:

    count             connections, by `db.client.connection.state`: idle or used
    pending_requests  acquires in the queue
    max, idle.max, idle.min        limit, size and min_size, of a pool that is watched
    timeouts          acquires that gave up waiting
    create_time, wait_time, use_time   seconds: to open one, to be given one, until it came back

Rules:

* A listener runs while the pool's lock is held. It notes and counts, and never waits for the pool.
* What is read when metrics are collected is plain attributes of a pool that is watched, and of
  another one what the last event said: whoever collects never takes the pool's lock, so the two
  cannot wait for each other. A connection that is rolled back when it comes back is idle a moment
  later, of which no event tells; so watch the pool.
* `wait_time` is that of acquires that got a connection; who gave up is counted in `timeouts`.
* Two pools of one name cannot be told apart: the later takes the earlier one's place.
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
"""Upper bounds of the histograms' buckets: from an idle connection taken to the usual timeout."""


class Limited(Protocol):
    """A pool, as far as its limits and gauges go; reading them takes no lock."""

    name: str

    @property
    def size(self) -> int:
        """How many idle connections are kept."""

    @property
    def min_size(self) -> int:
        """How many connections there are at least."""

    @property
    def max_size(self) -> int:
        """How many connections may be open at once; `sys.maxsize` for any number."""

    @property
    def gauges(self) -> tuple[int, int, int]:
        """How many connections are idle, acquires wait, and connections are open."""

    @property
    def closed(self) -> bool:
        """Whether the pool was closed for good."""


@dataclass(frozen=True, slots=True)
class _Instruments:
    """What events are counted and timed with."""

    timeouts: Counter
    create_time: Histogram
    wait_time: Histogram
    use_time: Histogram


class Telemetry:
    """Metrics of the pools of a process. Thread-safe.

    `meter_provider`: None for the global one. Make one `Telemetry` for each provider: OpenTelemetry
    keeps the first of several gauges of one name.
    """

    def __init__(self, meter_provider: MeterProvider | None = None) -> None:
        meter = (meter_provider or get_meter_provider()).get_meter("steadypool", _version())
        self._listeners: dict[str, _PoolListener] = {}
        self._pools: WeakValueDictionary[str, Limited] = WeakValueDictionary()
        self._instruments = _make_instruments(meter)
        self._observe(meter)

    def listener(self, pool_name: str) -> Listener:
        """Make the listener that the pool of this name is to be given."""
        listener = _PoolListener(pool_name, self._instruments)
        self._listeners[pool_name] = listener
        self._pools.pop(pool_name, None)  # an earlier pool's, whose place is taken
        return listener

    def watch(self, pool: Limited) -> None:
        """Report the pool's limits until it is closed, and its gauges; the pool is held weakly."""
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
    """One pool's events, counted and timed. Called with that pool's lock held."""

    def __init__(self, pool_name: str, instruments: _Instruments) -> None:
        self.attributes = {_POOL_NAME: pool_name}
        self.figures = (0, 0, 0)
        """Idle, waiting, total; replaced as a whole, so that a reader needs no lock."""
        self._instruments = instruments
        self._started: dict[int | None, float] = {}
        """When an acquire under way began, by ticket."""
        self._taken: dict[int | None, float] = {}
        """Since when a connection is on loan, by its number."""
        self._actions = {
            EventKind.CONNECTION_CREATED: self._created,
            EventKind.CHECKOUT_STARTED: self._begun,
            EventKind.CHECKED_OUT: self._checked_out,
            EventKind.CHECKED_IN: self._checked_in,
            EventKind.CHECKOUT_FAILED: self._failed,
        }

    def __call__(self, event: PoolEvent) -> None:
        self.figures = (event.idle, event.waiting, event.total)
        action = self._actions.get(event.kind)
        if action is not None:
            action(event)

    def _created(self, event: PoolEvent) -> None:
        if event.took is not None:
            self._instruments.create_time.record(event.took, self.attributes)

    def _begun(self, event: PoolEvent) -> None:
        self._started[event.ticket] = event.at

    def _checked_out(self, event: PoolEvent) -> None:
        self._taken[event.connection] = event.at
        started = self._started.pop(event.ticket, event.at)
        self._instruments.wait_time.record(event.at - started, self.attributes)

    def _checked_in(self, event: PoolEvent) -> None:
        taken = self._taken.pop(event.connection, None)
        if taken is not None:
            self._instruments.use_time.record(event.at - taken, self.attributes)

    def _failed(self, event: PoolEvent) -> None:
        self._started.pop(event.ticket, None)
        if event.reason is FailReason.TIMEOUT:
            self._instruments.timeouts.add(1, self.attributes)


def _make_instruments(meter: Meter) -> _Instruments:
    def histogram(name: str, text: str) -> Histogram:
        return meter.create_histogram(
            _PREFIX + name, "s", text, explicit_bucket_boundaries_advisory=_SECONDS
        )

    return _Instruments(
        meter.create_counter(_PREFIX + "timeouts", "{timeout}", "Acquires that gave up waiting."),
        histogram("create_time", "Time to open a connection."),
        histogram("wait_time", "Time from asking for a connection to getting it."),
        histogram("use_time", "Time from borrowing a connection to giving it back."),
    )


def _version() -> str:
    try:
        return version("poolspec")  # steadypool comes in its distribution
    except PackageNotFoundError:
        return ""
