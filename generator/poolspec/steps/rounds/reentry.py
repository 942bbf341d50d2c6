"""The step that repeats others, with the pool re-entered at one point after another."""

from dataclasses import dataclass

from poolspec.prose import amounts
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Line, Lines, indented
from poolspec.python.literals import value
from poolspec.spec.common import FAILURE
from poolspec.spec.fields import Fields, Key
from poolspec.spec.kinds import enum_kind, some_kind
from poolspec.spec.scope import Scope
from poolspec.spec.steplist import NO_STEPS
from poolspec.spec.values import Step, Value
from poolspec.steps.kind import (
    NOT_FORKED,
    STEPS,
    StepKind,
    Trait,
    build_steps,
    function,
    say_all,
    statements,
)
from poolspec.steps.pool import Inspect
from poolspec.steps.rounds.interruption import AFTER, AT_LEAST, BEFORE
from poolspec.vocabulary import Caller, Capability, ErrorKind


@dataclass(frozen=True, slots=True)
class Reenter(Step):
    """Repeat steps; foreign code re-enters the pool with others, at the next point each time."""

    body: tuple[Step, ...]
    """Done once each time, in the thread that is inside a method of the pool."""
    during: tuple[Step, ...]
    by: Caller
    before: tuple[Step, ...] = ()
    after: tuple[Step, ...] = ()
    at_least: Value = 1
    may_fail: tuple[ErrorKind, ...] = ()
    """The ways in which the steps of `during` may fail because of the others."""

    def apart(self) -> tuple[Step, ...]:
        """Return all steps of a round."""
        return (*self.before, *self.body, *self.during, *self.after)


REENTER = Key("reenter", STEPS, "steps that call the pool inside another call", "[close]", True)
DURING = Key(
    "during", STEPS, "steps during which the pool is called", "[acquire: x, release: x]", True
)
BY_CALLER = Key(
    "by",
    enum_kind("code that calls the pool", Caller),
    "the code that runs the steps of `reenter`",
    "signal",
    True,
)
MAY_FAIL = Key(
    "may_fail",
    some_kind("a kind of error or a list of them", FAILURE),
    "how the steps of `during` may fail after the call",
    "closed",
    default="not at all",
)


def _read_reenter(scope: Scope, fields: Fields) -> Reenter | None:
    """Read the steps of a round: each has a new pool, and none of the main body's labels."""
    scope.names.own_pool.append(fields.node)
    if scope.owner:
        message = "an actor cannot take the step reenter"
        scope.reader.problem(fields.at(REENTER), message, "do it in the main body")
        return None
    inside = scope.of_round()
    before = build_steps(inside, fields.get(BEFORE) or NO_STEPS)
    for key in (REENTER, DURING):
        steps = fields.get(key)
        if steps is not None and not steps.steps:
            scope.reader.problem(fields.at(key), f"{key.name!r} has no steps", "add a step")
    body = build_steps(inside.of_interrupted(), fields.get(REENTER) or NO_STEPS)
    during = build_steps(inside.of_interrupted(), fields.get(DURING) or NO_STEPS)
    after = build_steps(inside, fields.get(AFTER) or NO_STEPS)
    scope.names.broken.clear()  # faults are healed after each time
    by = fields.get(BY_CALLER)
    if by is None:
        return None
    scope.names.imply(_CALLERS[by][1], f"'by: {by}'", fields.at(BY_CALLER))
    at_least, may_fail = fields.get(AT_LEAST) or 1, fields.get(MAY_FAIL) or ()
    return Reenter(fields.node.line, body, during, by, before, after, at_least, may_fail)


def _write_reenter(step: Reenter, body: Body) -> Lines:
    """Yield a function for each round, with one inside it that re-enters the pool."""
    name, inner = body.helper("attempted"), body.helper("reentered")
    changes_nothing = all(isinstance(one, Inspect) for one in step.body)
    into = f"{inner}, everywhere=True" if changes_nothing else inner
    lines = [
        *statements(step.before, body),
        Line(f"{body.async_}def {inner}() -> None:", None),
        *indented(statements(step.body, body)),
        Line(f"{body.async_}with point.into({into}):", body.numbers[id(step)]),
        *indented(statements(step.during, body)),
        *statements(step.after, body),
    ]
    yield from function(f"{body.async_}def {name}(point: {body.variant('ReentryPoint')})", lines)
    arguments = [name, f"by={body.member(step.by)}"]
    if step.at_least != 1:
        arguments.append(f"at_least={value(step.at_least)}")
    if step.may_fail:
        arguments.append(f"may_fail=[{body.members(step.may_fail)}]")
    yield f"{body.awaits}lab.reenter({', '.join(arguments)})"


_CALLERS = {
    Caller.SIGNAL: ("a signal handler", Capability.SIGNAL_SAFETY),
    Caller.COLLECTOR: ("a finalizer that the garbage collector runs", None),
    Caller.LISTENER: ("a listener", Capability.EVENTS),
    Caller.LOG_HANDLER: ("a handler of the pool's log", Capability.LOGS),
    Caller.HOOK: ("a hook", Capability.HOOKS),
}


def _say_reenter(step: Reenter) -> Sentence:
    points = "" if step.at_least == 1 else f" (at least {amounts.value(step.at_least)})"
    kinds = amounts.labels(kind.value for kind in step.may_fail)
    failing = f", which may make them fail with {kinds}" if kinds else ""
    during = Sentence("These steps:", say_all(step.during))
    head = f"{_CALLERS[step.by][0]} calls the pool inside them{failing}:"
    inside = Sentence(head[0].upper() + head[1:], say_all(step.body))
    whole = f"For each point{points}, with a new pool, which must not block and must lose nothing:"
    return Sentence(whole, (*say_all(step.before), during, inside, *say_all(step.after)))


KINDS = (
    StepKind(
        "reenter",
        (REENTER, DURING, BY_CALLER, BEFORE, AFTER, AT_LEAST, MAY_FAIL),
        Reenter,
        _read_reenter,
        _write_reenter,
        _say_reenter,
        misplaced=NOT_FORKED,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        expects=(REENTER,),
        calls=("reenter", "into"),
        arguments=("by", "at_least", "may_fail", "point", "everywhere"),
        enums=(Caller, ErrorKind),
        imports=("ReentryPoint", "AsyncReentryPoint"),
    ),
)
