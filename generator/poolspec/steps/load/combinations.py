"""Which keys of a load go together."""

from typing import Any

from poolspec.errors import expected
from poolspec.spec.common import FROM, TIMEOUT
from poolspec.spec.fields import Fields, Key
from poolspec.spec.scope import Scope
from poolspec.steps.load.keys import (
    ARRIVALS,
    DURATION_KEY,
    EACH,
    HOLD_KEY,
    MIX,
    OPERATIONS,
    RAMP,
    RATE_KEY,
    REQUESTS,
    RUNNER,
    SEED,
    STATEMENTS,
    THINK,
    UNTIL,
    VIA,
    WARM_UP,
)
from poolspec.steps.load.model import DEFAULT_MIX
from poolspec.steps.web import note_request
from poolspec.vocabulary import Arrivals, Operation, Runner, Via

Keys = tuple[Key[Any], ...]

_ENDS: Keys = (OPERATIONS, EACH, DURATION_KEY, UNTIL)
"""A load has one of these, or requests."""
_OF_BORROWING: Keys = (*_ENDS, MIX, HOLD_KEY, TIMEOUT, VIA, RUNNER, STATEMENTS, FROM)
"""Keys that a load of requests does not have."""
_OF_TIME: Keys = (DURATION_KEY, RATE_KEY, RAMP, THINK, WARM_UP)
"""Keys that an executor's load does not have: its workers take the operations as they come."""


def check_keys(scope: Scope, fields: Fields) -> None:
    """Report keys of a load that contradict each other or miss another."""
    if fields.has(REQUESTS):
        note_request(scope, fields)
        _refuse(scope, fields, REQUESTS, _OF_BORROWING)
    else:
        _check_end(scope, fields)
        _check_kinds(scope, fields)
    _refuse(scope, fields, RATE_KEY, (EACH, THINK))
    if fields.get(RUNNER) is Runner.EXECUTOR:
        _refuse(scope, fields, RUNNER, _OF_TIME)
    _check_arrivals(scope, fields)
    _check_ramp(scope, fields)
    if fields.has(TIMEOUT) and fields.get(VIA) is Via.WITH:
        hint = "write via: acquire"
        scope.reader.problem(fields.at(TIMEOUT), "'with' takes no timeout", hint)


def _refuse(scope: Scope, fields: Fields, key: Key[Any], others: Keys) -> None:
    for other in others if fields.has(key) else ():
        if fields.has(other):
            message = f"{key.name!r} and {other.name!r} are mutually exclusive"
            scope.reader.problem(fields.at(other), message, "keep one of them")


def _check_end(scope: Scope, fields: Fields) -> None:
    given = [key for key in _ENDS if fields.has(key)]
    if not given:
        hint = (
            "add operations: 100 (in total), each: 50 (for each client), duration: 10s or "
            "until: stopped"
        )
        message = "a load needs 'operations', 'each', 'duration', 'until' or 'requests'"
        scope.reader.problem(fields.node, message, hint)
    if UNTIL in given:
        _refuse(scope, fields, UNTIL, (*_ENDS[:-1], RUNNER))
    elif given:
        _refuse(scope, fields, given[0], tuple(given[1:]))


def kinds_of(fields: Fields) -> tuple[Operation, ...]:
    """Return the kinds of operations of a load that borrows."""
    operations = fields.get(OPERATIONS)
    shares = operations if isinstance(operations, tuple) else fields.get(MIX) or DEFAULT_MIX
    return tuple(kind for kind, _ in shares)


def _check_kinds(scope: Scope, fields: Fields) -> None:
    problem, operations = scope.reader.problem, fields.get(OPERATIONS)
    if fields.has(MIX) and isinstance(operations, tuple):
        message = "'operations' already gives the number of each kind"
        problem(fields.at(MIX), message, "leave it out")
    kinds = kinds_of(fields)
    for kind, _ in fields.get(STATEMENTS) or ():
        if kind is Operation.BORROW:
            message = "an operation of the kind 'borrow' runs no statement"
            problem(fields.at(STATEMENTS), message, "name read, write or complex")
        elif kind not in kinds:
            message = f"the load has no operations of the kind {kind.value!r}"
            problem(fields.at(STATEMENTS), message, expected(kinds, kind))


def _check_arrivals(scope: Scope, fields: Fields) -> None:
    problem = scope.reader.problem
    for key in (ARRIVALS, SEED):
        if fields.has(key) and not fields.has(RATE_KEY):
            message = f"{key.name!r} describes the operations of a 'rate'"
            problem(fields.at(key), message, "add: rate: 200/s")
    if fields.has(SEED) and fields.get(ARRIVALS) is not Arrivals.POISSON:
        message = "'seed' is only for random arrivals"
        problem(fields.at(SEED), message, "add: arrivals: poisson")


def _check_ramp(scope: Scope, fields: Fields) -> None:
    """Report a ramp that is longer than its load, as far as the spec alone tells."""
    given = fields.get(RAMP), fields.get(DURATION_KEY), fields.get(WARM_UP) or 0.0
    ramp, *whole = [time for time in given if isinstance(time, float)] or [0.0]
    if len(whole) == len(given) - 1 and ramp > sum(whole):
        hint = "the ramp is part of the warm-up and the duration: shorten it, or lengthen them"
        scope.reader.problem(fields.at(RAMP), "the load ends before its ramp", hint)


def takes_time(fields: Fields) -> bool:
    """Whether the time of a virtual clock passes while the load runs."""
    pauses = (fields.get(HOLD_KEY), fields.get(THINK))
    longest = [pause[1] for pause in pauses if pause]
    return fields.has(RATE_KEY) or any(
        not isinstance(end, int | float) or end > 0 for end in longest
    )
