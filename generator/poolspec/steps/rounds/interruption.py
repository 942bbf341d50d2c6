"""The step that repeats others, interrupted at one point after another."""

from collections.abc import Iterator
from dataclasses import dataclass

from poolspec.prose import amounts
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Line, Lines, indented
from poolspec.python.literals import value
from poolspec.spec.common import FLAG
from poolspec.spec.fields import Fields, Key
from poolspec.spec.kinds import enum_kind, value_kind
from poolspec.spec.quantities import NUMBER_OF
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
from poolspec.vocabulary import Concurrency, Interruption


@dataclass(frozen=True, slots=True)
class InterruptEverywhere(Step):
    """Repeat steps, interrupted at the next point each time, until they run to their end."""

    body: tuple[Step, ...]
    before: tuple[Step, ...] = ()
    """Done before them each time, and not interrupted."""
    after: tuple[Step, ...] = ()
    """Done after them each time, and not interrupted."""
    by: Interruption = Interruption.INTERRUPT
    at_least: Value = 1
    """The fewest points that there must be."""
    may_recover: bool = False
    """The pool may recover from a timeout: the call that times out may succeed."""

    def apart(self) -> tuple[Step, ...]:
        """Return all steps of a round."""
        return (*self.before, *self.body, *self.after)


INTERRUPT_EVERYWHERE = Key(
    "interrupt_everywhere",
    STEPS,
    "the steps to interrupt, at one interruption point per round",
    "[acquire: x, release: x]",
    True,
)
BEFORE = Key(
    "before", STEPS, "steps at the beginning of each round", "[acquire: a]", default="no steps"
)
AFTER = Key("after", STEPS, "steps at the end of each round", "[advance: 1s]", default="no steps")
BY = Key(
    "by",
    enum_kind("a way to interrupt", Interruption),
    "how the steps are interrupted",
    "timeout",
    default="interrupt",
)
AT_LEAST = Key(
    "at_least", value_kind(NUMBER_OF), "minimum number of interruption points", "3", default="1"
)
MAY_RECOVER = Key(
    "may_recover", FLAG, "whether the pool may recover from a timeout", "true", default="false"
)


def _read(scope: Scope, fields: Fields) -> InterruptEverywhere | None:
    """Read the steps of a round: each has a new pool, and none of the main body's labels."""
    scope.names.own_pool.append(fields.node)
    if scope.owner:
        message = "an actor cannot take the step interrupt_everywhere"
        scope.reader.problem(fields.at(INTERRUPT_EVERYWHERE), message, "do it in the main body")
        return None
    inside = scope.of_round()
    before = build_steps(inside, fields.get(BEFORE) or NO_STEPS)
    steps = fields.get(INTERRUPT_EVERYWHERE)
    if steps is not None and not steps.steps:
        message = "there is nothing to interrupt"
        scope.reader.problem(fields.at(INTERRUPT_EVERYWHERE), message, "add a step")
    body = build_steps(inside.of_interrupted(), steps or NO_STEPS)
    after = build_steps(inside, fields.get(AFTER) or NO_STEPS)
    scope.names.broken.clear()  # faults are healed after each time
    by = fields.get(BY) or Interruption.INTERRUPT
    if fields.has(MAY_RECOVER) and by is not Interruption.TIMEOUT:
        message = "a pool can recover only from a timeout"
        scope.reader.problem(fields.at(MAY_RECOVER), message, "leave it out, or write by: timeout")
    at_least, may_recover = fields.get(AT_LEAST) or 1, fields.get(MAY_RECOVER) or False
    return InterruptEverywhere(fields.node.line, body, before, after, by, at_least, may_recover)


def _write(step: InterruptEverywhere, body: Body) -> Lines:
    """Yield a function for each round; the interrupted steps stand in its `with point`."""
    name = body.helper("interrupted")
    lines = [
        *statements(step.before, body),
        Line(f"{body.async_}with point:", body.numbers[id(step)]),
        *indented(statements(step.body, body)),
        *statements(step.after, body),
    ]
    yield from function(f"{body.async_}def {name}(point: {body.variant('Point')})", lines)
    arguments = ", ".join([name, *_arguments(step, body)])
    yield f"{body.awaits}lab.interrupt_everywhere({arguments})"


def _arguments(step: InterruptEverywhere, body: Body) -> Iterator[str]:
    if step.by is not Interruption.INTERRUPT:
        yield f"by={body.member(step.by)}"
    if step.at_least != 1:
        yield f"at_least={value(step.at_least)}"
    if step.may_recover and body.concurrency is Concurrency.THREADS:
        yield "may_recover=True"  # a deadline around a task is raised in any case


_INTERRUPTIONS = {
    Interruption.INTERRUPT: "an interrupt (in asyncio: a cancellation)",
    Interruption.TIMEOUT: "a timeout",
}


def _say(step: InterruptEverywhere) -> Sentence:
    points = "" if step.at_least == 1 else f" (at least {amounts.value(step.at_least)})"
    good = ", from which the pool may recover" if step.may_recover else ""
    body = say_all(step.body)
    interrupted = Sentence(f"interrupted at this point by {_INTERRUPTIONS[step.by]}{good}:", body)
    head = f"For each interruption point{points}, with a new pool, which must lose nothing:"
    return Sentence(head, (*say_all(step.before), interrupted, *say_all(step.after)))


KINDS = (
    StepKind(
        "interrupt_everywhere",
        (INTERRUPT_EVERYWHERE, BEFORE, AFTER, BY, AT_LEAST, MAY_RECOVER),
        InterruptEverywhere,
        _read,
        _write,
        _say,
        misplaced=NOT_FORKED,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        expects=(INTERRUPT_EVERYWHERE,),
        calls=("interrupt_everywhere",),
        arguments=("by", "at_least", "may_recover", "point"),
        enums=(Interruption,),
        imports=("Point", "AsyncPoint"),
    ),
)
