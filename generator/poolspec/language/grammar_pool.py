"""The tables of keys of a pool's options, and of the steps that change or end a pool."""

from poolspec.language.grammar_kinds import CONFIG_NAME, SECONDS
from poolspec.language.kinds import Key, Place
from poolspec.language.quantities import OVERFLOW, SIZE
from poolspec.language.values import fields_kind, value_kind
from poolspec.model import Value

_OWN = "the pool's own"
POOL_OPTIONS: tuple[Key[Value], ...] = (
    Key("size", value_kind(SIZE), "connections that the pool keeps", "5", default=_OWN),
    Key("max_overflow", value_kind(OVERFLOW), "more beyond it; -1: no limit", "10", default=_OWN),
    Key("timeout", SECONDS, "how long an acquire waits", "30s", default=_OWN),
    Key("recycle", SECONDS, "age of replacement; 0: never", "1h", default=_OWN),
    Key("min_size", value_kind(SIZE), "the fewest that it keeps open", "2", default=_OWN),
)
POOL = Place("the options of a pool", POOL_OPTIONS)
CONFIG = Key(
    "config_name", CONFIG_NAME, "the name of a stored configuration", "replica", default=_OWN
)
GLOBAL_OPTIONS = Place("the options of a global pool", (*POOL_OPTIONS, CONFIG))

# --- steps that change or end it -----------------------------------------------------------------

_AS_IT_WAS = "as it was"
NEW_SIZE = Key(
    "size", value_kind(SIZE), "connections that the pool keeps from now on", "3", default=_AS_IT_WAS
)
NEW_OVERFLOW = Key(
    "max_overflow", value_kind(OVERFLOW), "more beyond it; -1: no limit", "0", default=_AS_IT_WAS
)
LIMITS = Place("the new limits", (NEW_SIZE, NEW_OVERFLOW))
RESIZE = Key("resize", fields_kind(LIMITS), "give the pool other limits", "{size: 3}", True)

DRAIN = Key(
    "drain", SECONDS, "how long to wait for connections on loan to come back first", "5s", True
)
CLOSING = Place("a way to close", (DRAIN,))
CLOSE = Key(
    "close", fields_kind(CLOSING), "close the pool for good", "{drain: 5s}", default="at once"
)
