"""Steps that let time pass: wait_until, advance; and `use`, a step of the user's own."""

from dataclasses import dataclass, replace

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines
from poolspec.python.literals import literal, value
from poolspec.python.names import variable
from poolspec.python.names import word as plain_word
from poolspec.spec.common import FROM, SECONDS, STEP_NAME
from poolspec.spec.conditions import CONDITION, Condition
from poolspec.spec.fields import Fields, Key
from poolspec.spec.names import Naming
from poolspec.spec.scope import Among, Scope
from poolspec.spec.values import Step, Value
from poolspec.steps.kind import ANYWHERE, StepKind, Trait
from poolspec.vocabulary import ActorState, Capability


@dataclass(frozen=True, slots=True)
class WaitUntil(Step):
    """Wait until an actor (all of its count), or a number of actors, reach a state."""

    state: ActorState
    actor: str | None = None
    count: Value | None = None
    """Exactly one of `actor` and `count` is set."""
    pool: str | None = None
    """The pool in which they wait, or of which they hold a connection; None: any."""
    within: Value | None = None
    """Seconds within which they must; None: the test's deadline."""

    def reads(self) -> tuple[str, ...]:
        """Return the label of the pool."""
        return () if self.pool is None else (self.pool,)


WAIT_UNTIL = Key("wait_until", CONDITION, "wait for a state of actors", "first is waiting", True)
WITHIN = Key(
    "within",
    SECONDS,
    "time within which they must reach it",
    "5s",
    default="until the test's deadline",
)
OF_ANY = replace(
    FROM, meaning="the pool in which they wait, or of which they hold", default="any pool"
)


def _read_wait_until(scope: Scope, fields: Fields) -> WaitUntil:
    condition = fields.get(WAIT_UNTIL) or Condition(ActorState.DONE)
    actor = condition.actor
    if actor:
        scope.find(actor, Naming.ACTOR)
    name = actor.text if actor else None
    word, state = fields.get(OF_ANY), condition.state
    if fields.has(OF_ANY) and state not in (ActorState.WAITING, ActorState.HOLDING):
        message = f"an actor is {state} in no pool"
        scope.reader.problem(fields.at(OF_ANY), message, "leave out 'from'")
    if state is ActorState.BLOCKED:
        scope.names.imply(Capability.ROW_LOCKS, f"{state.value!r}", fields.node)
        scope.names.at_server.append(("a lock is of a server", fields.at(WAIT_UNTIL)))
    pool = word.text if word and scope.find(word, Naming.POOL) else None
    return WaitUntil(fields.node.line, state, name, condition.count, pool, fields.get(WITHIN))


def _write_wait_until(step: WaitUntil, body: Body) -> Lines:
    given = f"count={value(step.count or 0)}" if step.actor is None else literal(step.actor)
    given += "" if step.pool is None else f", of={variable(step.pool)}"
    given += "" if step.within is None else f", within={value(step.within)}"
    yield f"{body.awaits}lab.wait_until_{plain_word(step.state.value)}({given})"


_STATES = {
    ActorState.WAITING: ("is waiting", "are waiting"),
    ActorState.HOLDING: ("holds a connection", "hold a connection"),
    ActorState.BLOCKED: ("is blocked by a lock", "are blocked by locks"),
    ActorState.DONE: ("is done", "are done"),
}


def _say_wait_until(step: WaitUntil) -> Sentence:
    one, several = _STATES[step.state]
    of = "in" if step.state is ActorState.WAITING else "of"
    where = "" if step.pool is None else f" {of} {code(step.pool)}"
    soon = "" if step.within is None else f", for at most {amounts.seconds(step.within)}"
    if step.actor is not None:
        return Sentence(f"Wait until {code(step.actor)} {one}{where}{soon}.")
    noun = f"actor {one}" if step.count == 1 else f"actors {several}"
    return Sentence(f"Wait until {amounts.value(step.count or 0)} {noun}{where}{soon}.")


@dataclass(frozen=True, slots=True)
class Advance(Step):
    """Let time pass."""

    seconds: Value


ADVANCE = Key("advance", SECONDS, "let time pass", "1h", True)


def _read_advance(scope: Scope, fields: Fields) -> Advance:
    seconds = fields.get(ADVANCE)
    if seconds:
        scope.names.waits.append((seconds, fields.at(ADVANCE)))
        if scope.among in (Among.ROUND, Among.INTERRUPTED):
            words = "the time that passes in each round"
            scope.names.unreal.append((words, fields.node))
    return Advance(fields.node.line, seconds or 0.0)


def _write_advance(step: Advance, body: Body) -> Lines:
    yield f"{body.awaits}lab.advance({value(step.seconds)})"


def _say_advance(step: Advance) -> Sentence:
    return Sentence(f"Let {amounts.seconds(step.seconds)} pass.")


@dataclass(frozen=True, slots=True)
class Use(Step):
    """Take a step that the user has written in Python and registered by this name."""

    name: str


USE = Key("use", STEP_NAME, "take a custom step, written in Python", "warm_up", True)


def _read_use(_: Scope, fields: Fields) -> Use | None:
    word = fields.get(USE)
    return Use(fields.node.line, word.text) if word else None


def _write_use(step: Use, body: Body) -> Lines:
    yield f"{body.awaits}lab.use({literal(plain_word(step.name))})"


def _say_use(step: Use) -> Sentence:
    return Sentence(f"Take the custom step {code(step.name)}.")


KINDS = (
    StepKind(
        "wait_until",
        (WAIT_UNTIL, OF_ANY, WITHIN),
        WaitUntil,
        _read_wait_until,
        _write_wait_until,
        _say_wait_until,
        traits=Trait.BORROWS,
        calls=tuple(f"wait_until_{state}" for state in ActorState),
        arguments=("count", "of", "within"),
    ),
    StepKind(
        "advance",
        (ADVANCE,),
        Advance,
        _read_advance,
        _write_advance,
        _say_advance,
        misplaced=ANYWHERE,
        traits=Trait.TAKES_TIME,
        calls=("advance",),
    ),
    StepKind(
        "use",
        (USE,),
        Use,
        _read_use,
        _write_use,
        _say_use,
        traits=Trait.BORROWS | Trait.TAKES_TIME | Trait.CHANGES_LIMITS | Trait.UNKNOWN,
        calls=("use",),
    ),
)
