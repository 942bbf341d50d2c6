"""Steps about the actors of a test: start, join, cancel."""

from dataclasses import dataclass

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Line, Lines, rebound
from poolspec.python.literals import literal, value
from poolspec.python.names import variable
from poolspec.spec.common import FAILURE, NAME, SOME_NAMES
from poolspec.spec.fields import Fields, Key, Kind, Place, Reader, Word
from poolspec.spec.kinds import fields_kind, map_kind, value_kind
from poolspec.spec.names import Naming
from poolspec.spec.quantities import ACTORS, NUMBER_OF
from poolspec.spec.scope import Scope
from poolspec.spec.steplist import StepList
from poolspec.spec.tree import Node, Sequence
from poolspec.spec.values import Step, Value
from poolspec.steps.demands import texts
from poolspec.steps.kind import (
    STEPS,
    StepKind,
    Trait,
    build_steps,
    function,
    say_all,
    statements,
)
from poolspec.vocabulary import Concurrency, ErrorKind
from poolspec.vocabulary.rules import ERRORS

# --- start ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Actor:
    """A thread or task of the test, or `count` of them doing the same, `repeat` times each."""

    name: str
    steps: tuple[Step, ...]
    count: Value = 1
    repeat: Value = 1
    line: int = 0


@dataclass(frozen=True, slots=True)
class Start(Step):
    """Start actors; all of one step leave the barrier at the same moment."""

    actors: tuple[Actor, ...]

    def apart(self) -> tuple[Step, ...]:
        """Return the steps of all its actors."""
        return tuple(step for actor in self.actors for step in actor.steps)


COUNT_KEY = Key(
    "count",
    value_kind(ACTORS),
    "number of threads or tasks that run these steps",
    "50",
    default="1",
)
REPEAT = Key("repeat", value_kind(NUMBER_OF), "number of times each runs them", "20", default="1")
BODY = Key("steps", STEPS, "the steps of the actor", "[acquire: x, release: x]", True)
ACTOR = Place("an actor", (BODY, COUNT_KEY, REPEAT))


def _read_actor(reader: Reader, node: Node) -> Fields | StepList:
    if isinstance(node, Sequence):
        return STEPS.read(reader, node)
    return fields_kind(ACTOR).read(reader, node)


ACTOR_KIND: Kind[Fields | StepList] = Kind(
    "a list of steps or an actor", _read_actor, {"anyOf": [STEPS.schema, fields_kind(ACTOR).schema]}
)
START = Key(
    "start",
    map_kind("actors by name", NAME, ACTOR_KIND),
    "start actors at the same moment, each a thread or a task",
    "{first: [acquire: x, release: x]}",
    True,
)


def _read_start(scope: Scope, fields: Fields) -> Start | None:
    actors = fields.get(START) or ()
    if scope.owner:
        message = "an actor cannot start actors"
        scope.reader.problem(fields.at(START), message, "start them in the main body")
        return None
    for word, _ in actors:
        scope.bind(word, Naming.ACTOR)
    made = tuple(_build_actor(scope.of_actor(word.text), word, given) for word, given in actors)
    return Start(fields.node.line, made)


def _build_actor(scope: Scope, word: Word, given: Fields | StepList) -> Actor:
    line = word.node.line
    if isinstance(given, StepList):
        return Actor(word.text, build_steps(scope, given), line=line)
    if not given.sound:
        scope.names.incomplete = True
    steps = given.get(BODY)
    scope.note_number(COUNT_KEY, given)
    return Actor(
        word.text,
        build_steps(scope, steps) if steps else (),
        given.get(COUNT_KEY) or 1,
        given.get(REPEAT) or 1,
        line,
    )


def _write_start(step: Start, body: Body) -> Lines:
    for actor in step.actors:
        inner = body.of(actor.steps)
        early = [Line(f"nonlocal {name}", None) for name in rebound(actor.steps)]
        head = f"{body.async_}def {variable(actor.name)}()"
        yield from function(head, [*early, *statements(actor.steps, inner)])
    yield f"lab.start({', '.join(_actor(actor, body) for actor in step.actors)})"


