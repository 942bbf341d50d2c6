"""The steps `fault` and `heal`.

A fault that was not made cannot be healed, and neither can a permanent one, such as a killed
connection. `fault_kinds` has a row for each kind of fault.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from poolspec.errors import expected, shown
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines
from poolspec.python.literals import value
from poolspec.python.names import variable
from poolspec.spec.common import FROM
from poolspec.spec.fields import Fields, Key
from poolspec.spec.kinds import enum_kind
from poolspec.spec.names import Naming
from poolspec.spec.scope import Among, Hold, Scope
from poolspec.spec.values import Step, Value
from poolspec.steps.fault_kinds import FAULTS, FaultKind, Terms
from poolspec.steps.fault_kinds.keys import DELAY, LASTS, SERVER, TERMS, VICTIM
from poolspec.steps.kind import StepKind, Trait
from poolspec.vocabulary import Concurrency, Direction, Fault, ServerNumber


@dataclass(frozen=True, slots=True)
class Inject(Step):
    """Break something between the pool and its server."""

    fault: Fault
    on: tuple[str, ...] = ()
    """The connections that it affects; none: a fault of the line affects all."""
    seconds: Value | None = None
    """How long a call takes, for CONNECT_SLOW and the like."""
    times: Value | None = None
    """How many calls it is for; None: all, until it is healed."""
    after: Value | None = None
    """How many calls succeed first; None: none."""
    limit: Value | None = None
    """How many connections the server accepts, for SERVER_FULL."""
    server: ServerNumber | None = None
    """Which of the test's servers it affects; None: the first."""
    direction: Direction | None = None
    """The direction of the line that it affects."""
    delay: Value | None = None
    """How late the effect comes on the line."""
    jitter: Value | None = None
    rate: Value | None = None
    """Kilobytes per second."""
    size: Value | None = None
    bytes: Value | None = None
    lasts: Value | None = None
    """How long it lasts; the step ends when it is healed. None: it lasts beyond the step."""
    pool: str | None = None
    """The pool whose idle connections it kills; None: those of all."""

    def reads(self) -> tuple[str, ...]:
        """Return the labels of the connections that it affects, and of its pool."""
        return self.on if self.pool is None else (*self.on, self.pool)


@dataclass(frozen=True, slots=True)
class Heal(Step):
    """End the fault of an `Inject`."""

    fault: Fault


_KIND = enum_kind("a kind of fault", Fault)
FAULT = Key("fault", _KIND, "break something", "connect_refused", True)
OF_POOL = replace(FROM, meaning="the pool whose idle connections are killed", default="all pools")
HEAL = Key("heal", _KIND, "end a fault", "connect_refused", True)


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
    if kind.real_time or fields.has(DELAY):
        scope.names.real_time.append((fault.value, fields.at(FAULT)))
    if kind.setting:
        scope.names.of_settings.append((kind.setting, fault, fields.at(FAULT)))
    if fields.has(SERVER):
        scope.names.of_two.append(("'server'", fields.at(SERVER)))
    _note_end(scope, fields, kind)
    given = {term.argument: fields.get(term.key) for term in TERMS if term.key is not VICTIM}
    victims, pool = _victims(scope, fields, kind), _pool(scope, fields, fault)
    return Inject(fields.node.line, fault, victims, pool=pool, **given)


def _pool(scope: Scope, fields: Fields, fault: Fault) -> str | None:
    """Return the pool that a fault names; only the killing of idle connections has one."""
    word = fields.get(OF_POOL)
    if fields.has(OF_POOL) and fault is not Fault.IDLE_KILLED:
        message = f"{fault} is not about one pool"
        scope.reader.problem(fields.at(OF_POOL), message, "leave out 'from'")
    return word.text if word and scope.find(word, Naming.POOL) else None


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


def _victims(scope: Scope, fields: Fields, kind: FaultKind) -> tuple[str, ...]:
    words = fields.get(VICTIM) or ()
    for word in words:
        thing = scope.find(word, Naming.LABEL)
        if thing and thing.hold is Hold.GONE:
            message = f"{shown(word.text)} was released in line {thing.gone_line}"
            scope.reader.problem(word.node, message, "write: fault: idle_killed")
    if len(words) > 1 and Terms.VICTIM in kind.terms:
        scope.reader.problem(fields.at(VICTIM), f"{kind.fault} is about one connection")
    return tuple(word.text for word in words)


def _check_terms(scope: Scope, fields: Fields, kind: FaultKind) -> None:
    for term in TERMS:
        key = term.key
        if kind.terms & term.must and not fields.has(key):
            if key is VICTIM:
                scope.report_no_connection(fields.node, kind.fault, key.name)
            else:
                hint = f"add it: {key.name}: {key.example}"
                message = f"{kind.fault} needs the key {key.name!r}"
                scope.reader.problem(fields.node, message, hint)
        if fields.has(key) and not kind.terms & (term.must | term.may):
            takes = "is permanent" if key is LASTS else f"takes no {key.name!r}"
            scope.reader.problem(fields.at(key), f"{kind.fault} {takes}", "leave it out")


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
    if step.on:
        labels = ", ".join(variable(label) for label in step.on)
        parts.append(f"on=({labels})" if len(step.on) > 1 else f"on={labels}")
    for name, given in _given(step):
        is_word = isinstance(given, StrEnum)
        parts.append(f"{name}={body.member(given) if is_word else value(given)}")
    if step.pool is not None:
        parts.append(f"of={variable(step.pool)}")
    yield f"{body.awaits}lab.fault({', '.join(parts)})"


def _given(step: Inject) -> Iterator[tuple[str, Any]]:
    """Yield the arguments of a step, except its connections."""
    for term in TERMS:
        given = getattr(step, term.argument)
        if given is not None and term.key is not VICTIM:
            yield term.argument, given


def _write_heal(step: Heal, body: Body) -> Lines:
    yield f"{body.awaits}lab.heal({body.member(step.fault)})"


def _say_fault(step: Inject) -> Sentence:
    of = "" if step.pool is None else f", of {code(step.pool)} only"
    return Sentence(f"{FAULTS[step.fault].say(step.on, dict(_given(step)))}{of}.")


def _say_heal(step: Heal) -> Sentence:
    return Sentence(FAULTS[step.fault].healed)


KINDS = (
    StepKind(
        "fault",
        (FAULT, *(term.key for term in TERMS), OF_POOL),
        Inject,
        _read_fault,
        _write_fault,
        _say_fault,
        traits=Trait.TAKES_TIME | Trait.BREAKS_CONNECTS,
        calls=("fault",),
        arguments=("of", *(term.argument for term in TERMS)),
        enums=(Fault, ServerNumber, Direction),
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
