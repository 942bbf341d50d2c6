"""The steps `fault` and `heal`.

A fault that was not made cannot be healed, and neither can a permanent one, such as a killed
connection. `fault_kinds` has a row for each kind of fault.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from poolspec.errors import expected, shown
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines
from poolspec.python.literals import value
from poolspec.python.names import variable
from poolspec.spec.common import NAME, SECONDS
from poolspec.spec.fields import Fields, Key
from poolspec.spec.kinds import enum_kind, value_kind
from poolspec.spec.names import Naming
from poolspec.spec.quantities import NUMBER_OF, SIZE
from poolspec.spec.scope import Among, Hold, Scope
from poolspec.spec.values import Step, Value
from poolspec.steps.fault_kinds import FAULTS
from poolspec.steps.fault_terms import FaultKind, Terms
from poolspec.steps.kind import StepKind, Trait
from poolspec.vocabulary import Concurrency, Fault, ServerNumber


@dataclass(frozen=True, slots=True)
class Inject(Step):
    """Break something between the pool and its server."""

    fault: Fault
    on: str | None = None
    """The connection that is ended, for CONNECTION_KILLED."""
    seconds: Value | None = None
    """How long a call takes, for CONNECT_SLOW and the like."""
    times: Value | None = None
    """How many calls it is for; None: all, until it is healed."""
    after: Value | None = None
    """How many calls succeed first; None: none."""
    limit: Value | None = None
    """How many connections the server accepts, for SERVER_FULL."""
    server: ServerNumber | None = None
    """Which of the test's servers it is about; None: the first."""
    lasts: Value | None = None
    """How long it lasts; the step ends when it is healed. None: it lasts beyond the step."""

    def reads(self) -> tuple[str, ...]:
        """Return the label of the connection that is ended."""
        return () if self.on is None else (self.on,)


@dataclass(frozen=True, slots=True)
class Heal(Step):
    """End the fault of an `Inject`."""

    fault: Fault


_KIND = enum_kind("a kind of fault", Fault)
FAULT = Key("fault", _KIND, "break something", "connect_refused", True)
VICTIM = Key("on", NAME, "the connection that is killed", "a", default="see below")
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
    "which of the test's servers it is about; needs `servers: 2`",
    "second",
    default="the first; for `name_moved`, none",
)
LASTS = Key(
    "lasts",
    SECONDS,
    "time after which the step heals it",
    "30s",
    default="it lasts until it is healed",
)
HEAL = Key("heal", _KIND, "end a fault", "connect_refused", True)


@dataclass(frozen=True, slots=True)
class _Term:
    """A key that describes a fault, and the argument of the lab that it becomes."""

    term: Terms
    key: Key[Any]
    argument: str
    """Also the name of the field of `Inject`."""
    needed: bool = False
    """Whether a fault with this term must say it."""


_TERMS = (
    _Term(Terms.VICTIM, VICTIM, "on", needed=True),
    _Term(Terms.DURATION, FOR, "seconds", needed=True),
    _Term(Terms.CALLS, TIMES, "times"),
    _Term(Terms.CALLS, AFTER_CALLS, "after"),
    _Term(Terms.LIMIT, AT_MOST, "limit", needed=True),
    _Term(Terms.SERVER, SERVER, "server"),
    _Term(Terms.TIME, LASTS, "lasts"),
)


def _read_fault(scope: Scope, fields: Fields) -> Inject | None:
    """Read a fault, made from now on or once."""
    fault = fields.get(FAULT)
    if fault is None:
        return None
    kind = FAULTS[fault]
    scope.names.imply(kind.needs, f"'fault: {fault}'", fields.node)
    _check_terms(scope, fields, kind)
    if kind.threads_only:
        scope.names.bound_to.append((Concurrency.THREADS, fault, fields.at(FAULT)))
    if kind.of_server:
        scope.names.at_server.append((f"{fault} needs a server", fields.at(FAULT)))
    if kind.scripted:
        scope.names.scripted_only.append((f"{fault} needs scripted connections", fields.at(FAULT)))
    if kind.real_time:
        scope.names.real_time.append((fault.value, fields.at(FAULT)))
    if kind.setting:
        scope.names.of_settings.append((kind.setting, fault, fields.at(FAULT)))
    if fields.has(SERVER):
        scope.names.of_two.append(("'server'", fields.at(SERVER)))
    _note_end(scope, fields, kind)
    given = {term.argument: fields.get(term.key) for term in _TERMS if term.key is not VICTIM}
    return Inject(fields.node.line, fault, _victim(scope, fields), **given)


