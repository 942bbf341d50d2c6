"""The step that repeats others, and checks that the memory of the pool does not grow."""

from dataclasses import dataclass

from poolspec.prose import amounts
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines
from poolspec.python.literals import value
from poolspec.spec.fields import Fields, Key
from poolspec.spec.kinds import value_kind
from poolspec.spec.quantities import Quantity
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

ROUNDS_OF_MEMORY = Quantity("a whole number from 6", "10", whole=True, low=6, high=1_000)
"""The trend needs five rounds, after one in which the pool grows to its size."""
DEFAULT_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class CheckMemory(Step):
    """Repeat steps in rounds, after which the pool must not use more and more memory."""

    body: tuple[Step, ...]
    rounds: Value = DEFAULT_ROUNDS

    def apart(self) -> tuple[Step, ...]:
        """Return the steps of a round."""
        return self.body


CHECK_MEMORY = Key(
    "check_memory", STEPS, "the steps of each round", "[acquire: x, release: x]", True
)
ROUNDS = Key(
    "rounds",
    value_kind(ROUNDS_OF_MEMORY),
    "number of rounds",
    "10",
    default=str(DEFAULT_ROUNDS),
)


def _read(scope: Scope, fields: Fields) -> CheckMemory | None:
    """Read the steps of a round, which see none of the main body's labels."""
    scope.names.own_pool.append(fields.node)
    steps = fields.get(CHECK_MEMORY)
    if scope.owner:
        message = "an actor cannot take the step check_memory"
        scope.reader.problem(fields.at(CHECK_MEMORY), message, "do it in the main body")
        return None
    if steps is not None and not steps.steps:
        message = "'check_memory' has no steps"
        scope.reader.problem(fields.at(CHECK_MEMORY), message, "add a step")
    body = build_steps(scope.of_round(), steps or NO_STEPS)
    return CheckMemory(fields.node.line, body, fields.get(ROUNDS) or DEFAULT_ROUNDS)


def _write(step: CheckMemory, body: Body) -> Lines:
    """Yield a function that does one round."""
    name = body.helper("one_round")
    yield from function(f"{body.async_}def {name}()", [*statements(step.body, body)])
    yield f"{body.awaits}lab.check_memory({name}, rounds={value(step.rounds)})"


def _say(step: CheckMemory) -> Sentence:
    head = (
        f"In each of {amounts.value(step.rounds)} rounds, the last five of which must not all "
        "leave the pool and its driver with more memory:"
    )
    return Sentence(head, say_all(step.body))


KINDS = (
    StepKind(
        "check_memory",
        (CHECK_MEMORY, ROUNDS),
        CheckMemory,
        _read,
        _write,
        _say,
        misplaced=NOT_FORKED,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        expects=(CHECK_MEMORY,),
        calls=("check_memory",),
        arguments=("rounds",),
    ),
)
