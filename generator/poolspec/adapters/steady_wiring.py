"""Connects a steadypool to its test: its connections, events and metrics."""

from collections.abc import Callable
from typing import TypeVar

import steadypool
from poolspec.invariants.log import Entry, Figures, current_actor
from poolspec.lab.aio.contract import AsyncWiring
from poolspec.lab.contract import Wiring
from poolspec.servers import Tenant
from poolspec.vocabulary import EventKind

P = TypeVar("P")

POOL_NAME = "primary"
"""The default name of a pool."""


def config_of(tenant: Tenant) -> steadypool.Config:
    """Return the configuration that connects as a tenant."""
    return steadypool.Config(
        host=tenant.address.host,
        port=tenant.address.port,
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
    )


class Listener:
    """Writes the pool's events into the test's log."""

    def __init__(self, listen: Callable[[Entry], None]) -> None:
        self._listen = listen

    def __call__(self, event: steadypool.PoolEvent) -> None:
        """Add one event to the log."""
        self._listen(
            Entry(
                at=event.at,
                actor=current_actor(),
                kind=EventKind(event.kind.value),
                by_pool=True,
                connection=event.connection,
                ticket=event.ticket,
                detail=event.reason.value if event.reason else "",
                figures=Figures(event.idle, event.waiting, event.total),
            )
        )

    def __eq__(self, other: object) -> bool:
        """Compare by test, since the default pool compares the options that it was made with."""
        return isinstance(other, Listener) and other._listen == self._listen

    def __hash__(self) -> int:
        """Hash as `__eq__` compares."""
        return hash(self._listen)


def listeners(wiring: Wiring | AsyncWiring) -> tuple[steadypool.Listener, ...]:
    """Return the listeners of a pool: the test's log, and its meter."""
    log = () if wiring.listen is None else (Listener(wiring.listen),)
    return log if wiring.meter is None else (*log, wiring.meter.listener(POOL_NAME))


def watched(pool: P, wiring: Wiring | AsyncWiring) -> P:
    """Return the pool, with its limits added to the meter if there is one."""
    if wiring.meter is not None:
        wiring.meter.watch(pool)
    return pool