def _actor(actor: Actor, body: Body) -> str:
    """Return an actor as an argument: its function, or its function with numbers."""
    parts = [variable(actor.name)]
    if actor.count != 1:
        parts.append(f"count={value(actor.count)}")
    if actor.repeat != 1:
        parts.append(f"repeat={value(actor.repeat)}")
    return parts[0] if len(parts) == 1 else f"{body.actor}({', '.join(parts)})"


def _say_start(step: Start) -> Sentence:
    return Sentence("Start at the same moment:", tuple(_say_actor(actor) for actor in step.actors))


def _say_actor(actor: Actor) -> Sentence:
    times = "" if actor.count == 1 else f"{amounts.value(actor.count)} × "
    again = "" if actor.repeat == 1 else f", {amounts.value(actor.repeat)} times each"
    steps = say_all(actor.steps)
    end = ":" if steps else ", doing nothing."
    return Sentence(f"{times}{code(actor.name)}{again}{end}", steps)


# --- join ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Join(Step):
    """Wait for actors to finish; an exception of one of them is raised here."""

    actors: tuple[str, ...]
    one_fails: ErrorKind | None = None
    """Exactly one of them must fail in this way."""


JOIN = Key("join", SOME_NAMES, "wait for actors to finish", "[first, second]", True)
ONE_FAILS = Key(
    "one_fails",
    FAILURE,
    "exactly one of them must fail in this way",
    "deadlock",
    default="none fails",
)


def _read_join(scope: Scope, fields: Fields) -> Join | None:
    words = fields.get(JOIN) or ()
    if scope.owner:
        message = "an actor cannot join actors"
        scope.reader.problem(fields.at(JOIN), message, "join them in the main body")
        return None
    for word in words:
        scope.find(word, Naming.ACTOR)
    kind = fields.get(ONE_FAILS)
    if kind:
        scope.names.imply(ERRORS.get(kind), f"'one_fails: {kind}'", fields.at(ONE_FAILS))
    return Join(fields.node.line, texts(words), kind)


def _write_join(step: Join, body: Body) -> Lines:
    parts = [literal(name) for name in step.actors]
    parts += [f"one_fails={body.member(step.one_fails)}"] if step.one_fails else []
    yield f"{body.awaits}lab.join({', '.join(parts)})"


def _say_join(step: Join) -> Sentence:
    one = f"; exactly one must fail with {code(step.one_fails.value)}" if step.one_fails else ""
    return Sentence(f"Wait for {amounts.labels(step.actors)} to end{one}.")


# --- cancel --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cancel(Step):
    """Cancel the tasks of an actor."""

    actor: str


CANCEL = Key("cancel", NAME, "cancel an actor", "first", True)


def _read_cancel(scope: Scope, fields: Fields) -> Cancel | None:
    word = fields.get(CANCEL)
    scope.names.bound_to.append((Concurrency.ASYNCIO, "cancel", fields.at(CANCEL)))
    if scope.owner:
        message = "an actor cannot cancel actors"
        scope.reader.problem(fields.at(CANCEL), message, "cancel them in the main body")
        return None
    found = word and scope.find(word, Naming.ACTOR)
    return Cancel(fields.node.line, word.text) if word and found else None


def _write_cancel(step: Cancel, _: Body) -> Lines:
    yield f"lab.cancel({literal(step.actor)})"


def _say_cancel(step: Cancel) -> Sentence:
    return Sentence(f"Cancel {code(step.actor)}.")


KINDS = (
    StepKind(
        "start",
        (START,),
        Start,
        _read_start,
        _write_start,
        _say_start,
        traits=Trait.BORROWS,
        calls=("start",),
        arguments=("count", "repeat"),
        imports=("actor", "async_actor"),
    ),
    StepKind(
        "join",
        (JOIN, ONE_FAILS),
        Join,
        _read_join,
        _write_join,
        _say_join,
        traits=Trait.BORROWS,
        expects=(ONE_FAILS,),
        calls=("join",),
        arguments=(ONE_FAILS.name,),
        enums=(ErrorKind,),
    ),
    StepKind(
        "cancel",
        (CANCEL,),
        Cancel,
        _read_cancel,
        _write_cancel,
        _say_cancel,
        calls=("cancel",),
    ),
)
