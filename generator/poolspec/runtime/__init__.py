"""All that a generated test may use."""

from poolspec.runtime.actors import actor
from poolspec.runtime.checks import (
    approx,
    at_least,
    at_most,
    between,
    less_than,
    more_than,
    not_equal,
)
from poolspec.runtime.failing import BodyError, BodyInterrupt
from poolspec.runtime.lab import Lab
from poolspec.vocabulary import ErrorKind, EventKind, Operation, Runner, Via

__all__ = [
    "BodyError",
    "BodyInterrupt",
    "ErrorKind",
    "EventKind",
    "Lab",
    "Operation",
    "Runner",
    "Via",
    "actor",
    "approx",
    "at_least",
    "at_most",
    "between",
    "less_than",
    "more_than",
    "not_equal",
]
