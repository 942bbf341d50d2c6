"""What follows from the words of a spec: the capability that each of them takes for granted.

A test that resizes its pool needs a pool that can be resized, and has no need to say so. One row
here is all there is to it: the loader adds what follows to what a test `needs`, and the lab does
not tell a pool of options that it does not know. A word that is in no table here is one that every
pool and every server can do something with.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from poolspec.vocabulary import (
    CALL_FAULTS,
    OF_CONNECTIONS,
    ActorState,
    Capability,
    Connections,
    ErrorKind,
    EventKind,
    Fault,
    Order,
    Reset,
)

V = TypeVar("V")

STEPS: Final = {
    "close_all": Capability.CLOSE_ALL,
    "fork": Capability.FORK_SAFETY,
    "global_pool": Capability.GLOBAL_POOL,
    "maintain": Capability.MAINTENANCE,
    "open": Capability.CONFIGURATION,
    "request": Capability.WEB_APP,
    "resize": Capability.RESIZE,
    "resume": Capability.SUSPEND,
    "suspend": Capability.SUSPEND,
    "transaction": Capability.TRANSACTIONS,
}
"""By verb."""

KEYS: Final = {
    ("acquire", "timeout"): Capability.CALL_TIMEOUT,
    ("close", "close"): Capability.DRAIN,
    ("load", "requests"): Capability.WEB_APP,
    ("load", "timeout"): Capability.CALL_TIMEOUT,
    ("query", "changes_one"): Capability.OPTIMISTIC_LOCKING,
}
"""By verb and key. `close` with a value says how."""

ERRORS: Final = {
    ErrorKind.EXHAUSTED: Capability.QUEUE_CAP,
    ErrorKind.UNAVAILABLE: Capability.BREAKER,
}
"""By the way in which a step fails."""

FAULTS: Final = {
    Fault.CONNECTION_KILLED: Capability.KILL,
    Fault.IDLE_KILLED: Capability.KILL,
    Fault.SERVER_KILLED: Capability.SERVER_CONTROL,
    Fault.SERVER_PAUSED: Capability.SERVER_CONTROL,
    **{
        fault: Capability.FOREIGN_CONNECTIONS
        for fault, (call, _) in CALL_FAULTS.items()
        if call in OF_CONNECTIONS
    },
    Fault.LISTENER_FAILS: Capability.EVENTS,
    Fault.LISTENER_INTERRUPTED: Capability.EVENTS,
}

CONNECTIONS: Final = {
    Connections.PLAIN: Capability.FOREIGN_CONNECTIONS,
    Connections.SCRIPTED: Capability.FOREIGN_CONNECTIONS,
    Connections.MINIMAL: Capability.FOREIGN_CONNECTIONS,
}
"""By what the pool's connections are."""

STATES: Final = {ActorState.WAITING: Capability.EVENTS}
"""By the state that is waited for: only the pool knows who is in its queue."""

EXPECTATIONS: Final = {
    "events": Capability.EVENTS,
    "health": Capability.HEALTH,
    "hooks": Capability.HOOKS,
    "loans": Capability.LEAK_DETECTION,
    "logs": Capability.LOGS,
    "metrics": Capability.METRICS,
    "pools": Capability.GLOBAL_POOL,
    "remaining_timeout": Capability.TIME_LIMITS,
    "served": Capability.EVENTS,
    "stats": Capability.STATISTICS,
}

EVENTS: Final = {EventKind.LEAK_SUSPECTED: Capability.LEAK_DETECTION}
"""By an event that is expected."""


@dataclass(frozen=True, slots=True)
class Option:
    """What an option of a pool takes for granted."""

    needs: Capability
    without: int | str | None = None
    """The value that says no more than what a pool without the capability does anyhow."""
    then: Capability | None = None
    """What that value takes for granted."""


OPTIONS: Final[Mapping[str, Option]] = {
    "max_overflow": Option(Capability.OVERFLOW, without=0),
    "recycle": Option(Capability.RECYCLE_BY_AGE, without=0),
    "min_size": Option(Capability.MIN_SIZE, without=0, then=Capability.LAZY_START),
    "max_uses": Option(Capability.MAX_USES),
    "max_idle_time": Option(Capability.IDLE_TIME),
    "recycle_jitter": Option(Capability.RECYCLE_BY_AGE, without=0),
    "check_after": Option(Capability.LIVENESS),
    "validate_after": Option(Capability.VALIDATION),
    "order": Option(Capability.FIFO, without=Order.LIFO),
    "reset": Option(Capability.SESSION_RESET, without=Reset.ROLLBACK),
    "setup": Option(Capability.HOOKS),
    "on_acquire": Option(Capability.HOOKS),
    "max_connecting": Option(Capability.CONNECT_CAP),
    "connect_attempts": Option(Capability.RETRIES, without=1),
    "breaker_failures": Option(Capability.BREAKER),
    "breaker_cooldown": Option(Capability.BREAKER),
    "leak_after": Option(Capability.LEAK_DETECTION),
    "max_waiting": Option(Capability.QUEUE_CAP),
    "connect_timeout": Option(Capability.TIME_LIMITS),
    "query_timeout": Option(Capability.TIME_LIMITS),
    "housekeeping": Option(Capability.HOUSEKEEPING),
}
"""By name. Any pool has a size and a timeout."""


def known_options(options: Mapping[str, V], able: frozenset[Capability]) -> dict[str, V]:
    """Return the options that a pool with these capabilities is told of."""
    return {
        name: value
        for name, value in options.items()
        if name not in OPTIONS or OPTIONS[name].needs in able
    }
