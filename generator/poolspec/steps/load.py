"""The steps `load` and `stop`: many clients work at once."""

from collections.abc import Iterator
from dataclasses import dataclass

from poolspec.errors import shown
from poolspec.expectations.registry import EXPECT
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines
from poolspec.python.literals import by_text, literal, row, value
from poolspec.python.names import variable
from poolspec.spec.common import TIMEOUT
from poolspec.spec.fields import Fields, Word
from poolspec.spec.names import Naming
from poolspec.spec.scope import Scope
from poolspec.spec.values import OwnPool, Step, Value
from poolspec.steps.kind import NOT_REPEATED, StepKind, Trait
from poolspec.steps.load_keys import (
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
from poolspec.steps.web import note_request
from poolspec.vocabulary import Capability, Concurrency, Operation, Runner, Via

_DEFAULT_MIX = ((Operation.READ, 1),)


@dataclass(frozen=True, slots=True)
class Load(Step):
    """Many clients, each acquiring, using and releasing, until all operations are done.

    One of total, each, counts and requests is given, or the load continues until it is stopped.
    """

    label: str
    clients: Value
    total: Value | None = None
    """Operations shared out among the clients, of the kinds of `mix`."""
    each: Value | None = None
    """Operations of every client, of the kinds of `mix`."""
    counts: tuple[tuple[Operation, int], ...] = ()
    """Operations by kind, shared out among the clients."""
    mix: tuple[tuple[Operation, int], ...] = _DEFAULT_MIX
    """Shares of the kinds, for total and each."""
    hold: tuple[Value, Value] | None = None
    """The shortest and the longest time a connection is kept, in seconds."""
    timeout: Value | None = None
    via: Via = Via.ACQUIRE
    runner: Runner = Runner.THREADS
    requests: tuple[tuple[str, Value], ...] = ()
    """Requests to the web application, each with a number, shared out among the clients."""
    until_stopped: bool = False
    """It runs beside the steps that follow, until a `Stop`; without total, each, counts."""

    def binds(self) -> tuple[str, ...]:
        """Return its label."""
        return (self.label,)

    def own_pool(self) -> OwnPool:
        """Use the test's own pool, which the lab knows."""
        return OwnPool.USED


def _read_load(scope: Scope, fields: Fields) -> Load | None:
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
    mix = fields.get(MIX) or (() if by_kind else _DEFAULT_MIX)
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


def _write_load(step: Load, body: Body) -> Lines:
    call = "lab.start_load" if step.until_stopped else f"{body.awaits}lab.load"
    yield f"{body.bind(step.label)}{call}({', '.join(_arguments(step, body))})"


def _arguments(step: Load, body: Body) -> Iterator[str]:
    yield literal(step.label)
    yield f"clients={value(step.clients)}"
    if step.total is not None:
        yield f"operations={value(step.total)}"
    if step.each is not None:
        yield f"each={value(step.each)}"
    if step.requests:
        yield f"requests={by_text(step.requests)}"
    elif step.counts:
        yield f"operations={body.by_member(step.counts)}"
    elif step.mix != _DEFAULT_MIX:
        yield f"mix={body.by_member(step.mix)}"
    if step.hold is not None:
        yield f"hold={row(step.hold)}"
    if step.timeout is not None:
        yield f"timeout={value(step.timeout)}"
    if step.via is not Via.ACQUIRE:
        yield f"via={body.member(step.via)}"
    if step.runner is not Runner.THREADS:
        yield f"runner={body.member(step.runner)}"


def _say_load(step: Load) -> Sentence:
    parts = [f"{amounts.value(step.clients)} clients", *_operations(step)]
    if step.hold is not None:
        shortest, longest = (amounts.seconds(item) for item in step.hold)
        parts.append(f"each holding its connection for {shortest} to {longest}")
    if step.timeout is not None:
        parts.append(f"waiting {amounts.seconds(step.timeout)} at most")
    if step.via is Via.WITH:
        parts.append("through `with`")
    if step.runner is Runner.EXECUTOR:
        parts.append("under `concurrent.futures`")
    verb = "Start" if step.until_stopped else "Run"
    return Sentence(f"{verb} the load {code(step.label)}: {', '.join(parts)}.")


def _operations(step: Load) -> Iterator[str]:
    if step.requests:
        asked = (f"{amounts.value(count)} × {code(request)}" for request, count in step.requests)
        yield f"sending {' and '.join(asked)}"
        return
    if step.counts:
        yield " and ".join(f"{count} {kind.value} operations" for kind, count in step.counts)
        return
    if step.total is not None:
        yield f"{amounts.value(step.total)} operations in all"
    if step.until_stopped:
        yield "operations until it is stopped"
    if step.each is not None:
        yield f"{amounts.value(step.each)} operations each"
    shares = [
        f"{share} {kind.value}" if len(step.mix) > 1 else kind.value for kind, share in step.mix
    ]
    yield f"of the kind {shares[0]}" if len(shares) == 1 else f"mixed {' : '.join(shares)}"


@dataclass(frozen=True, slots=True)
class Stop(Step):
    """End a load that runs until it is stopped; every client finishes its operation."""

    label: str

    def reads(self) -> tuple[str, ...]:
        """Return the load's label."""
        return (self.label,)


def _read_stop(scope: Scope, fields: Fields) -> Stop | None:
    word = fields.get(STOP)
    if word is None or scope.find(word, Naming.LOAD) is None:
        return None
    if scope.names.running.pop(word.text, None) is None:
        hint = "only a load with 'until: stopped' can be stopped, and only once"
        scope.reader.problem(word.node, f"{shown(word.text)} is not running here", hint)
    return Stop(fields.node.line, word.text)


def _write_stop(step: Stop, body: Body) -> Lines:
    yield f"{body.awaits}lab.stop_load({variable(step.label)})"


def _say_stop(step: Stop) -> Sentence:
    return Sentence(f"Stop the load {code(step.label)}.")


KINDS = (
    StepKind(
        "load",
        (
            *(LOAD, CLIENTS, OPERATIONS, EACH, MIX, HOLD_KEY, TIMEOUT, VIA, RUNNER),
            *(UNTIL, REQUESTS),
        ),
        Load,
        _read_load,
        _write_load,
        _say_load,
        key_needs={REQUESTS.name: Capability.WEB_APP, TIMEOUT.name: Capability.CALL_TIMEOUT},
        misplaced=NOT_REPEATED,
        traits=Trait.BORROWS,
        calls=("load", "start_load"),
        arguments=(
            *("clients", "operations", "each", "mix", "hold", "timeout", "via", "runner"),
            "requests",
        ),
        enums=(Operation, Runner, Via),
    ),
    StepKind(
        "stop",
        (STOP,),
        Stop,
        _read_stop,
        _write_stop,
        _say_stop,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        calls=("stop_load",),
    ),
)
