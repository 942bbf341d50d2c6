"""The options of a pool: those under test, of a global pool, and of an opened pool.

The capability that an option needs stands in `poolspec.vocabulary.rules`, which the lab reads too.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, cast

from poolspec.errors import expected
from poolspec.python.literals import value
from poolspec.python.names import word
from poolspec.spec.common import CONFIG_NAME, FLAG, SCALAR, SECONDS, TIME_LIMIT
from poolspec.spec.fields import Fields, Key, Kind, Place
from poolspec.spec.kinds import enum_kind, map_kind, name_kind, value_kind
from poolspec.spec.quantities import INTERVAL, NUMBER_OF, OVERFLOW, RATIO, SIZE
from poolspec.spec.values import PoolOptions, Value
from poolspec.vocabulary import Hook, Listening, Order, Reset

_OWN = "the pool's own"
_SOME = value_kind(NUMBER_OF)
_SHARE = value_kind(RATIO)


def _word_kind(words: str, choices: type[StrEnum]) -> Kind[str]:
    """One word of a list, as a text: an option is handed on as it is written."""
    kind = enum_kind(words, choices)
    return Kind(words, lambda reader, node: str(kind.read(reader, node)), kind.schema)


_HOOK = _word_kind("a hook", Hook)
POOL_OPTIONS: tuple[Key[Any], ...] = (
    Key("size", value_kind(SIZE), "number of connections to keep", "5", default=_OWN),
    Key(
        "max_overflow",
        value_kind(OVERFLOW),
        "connections allowed beyond `size`; -1: no limit",
        "10",
        default=_OWN,
    ),
    Key("timeout", SECONDS, "longest wait of an acquire", "30s", default=_OWN),
    Key("recycle", SECONDS, "age at which a connection is replaced; 0: never", "1h", default=_OWN),
    Key("min_size", value_kind(SIZE), "minimum number of open connections", "2", default=_OWN),
    Key(
        "max_uses",
        _SOME,
        "number of loans after which a connection is retired",
        "100",
        default=_OWN,
    ),
    Key(
        "max_idle_time",
        SECONDS,
        "idle time after which a connection is closed",
        "10m",
        default=_OWN,
    ),
    Key(
        "recycle_jitter",
        _SHARE,
        "share by which `recycle` is shortened at random",
        "0.1",
        default=_OWN,
    ),
    Key("check_after", SECONDS, "idle time after which the socket is checked", "1s", default=_OWN),
    Key(
        "validate_after",
        SECONDS,
        "idle time after which a connection is pinged",
        "30s",
        default=_OWN,
    ),
    Key(
        "order",
        _word_kind("an order", Order),
        "which idle connection is handed out first",
        "fifo",
        default=_OWN,
    ),
    Key(
        "reset",
        _word_kind("a reset", Reset),
        "state that a release resets",
        "session",
        default=_OWN,
    ),
    Key("setup", _HOOK, "called once for each new connection", "counting", default="none"),
    Key("on_acquire", _HOOK, "called at every acquire", "failing_once", default="none"),
    Key("on_release", _HOOK, "called at every release", "counting", default="none"),
    Key("max_connecting", _SOME, "most connects in progress at once", "2", default=_OWN),
    Key("connect_attempts", _SOME, "connect attempts of one acquire", "3", default=_OWN),
    Key(
        "breaker_failures",
        _SOME,
        "failed connects in a row that open the breaker",
        "5",
        default=_OWN,
    ),
    Key("breaker_cooldown", SECONDS, "time between probes of an open breaker", "1s", default=_OWN),
    Key(
        "breaker_cooldown_limit",
        SECONDS,
        "maximum to which the cooldown grows",
        "30s",
        default=_OWN,
    ),
    Key(
        "leak_after",
        SECONDS,
        "time on loan after which a connection is reported",
        "1m",
        default=_OWN,
    ),
    Key("max_waiting", value_kind(SIZE), "maximum number of waiters", "10", default=_OWN),
)
LISTENER = Key(
    "listener",
    _word_kind("a listener", Listening),
    "the listener of the pool's events",
    "none",
    default="the test",
)
HOUSEKEEPING = Key(
    "housekeeping",
    value_kind(INTERVAL),
    "time between two runs of maintenance",
    "50ms",
    default="never",
)
POOL = Place("the options of a pool", (*POOL_OPTIONS, HOUSEKEEPING, LISTENER))
CONFIG = Key(
    "config_name", CONFIG_NAME, "the name of a stored configuration", "replica", default=_OWN
)
GLOBAL_OPTIONS = Place("the options of a global pool", (*POOL_OPTIONS, CONFIG))
SETTINGS: tuple[Key[Any], ...] = (
    Key("connect_timeout", TIME_LIMIT, "how long a connect may take", "10s", default=_OWN),
    Key("query_timeout", TIME_LIMIT, "how long an answer may take", "5s", default=_OWN),
    Key("autocommit", FLAG, "whether each statement commits at once", "true", default=_OWN),
    Key("tls", FLAG, "true: TLS is required; false: it is declined", "false", default=_OWN),
)
_PASSED = Place("the options of an opened pool", (*POOL_OPTIONS, *SETTINGS))
OPEN_OPTIONS = Place(_PASSED.name, (*_PASSED.keys, HOUSEKEEPING))


def _option_fault(word: str) -> str:
    return "" if word in _PASSED.names else expected(_PASSED.names, word)


UNJUDGED = map_kind(
    "options with a value each",
    name_kind("an option", _option_fault, f"({'|'.join(_PASSED.names)})"),
    SCALAR,
)


def options_of(given: Fields | None) -> PoolOptions:
    """Return options in the order in which they were given."""
    pairs = given.values.items() if given else ()
    return tuple((name, cast("Value | str", found)) for name, found in pairs)


def merged(*layers: Fields | PoolOptions | None) -> PoolOptions:
    """Return options from several places, the later ones winning, in the order of the rows."""
    found: dict[str, Value | str] = {}
    for layer in layers:
        if isinstance(layer, Fields):
            found |= {name: one for name, one in layer.values.items() if one is not None}
        elif layer:
            found |= dict(layer)
    return tuple((name, found[name]) for name in POOL.names if name in found)


def write_options(given: Iterable[tuple[str, Value | str]]) -> str:
    """Return options as keyword arguments."""
    return ", ".join(f"{word(name)}={value(item)}" for name, item in given)