def _note_end(scope: Scope, fields: Fields, kind: FaultKind) -> None:
    """Take note of a fault that has to be healed, or of the time until the step heals it."""
    if lasts := fields.get(LASTS):
        scope.names.waits.append((lasts, fields.at(LASTS)))
        scope.names.broken.discard(kind.fault)
        if scope.among in (Among.ROUND, Among.INTERRUPTED):
            words = "the time that a fault lasts in each round"
            scope.names.unreal.append((words, fields.node))
    elif kind.healed:
        scope.names.broken.add(kind.fault)


def _victim(scope: Scope, fields: Fields) -> str | None:
    word = fields.get(VICTIM)
    thing = scope.find(word, Naming.LABEL) if word else None
    if word and thing and thing.hold is Hold.GONE:
        message = f"{shown(word.text)} was released in line {thing.gone_line}"
        scope.reader.problem(word.node, message, "write: fault: idle_killed")
    return word.text if word else None


def _check_terms(scope: Scope, fields: Fields, kind: FaultKind) -> None:
    for term in _TERMS:
        key = term.key
        if term.needed and term.term in kind.terms and not fields.has(key):
            if key is VICTIM:
                scope.report_no_connection(fields.node, kind.fault, key.name)
            else:
                hint = f"add it: {key.name}: {key.example}"
                message = f"{kind.fault} needs the key {key.name!r}"
                scope.reader.problem(fields.node, message, hint)
        if fields.has(key) and term.term not in kind.terms:
            permanent = key is LASTS
            message = (
                f"{kind.fault} is permanent" if permanent else f"{kind.fault} takes no {key.name!r}"
            )
            scope.reader.problem(fields.at(key), message, f"leave {key.name!r} out")


def _read_heal(scope: Scope, fields: Fields) -> Heal | None:
    """Read the end of a fault that was made before."""
    fault = fields.get(HEAL)
    if fault is None:
        return None
    if not FAULTS[fault].healed:
        lasting = tuple(kind.fault for kind in FAULTS.values() if kind.healed)
        message = f"{fault} cannot be healed: it is permanent"
        scope.reader.problem(fields.at(HEAL), message, expected(lasting))
    elif fault not in scope.names.broken and not scope.names.incomplete:
        message = f"there is no {fault} to heal"
        scope.reader.problem(fields.at(HEAL), message, f"break it first: fault: {fault}")
    scope.names.broken.discard(fault)
    return Heal(fields.node.line, fault)


def _write_fault(step: Inject, body: Body) -> Lines:
    parts = [body.member(step.fault)]
    if step.on is not None:
        parts.append(f"on={variable(step.on)}")
    if step.server is not None:
        parts.append(f"server={body.member(step.server)}")
    parts += [f"{name}={value(item)}" for name, item in _given(step)]
    yield f"{body.awaits}lab.fault({', '.join(parts)})"


def _given(step: Inject) -> Iterator[tuple[str, Value]]:
    """Yield the arguments of a step that are numbers."""
    for term in _TERMS:
        given = getattr(step, term.argument)
        if given is not None and term.key not in (VICTIM, SERVER):
            yield term.argument, given


def _write_heal(step: Heal, body: Body) -> Lines:
    yield f"{body.awaits}lab.heal({body.member(step.fault)})"


def _say_fault(step: Inject) -> Sentence:
    return Sentence(f"{FAULTS[step.fault].say(step.on, step.server, dict(_given(step)))}.")


def _say_heal(step: Heal) -> Sentence:
    return Sentence(FAULTS[step.fault].healed)


KINDS = (
    StepKind(
        "fault",
        (FAULT, *(term.key for term in _TERMS)),
        Inject,
        _read_fault,
        _write_fault,
        _say_fault,
        traits=Trait.TAKES_TIME | Trait.BREAKS_CONNECTS,
        calls=("fault",),
        arguments=tuple(term.argument for term in _TERMS),
        enums=(Fault, ServerNumber),
    ),
    StepKind(
        "heal",
        (HEAL,),
        Heal,
        _read_heal,
        _write_heal,
        _say_heal,
        calls=("heal",),
        enums=(Fault,),
    ),
)
