"""What a generated test may import."""

from poolspec.interruption.points import Point
from poolspec.interruption.reentry import ReentryPoint
from poolspec.interruption.suspensions import AsyncPoint
from poolspec.lab.aio.actors import async_actor
from poolspec.lab.aio.interruption import AsyncReentryPoint
from poolspec.lab.aio.lab import AsyncLab
from poolspec.lab.comparisons import (
    approx,
    at_least,
    at_most,
    between,
    less_than,
    more_than,
    not_equal,
)
from poolspec.lab.threads.actors import actor
from poolspec.lab.threads.lab import Lab
from poolspec.lifecycle.body_errors import BodyError, BodyInterrupt
from poolspec.vocabulary import (
    Arrivals,
    BlockFrame,
    BlockKind,
    Caller,
    Detail,
    Direction,
    ErrorKind,
    EventKind,
    Fault,
    Flaw,
    Given,
    HealthWord,
    Interruption,
    LoopEnd,
    Operation,
    Real,
    Runner,
    ServerNumber,
    Target,
    Via,
)

__all__ = [
    "Arrivals",
    "AsyncLab",
    "AsyncPoint",
    "AsyncReentryPoint",
    "BlockFrame",
    "BlockKind",
    "BodyError",
    "BodyInterrupt",
    "Caller",
    "Detail",
    "Direction",
    "ErrorKind",
    "EventKind",
    "Fault",
    "Flaw",
    "Given",
    "HealthWord",
    "Interruption",
    "Lab",
    "LoopEnd",
    "Operation",
    "Point",
    "Real",
    "ReentryPoint",
    "Runner",
    "ServerNumber",
    "Target",
    "Via",
    "actor",
    "approx",
    "async_actor",
    "at_least",
    "at_most",
    "between",
    "less_than",
    "more_than",
    "not_equal",
]
