"""The steps `load` and `stop`, from their fields."""

from poolspec.errors import shown
from poolspec.expectations.registry import EXPECT
from poolspec.spec.common import TIMEOUT
from poolspec.spec.fields import Fields, Word
from poolspec.spec.names import Naming
from poolspec.spec.scope import Scope
from poolspec.steps.load.keys import (
    CLIENTS,
    EACH,
    HOLD_KEY,
    LOAD,
    MIX,
    OPERATIONS,
    REQUESTS,
    RUNNER,
    STOP,
    UNTIL,
    VIA,
)
from poolspec.steps.load.model import DEFAULT_MIX, Load, Stop
from poolspec.steps.web import note_request
from poolspec.vocabulary import Concurrency, Operation, Runner, Via


def read_load(scope: Scope, fields: Fields) -> Load | None:
    """Read the load that the fields describe; its label is bound."""
    word = fields.get(LOAD)
    scope.names.own_pool.append(fields.node)
    if fields.has(REQUESTS):
        _check_requests(scope, fields)
    else:
        _check_amount(scope, fields)
    if word is None:
        return None
    _bind(scope, fields, word)
    operations = fields.get(OPERATIONS)
    by_kind = isinstance(operations, tuple) or fields.has(REQUESTS)
    mix = fields.get(MIX) or (() if by_kind else DEFAULT_MIX)
    counts = operations if isinstance(operations, tuple) else ()
    if any(kind is not Operation.BORROW for kind, _ in (*mix, *counts)):
        scope.names.at_server.append(("the load runs statements", fields.node))
    return Load(
        fields.node.line,
        word.text,
        fields.get(CLIENTS) or 1,
        total=None if isinstance(operations, tuple) else operations,
        each=fields.get(EACH),
        counts=counts,
        mix=mix,
        hold=fields.get(HOLD_KEY),
        timeout=fields.get(TIMEOUT),
        via=fields.get(VIA) or Via.ACQUIRE,
        runner=fields.get(RUNNER) or Runner.THREADS,
        until_stopped=fields.has(UNTIL),
        requests=fields.get(REQUESTS) or (),
    )


def _bind(scope: Scope, fields: Fields, word: Word) -> None:
    if word.text in EXPECT.by_name:
        message = f"{word.text!r} is a key of expectations already"
        scope.reader.problem(word.node, message, "choose another name for the load")
    scope.bind(word, Naming.LOAD)
    scope.note_number(CLIENTS, fields)
    if fields.get(RUNNER) is Runner.EXECUTOR:
        scope.names.bound_to.append((Concurrency.THREADS, "runner: executor", fields.at(RUNNER)))
    if fields.has(UNTIL):
        _note_running(scope, fields, word)


def _note_running(scope: Scope, fields: Fields, word: Word) -> None:
    """Take note of a load that runs until it is stopped: in the main body, and in real time."""
    problem = scope.reader.problem
    scope.names.running[word.text] = word.node
    clause = "a load that runs until it is stopped"
    scope.names.real_time.append((clause, fields.at(UNTIL)))
    if scope.owner:
        problem(fields.at(UNTIL), f"an actor cannot start {clause}", "start it in the main body")
    for other in (OPERATIONS, EACH, RUNNER):
        if fields.has(other):
            message = f"'until' and {other.name!r} are mutually exclusive"
            problem(fields.at(other), message, "keep one of them")


def _check_amount(scope: Scope, fields: Fields) -> None:
    """Check that one key says how much is done, and that `mix` and `timeout` make sense."""
    problem = scope.reader.problem
    if fields.has(OPERATIONS) and fields.has(EACH):
        problem(
            fields.at(EACH), "'operations' and 'each' are mutually exclusive", "keep one of them"
        )
    if not any(fields.has(key) for key in (OPERATIONS, EACH, UNTIL)):
        hint = "add operations: 100 (in total), each: 50 (for each client) or until: stopped"
        problem(fields.node, "a load needs 'operations', 'each' or 'requests'", hint)
    operations = fields.get(OPERATIONS)
    if fields.has(MIX) and isinstance(operations, tuple):
        problem(
            fields.at(MIX), "'operations' already gives the number of each kind", "leave it out"
        )
    if fields.has(TIMEOUT) and fields.get(VIA) is Via.WITH:
        problem(fields.at(TIMEOUT), "'with' takes no timeout", "write via: acquire")


def _check_requests(scope: Scope, fields: Fields) -> None:
    """Check that a load of requests has no key about borrowing."""
    note_request(scope, fields)
    for key in (OPERATIONS, EACH, UNTIL, MIX, HOLD_KEY, TIMEOUT, VIA, RUNNER):
        if fields.has(key):
            message = f"'requests' and {key.name!r} are mutually exclusive"
            scope.reader.problem(fields.at(key), message, "keep one of them")


def read_stop(scope: Scope, fields: Fields) -> Stop | None:
    """Read the end of a load, which must run."""
    word = fields.get(STOP)
    if word is None or scope.find(word, Naming.LOAD) is None:
        return None
    if scope.names.running.pop(word.text, None) is None:
        hint = "only a load with 'until: stopped' can be stopped, and only once"
        scope.reader.problem(word.node, f"{shown(word.text)} is not running here", hint)
    return Stop(fields.node.line, word.text)
