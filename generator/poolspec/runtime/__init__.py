"""All that a generated test may use."""

from poolspec.runtime.actors import actor
from poolspec.runtime.aio.actors import async_actor
from poolspec.runtime.aio.cuts import AsyncCut
from poolspec.runtime.aio.lab import AsyncLab
from poolspec.runtime.checks import (
    approx,
    at_least,
    at_most,
    between,
    less_than,
    more_than,
    not_equal,
)
from poolspec.runtime.cuts import Cut
from poolspec.runtime.failing import BodyError, BodyInterrupt
from poolspec.runtime.lab import Lab
from poolspec.vocabulary import (
    Detail,
    ErrorKind,
    EventKind,
    Fault,
    Flaw,
    Given,
    HealthWord,
    Interruption,
    Operation,
    Real,
    Runner,
    Target,
    Via,
)

__all__ = [
    "AsyncCut",
    "AsyncLab",
    "BodyError",
    "BodyInterrupt",
    "Cut",
    "Detail",
    "ErrorKind",
    "EventKind",
    "Fault",
    "Flaw",
    "Given",
    "HealthWord",
    "Interruption",
    "Lab",
    "Operation",
    "Real",
    "Runner",
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
