"""The step `load` as fields → model."""

from poolspec.errors import shown
from poolspec.language import grammar_loads as g
from poolspec.language.grammar_common import TIMEOUT
from poolspec.language.grammar_expect import EXPECT
from poolspec.language.grammar_web import REQUESTS
from poolspec.language.web import check_requests
from poolspec.model import Load, Stop
from poolspec.spec.fields import Fields, Word
from poolspec.spec.names import Naming
from poolspec.spec.scope import Scope
from poolspec.vocabulary import Concurrency, Operation, Runner, Via


def build_load(scope: Scope, fields: Fields) -> Load | None:
    """The load that the fields describe; its label is bound."""
    word = fields.get(g.LOAD)
    scope.names.own_pool.append(fields.node)
    if fields.has(REQUESTS):
        check_requests(scope, fields)
    else:
        _check_amount(scope, fields)
    if word is None:
        return None
    if word.text in EXPECT.by_name:
        scope.reader.problem(
            word.node,
            f"{word.text!r} is a key of expectations already",
            "choose another name for the load",
        )
    scope.bind(word, Naming.LOAD)
    if fields.get(g.RUNNER) is Runner.EXECUTOR:
        scope.names.bound_to.append((Concurrency.THREADS, "runner: executor", fields.at(g.RUNNER)))
    if fields.has(g.UNTIL):
        _note_going_on(scope, fields, word)
    operations = fields.get(g.OPERATIONS)
    by_kind = isinstance(operations, tuple) or fields.has(REQUESTS)
    mix = fields.get(g.MIX) or (() if by_kind else ((Operation.READ, 1),))
    counts = operations if isinstance(operations, tuple) else ()
    if any(kind is not Operation.BORROW for kind, _ in (*mix, *counts)):
        scope.names.at_server.append(("the load runs statements", fields.node))
    return Load(
        fields.node.line,
        word.text,
        fields.get(g.CLIENTS) or 1,
        total=None if isinstance(operations, tuple) else operations,
        each=fields.get(g.EACH),
        counts=counts,
        mix=mix,
        hold=fields.get(g.HOLD_KEY),
        timeout=fields.get(TIMEOUT),
        via=fields.get(g.VIA) or Via.ACQUIRE,
        runner=fields.get(g.RUNNER) or Runner.THREADS,
        until_stopped=fields.has(g.UNTIL),
        requests=fields.get(REQUESTS) or (),
    )


def build_stop(scope: Scope, fields: Fields) -> Stop | None:
    """A load that goes on ends."""
    word = fields.get(g.STOP)
    if word is None or scope.find(word, Naming.LOAD) is None:
        return None
    if scope.names.running.pop(word.text, None) is None:
        hint = "only a load with 'until: stopped' is, and once"
        scope.reader.problem(word.node, f"{shown(word.text)} does not go on here", hint)
    return Stop(fields.node.line, word.text)


def _note_going_on(scope: Scope, fields: Fields, word: Word) -> None:
    """A load that goes on is the main body's, is stopped later, and takes real time."""
    problem = scope.reader.problem
    scope.names.running[word.text] = word.node
    clause = "a load that goes on until it is stopped"
    scope.names.real_time.append((clause, fields.at(g.UNTIL)))
    if scope.owner:
        problem(fields.at(g.UNTIL), f"an actor cannot start {clause}", "start it in the main body")
    for other in (g.OPERATIONS, g.EACH, g.RUNNER):
        if fields.has(other):
            message = f"'until' and {other.name!r} exclude each other"
            problem(fields.at(other), message, "keep one of them")


def _check_amount(scope: Scope, fields: Fields) -> None:
    """There is one way to say how much is done, and `mix` and `timeout` must make sense."""
    problem = scope.reader.problem
    if fields.has(g.OPERATIONS) and fields.has(g.EACH):
        problem(fields.at(g.EACH), "'operations' and 'each' exclude each other", "keep one of them")
    if not any(fields.has(key) for key in (g.OPERATIONS, g.EACH, g.UNTIL)):
        hint = "add operations: 100 (shared out), each: 50 (for every client) or until: stopped"
        problem(fields.node, "a load needs 'operations', 'each' or 'requests'", hint)
    operations = fields.get(g.OPERATIONS)
    if fields.has(g.MIX) and isinstance(operations, tuple):
        problem(fields.at(g.MIX), "'operations' already says how many of each kind", "leave it out")
    if fields.has(TIMEOUT) and fields.get(g.VIA) is Via.WITH:
        problem(fields.at(TIMEOUT), "'with' takes no timeout", "write via: acquire")
