"""The keys that describe a fault, each with the faults that have it."""

from dataclasses import dataclass
from typing import Any

from poolspec.spec.common import SECONDS, SOME_NAMES, TIME_LIMIT
from poolspec.spec.fields import Key
from poolspec.spec.kinds import enum_kind, value_kind
from poolspec.spec.quantities import COUNT, NUMBER_OF, SIZE
from poolspec.steps.fault_kinds.kind import Terms
from poolspec.vocabulary import Direction, ServerNumber

VICTIM = Key("on", SOME_NAMES, "connections on loan that it affects", "a", default="see below")
FOR = Key("for", SECONDS, "how long a call takes", "2s", default="see below")
TIMES = Key(
    "times",
    value_kind(NUMBER_OF),
    "number of calls that it affects",
    "3",
    default="until it is healed",
)
AFTER_CALLS = Key(
    "after", value_kind(SIZE), "number of calls that succeed before it", "2", default="0"
)
AT_MOST = Key(
    "limit",
    value_kind(SIZE),
    "number of connections that the server accepts",
    "2",
    default="see below",
)
SERVER = Key(
    "server",
    enum_kind("a server of the test", ServerNumber),
    "which of the test's servers it affects; needs `servers: 2`",
    "second",
    default="the first; for `name_moved`, none",
)
WAY = Key(
    "direction",
    enum_kind("a direction", Direction),
    "direction of the line that it affects",
    "upstream",
    default="downstream; for half_open both",
)
DELAY = Key("delay", SECONDS, "how late the effect comes", "50ms", default="see below")
JITTER = Key(
    "jitter", SECONDS, "largest difference from the delay, more or less", "10ms", default="0"
)
RATE = Key(
    "rate",
    value_kind(NUMBER_OF),
    "kilobytes that pass in a second",
    "100",
    default="see below",
)
PIECE = Key("size", value_kind(NUMBER_OF), "number of bytes in a slice", "3", default="see below")
BYTES = Key(
    "bytes", value_kind(COUNT), "number of bytes that pass before it", "20", default="see below"
)
LASTS = Key(
    "lasts",
    TIME_LIMIT,
    "time after which the step heals it",
    "30s",
    default="it lasts until it is healed",
)


@dataclass(frozen=True, slots=True)
class Term:
    """A key that describes a fault, and the argument of the lab that it becomes."""

    key: Key[Any]
    argument: str
    """Also the name of the field of `Inject`."""
    must: Terms = Terms.NONE
    """The faults with this term must have the key."""
    may: Terms = Terms.NONE
    """The faults with this term may have it."""


TERMS = (
    Term(VICTIM, "on", Terms.VICTIM, Terms.SOME),
    Term(FOR, "seconds", Terms.DURATION),
    Term(TIMES, "times", may=Terms.CALLS),
    Term(AFTER_CALLS, "after", may=Terms.CALLS),
    Term(AT_MOST, "limit", Terms.LIMIT),
    Term(SERVER, "server", may=Terms.SERVER),
    Term(WAY, "direction", may=Terms.DIRECTION),
    Term(DELAY, "delay", Terms.DELAY, Terms.LATER),
    Term(JITTER, "jitter", may=Terms.JITTER),
    Term(RATE, "rate", Terms.RATE),
    Term(PIECE, "size", Terms.PIECE),
    Term(BYTES, "bytes", Terms.BYTES),
    Term(LASTS, "lasts", may=Terms.TIME),
)
