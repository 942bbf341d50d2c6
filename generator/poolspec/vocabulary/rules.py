"""Capability rules: the capability that a word of a spec needs.

A test that opens the breaker needs a pool with a breaker; its spec does not repeat that under
`needs`. The rules of steps, expectations and faults stand in their rows in `poolspec.steps`. Here
are the rules of words that several steps share, and of pool options: the lab reads those too, to
leave out options that a pool does not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from poolspec.vocabulary.capabilities import Capability
from poolspec.vocabulary.configuration import Target
from poolspec.vocabulary.failures import ErrorKind
from poolspec.vocabulary.observations import EventKind, StatName
from poolspec.vocabulary.options import Order, Reset
from poolspec.vocabulary.setting import Connections

V = TypeVar("V")

ERRORS: Final = {
    ErrorKind.TIMEOUT: Capability.TIMEOUT,
    ErrorKind.CLOSED: Capability.CLOSE,
    ErrorKind.EXHAUSTED: Capability.QUEUE_CAP,
    ErrorKind.UNAVAILABLE: Capability.BREAKER,
    ErrorKind.DEADLOCK: Capability.ROW_LOCKS,
}
"""By the way in which a step, or an operation of a load, fails."""

CONNECTIONS: Final = {
    Connections.MINIMAL: Capability.MINIMAL_CONNECTIONS,
}
"""By the kind of the pool's connections."""

TARGETS: Final = {
    Target.BOTH_SERVERS: Capability.SERVER_CONTROL,
    Target.TLS: Capability.TLS,
    Target.TLS_CLIENT: Capability.TLS,
    Target.ACCOUNT_LOCKED: Capability.SERVER_CONTROL,
    Target.PASSWORD_EXPIRED: Capability.SERVER_CONTROL,
    Target.PLUGIN_MISSING: Capability.SERVER_CONTROL,
}
"""By the target of an opened pool."""

STATS: Final[Mapping[str, Capability]] = {StatName.RECYCLED: Capability.STATISTICS}
"""By the figure that is expected, if only the pool itself can count it."""

EVENTS: Final = {EventKind.LEAK_SUSPECTED: Capability.LEAK_DETECTION}
"""By an event that is expected."""


@dataclass(frozen=True, slots=True)
class OptionRule:
    """The capabilities that an option of a pool needs."""

    needs: Capability
    without: int | str | None = None
    """The value that describes every pool without the capability."""
    then: Capability | None = None
    """The capability that this value needs."""


OPTIONS: Final[Mapping[str, OptionRule]] = {
    "max_overflow": OptionRule(Capability.OVERFLOW, without=0),
    "recycle": OptionRule(Capability.RECYCLE_BY_AGE, without=0),
    "min_size": OptionRule(Capability.MIN_SIZE, without=0, then=Capability.LAZY_START),
    "max_uses": OptionRule(Capability.MAX_USES),
    "max_idle_time": OptionRule(Capability.IDLE_TIME),
    "recycle_jitter": OptionRule(Capability.RECYCLE_JITTER, without=0),
    "check_after": OptionRule(Capability.LIVENESS),
    "validate_after": OptionRule(Capability.VALIDATION),
    "order": OptionRule(Capability.FIFO, without=Order.LIFO, then=Capability.LIFO),
    "reset": OptionRule(Capability.SESSION_RESET, without=Reset.ROLLBACK),
    "setup": OptionRule(Capability.HOOKS),
    "on_acquire": OptionRule(Capability.HOOKS),
    "on_release": OptionRule(Capability.RELEASE_HOOK),
    "max_connecting": OptionRule(Capability.CONNECT_CAP),
    "connect_attempts": OptionRule(Capability.RETRIES, without=1),
    "breaker_failures": OptionRule(Capability.BREAKER),
    "breaker_cooldown": OptionRule(Capability.BREAKER),
    "breaker_cooldown_limit": OptionRule(Capability.BREAKER),
    "leak_after": OptionRule(Capability.LEAK_DETECTION),
    "max_waiting": OptionRule(Capability.QUEUE_CAP),
    "connect_timeout": OptionRule(Capability.TIME_LIMITS),
    "query_timeout": OptionRule(Capability.TIME_LIMITS),
    "housekeeping": OptionRule(Capability.HOUSEKEEPING),
}
"""By name. Any pool has a size and a timeout."""
DEFAULTS: Final[Mapping[str, int | float]] = {"size": 5, "max_overflow": 10, "timeout": 30.0}
"""The options that every pool has; a pool without `overflow` has no `max_overflow`."""


def known_options(options: Mapping[str, V], able: frozenset[Capability]) -> dict[str, V]:
    """Return the options that a pool with these capabilities understands."""
    return {
        name: value
        for name, value in options.items()
        if name not in OPTIONS or OPTIONS[name].needs in able
    }
