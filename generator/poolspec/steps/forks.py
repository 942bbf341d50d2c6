"""The step `fork`: a child process of the test."""

from dataclasses import dataclass

from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines
from poolspec.spec.fields import Fields, Key
from poolspec.spec.scope import Scope
from poolspec.spec.values import Step
from poolspec.steps.kind import (
    NOT_REPEATED,
    STEPS,
    StepKind,
    Trait,
    build_steps,
    function,
    say_all,
    statements,
)
from poolspec.vocabulary import Capability, Concurrency


@dataclass(frozen=True, slots=True)
class Fork(Step):
    """Do steps in a forked child process; a failure there fails the test."""

    body: tuple[Step, ...]

    def apart(self) -> tuple[Step, ...]:
        """Return the child's steps."""
        return self.body


FORK = Key("fork", STEPS, "the steps of a forked child process", "[acquire: x, release: x]", True)


def _read_fork(scope: Scope, fields: Fields) -> Fork | None:
    """Read the child's steps, which change copies of the parent's labels."""
    steps = fields.get(FORK)
    scope.names.bound_to.append((Concurrency.THREADS, "fork", fields.at(FORK)))
    if scope.owner:
        message = "an actor cannot fork"
        scope.reader.problem(fields.at(FORK), message, "fork in the main body")
        return None
    return Fork(fields.node.line, build_steps(scope.of_child(), steps)) if steps else None


def _write_fork(step: Fork, body: Body) -> Lines:
    name = body.helper("forked")
    yield from function(f"{body.async_}def {name}()", statements(step.body, body))
    yield f"lab.fork({name})"


def _say_fork(step: Fork) -> Sentence:
    return Sentence("In a forked child process:", say_all(step.body))


KINDS = (
    StepKind(
        "fork",
        (FORK,),
        Fork,
        _read_fork,
        _write_fork,
        _say_fork,
        needs=Capability.FORK_SAFETY,
        misplaced=NOT_REPEATED,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        calls=("fork",),
    ),
)
