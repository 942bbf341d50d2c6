"""The steps `fault` and `heal`.

A fault that was not made cannot be healed, and neither can a permanent one, such as a killed
connection. `fault_kinds` has a row for each kind of fault.
"""

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
from poolspec.spec.scope import Hold, Scope
from poolspec.spec.values import Step, Value
from poolspec.steps.fault_kinds import FAULTS, FaultKind, Terms
from poolspec.steps.kind import StepKind, Trait
from poolspec.vocabulary import Concurrency, Fault


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
HEAL = Key("heal", _KIND, "end a fault", "connect_refused", True)

_NEEDED: tuple[tuple[Terms, Key[Any]], ...] = (
    (Terms.VICTIM, VICTIM),
    (Terms.DURATION, FOR),
    (Terms.LIMIT, AT_MOST),
)
_TAKEN: tuple[tuple[Terms, Key[Any]], ...] = (
    *_NEEDED,
    (Terms.CALLS, TIMES),
    (Terms.CALLS, AFTER_CALLS),
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
    if kind.healed:
        scope.names.broken.add(fault)
    return Inject(
        fields.node.line,
        fault,
        _victim(scope, fields),
        fields.get(FOR),
        fields.get(TIMES),
        fields.get(AFTER_CALLS),
        fields.get(AT_MOST),
    )


def _victim(scope: Scope, fields: Fields) -> str | None:
    word = fields.get(VICTIM)
    thing = scope.find(word, Naming.LABEL) if word else None
    if word and thing and thing.hold is Hold.GONE:
        message = f"{shown(word.text)} was released in line {thing.gone_line}"
        scope.reader.problem(word.node, message, "write: fault: idle_killed")
    return word.text if word else None


def _check_terms(scope: Scope, fields: Fields, kind: FaultKind) -> None:
    for term, key in _NEEDED:
        if term in kind.terms and not fields.has(key):
            if key is VICTIM:
                scope.report_no_connection(fields.node, kind.fault, key.name)
            else:
                hint = f"add it: {key.name}: {key.example}"
                message = f"{kind.fault} needs the key {key.name!r}"
                scope.reader.problem(fields.node, message, hint)
    for term, key in _TAKEN:
        if fields.has(key) and term not in kind.terms:
            message = f"{kind.fault} takes no {key.name!r}"
            scope.reader.problem(fields.at(key), message, "leave it out")


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
    given = (
        ("seconds", step.seconds),
        ("times", step.times),
        ("after", step.after),
        ("limit", step.limit),
    )
    parts += [f"{name}={value(item)}" for name, item in given if item is not None]
    yield f"{body.awaits}lab.fault({', '.join(parts)})"


def _write_heal(step: Heal, body: Body) -> Lines:
    yield f"{body.awaits}lab.heal({body.member(step.fault)})"


def _say_fault(step: Inject) -> Sentence:
    kind = FAULTS[step.fault]
    said = kind.say(step.on, step.seconds, step.times, step.after, step.limit)
    return Sentence(f"{said}.")


def _say_heal(step: Heal) -> Sentence:
    return Sentence(FAULTS[step.fault].healed)


KINDS = (
    StepKind(
        "fault",
        (FAULT, VICTIM, FOR, TIMES, AFTER_CALLS, AT_MOST),
        Inject,
        _read_fault,
        _write_fault,
        _say_fault,
        traits=Trait.TAKES_TIME | Trait.BREAKS_CONNECTS,
        calls=("fault",),
        arguments=("on", "seconds", "times", "after", "limit"),
        enums=(Fault,),
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
