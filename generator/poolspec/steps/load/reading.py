"""The steps `load` and `stop`, from their fields."""

from poolspec.errors import shown
from poolspec.expectations.registry import EXPECT
from poolspec.spec.common import TIMEOUT
from poolspec.spec.fields import Fields, Word
from poolspec.spec.names import Naming
from poolspec.spec.scope import Scope
from poolspec.steps.load.combinations import check_keys, kinds_of, takes_time
from poolspec.steps.load.keys import (
    ARRIVALS,
    CLIENTS,
    DURATION_KEY,
    EACH,
    HOLD_KEY,
    LOAD,
    MIX,
    OPERATIONS,
    RAMP,
    RATE_KEY,
    REQUESTS,
    RUNNER,
    SEED,
    STATEMENTS,
    STOP,
    THINK,
    UNTIL,
    VIA,
    WARM_UP,
)
from poolspec.steps.load.model import DEFAULT_MIX, Load, Stop
from poolspec.vocabulary import Arrivals, Concurrency, Operation, Runner, Via


def read_load(scope: Scope, fields: Fields) -> Load | None:
    """Read the load that the fields describe; its label is bound."""
    word = fields.get(LOAD)
    pool = scope.pool_of(fields)
    check_keys(scope, fields)
    if word is None:
        return None
    _bind(scope, fields, word)
    operations = fields.get(OPERATIONS)
    counts = operations if isinstance(operations, tuple) else ()
    mix = () if counts or fields.has(REQUESTS) else DEFAULT_MIX
    if not fields.has(REQUESTS) and set(kinds_of(fields)) != {Operation.BORROW}:
        scope.names.at_server.append(("the load runs statements", fields.node))
    return Load(
        fields.node.line,
        word.text,
        fields.get(CLIENTS) or 1,
        total=None if isinstance(operations, tuple) else operations,
        each=fields.get(EACH),
        counts=counts,
        mix=fields.get(MIX) or mix,
        hold=fields.get(HOLD_KEY),
        timeout=fields.get(TIMEOUT),
        via=fields.get(VIA) or Via.ACQUIRE,
        runner=fields.get(RUNNER) or Runner.THREADS,
        until_stopped=fields.has(UNTIL),
        requests=fields.get(REQUESTS) or (),
        pool=pool,
        duration=fields.get(DURATION_KEY),
        rate=fields.get(RATE_KEY),
        arrivals=fields.get(ARRIVALS) or Arrivals.EVEN,
        seed=fields.get(SEED),
        ramp=fields.get(RAMP),
        warm_up=fields.get(WARM_UP) or 0,
        think=fields.get(THINK),
        statements=fields.get(STATEMENTS) or (),
    )


def _bind(scope: Scope, fields: Fields, word: Word) -> None:
    if word.text in EXPECT.by_name:
        message = f"{word.text!r} is already a key of expectations"
        scope.reader.problem(word.node, message, "choose another name for the load")
    scope.bind(word, Naming.LOAD)
    scope.note_number(CLIENTS, fields)
    if fields.get(RUNNER) is Runner.EXECUTOR:
        scope.names.bound_to.append((Concurrency.THREADS, "runner: executor", fields.at(RUNNER)))
    _note_end(scope, fields)
    if fields.has(UNTIL):
        _note_running(scope, fields, word)


def _note_running(scope: Scope, fields: Fields, word: Word) -> None:
    """Take note of a load that runs until it is stopped: in the main body."""
    scope.names.running[word.text] = word.node
    if scope.owner:
        message = "an actor cannot start a load that runs until it is stopped"
        scope.reader.problem(fields.at(UNTIL), message, "start it in the main body")


def _note_end(scope: Scope, fields: Fields) -> None:
    """Take note of a load that ends by time, which must pass on the test's clock."""
    for key, clause in (
        (UNTIL, "a load that runs until it is stopped"),
        (DURATION_KEY, "a load with a duration, but without a rate, hold or think time,"),
    ):
        if fields.has(key) and not takes_time(fields):
            scope.names.real_time.append((clause, fields.at(key)))


def read_stop(scope: Scope, fields: Fields) -> Stop | None:
    """Read the end of a load, which must run."""
    word = fields.get(STOP)
    if word is None or scope.find(word, Naming.LOAD) is None:
        return None
    if scope.names.running.pop(word.text, None) is None:
        hint = "only a load with 'until: stopped' can be stopped, and only once"
        scope.reader.problem(word.node, f"{shown(word.text)} is not running here", hint)
    return Stop(fields.node.line, word.text)
