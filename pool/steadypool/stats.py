"""The statistics of a pool at one moment, as a frozen value.

At rest `created - closed == total_connections == pool_size + in_use` and
`acquired - released == in_use`. Connections that are being checked, reset, handed over or closed
count in `total_connections` only.
"""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class PoolStats:
    """Counters since the pool was created, and gauges of this moment."""

    created: int
    """Connections opened."""
    closed: int
    """Connections closed, for any reason."""
    recycled: int
    """Connections closed because they were older than `recycle`."""
    acquired: int
    """Acquires that got a connection."""
    released: int
    """Connections released."""
    timeouts: int
    """Acquires that timed out."""
    total_connections: int
    """Open connections."""
    pool_size: int
    """Idle connections, ready to hand out."""
    max_size: int
    """size + max_overflow; `sys.maxsize` if there is no limit."""
    in_use: int
    """Connections on loan."""
    waiting: int
    """Acquires in the queue."""
    validation_failures: int
    """Idle connections found dead before they were handed out."""
    connect_failures: int
    """Connects that failed, retries included."""
    connect_retries: int
    """Connects that were retries for the same acquire."""
    leaks_suspected: int
    """Loans reported as longer than `leak_after`."""

    def as_dict(self) -> dict[str, int]:
        """Return the same figures by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
