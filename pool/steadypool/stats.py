"""A pool's counters and gauges at one moment, as a frozen value.

At rest `created - closed == total_connections == pool_size + in_use` and
`acquired - released == in_use`. While connections are being checked, reset, handed over or closed,
they are part of the total and of neither gauge.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Counters since the pool was made, and gauges of now."""

    created: int
    """Connections opened."""
    closed: int
    """Connections closed, for whatever reason."""
    recycled: int
    """Connections closed because they were older than `recycle`."""
    acquired: int
    """Acquires that got a connection."""
    released: int
    """Connections given back."""
    timeouts: int
    """Acquires that gave up waiting."""
    total_connections: int
    """Open connections."""
    pool_size: int
    """Idle connections, ready to hand out."""
    max_size: int
    """size + max_overflow; `sys.maxsize` where the pool may grow without limit."""
    in_use: int
    """Connections on loan."""
    waiting: int
    """Acquires in the queue."""
    validation_failures: int
    """Idle connections found dead before they were handed out."""
    connect_failures: int
    """Connects that failed, retries included."""
    connect_retries: int
    """Connects tried again for the same acquire."""
    leaks_suspected: int
    """Loans reported for lasting longer than `leak_after`."""

    def as_dict(self) -> dict[str, int]:
        """The same figures by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
