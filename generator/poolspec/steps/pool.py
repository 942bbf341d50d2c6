"""Steps about the test's own pool as a whole: emptied, closed, resized, suspended, maintained."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from poolspec.prose import amounts
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines, guarded
from poolspec.python.literals import value
from poolspec.spec.common import SECONDS, TOOK
from poolspec.spec.fields import Fields, Key, Place
from poolspec.spec.kinds import fields_kind, value_kind
from poolspec.spec.quantities import OVERFLOW, SIZE
from poolspec.spec.scope import Scope
from poolspec.spec.values import Check, OwnPool, Step, Value
from poolspec.steps.demands import time_taken
from poolspec.steps.kind import ANYWHERE, StepKind, Trait
from poolspec.vocabulary import Capability, EventKind


@dataclass(frozen=True, slots=True)
class PoolStep(Step):
    """A step about the test's own pool."""

    def own_pool(self) -> OwnPool:
        """Name the test's own pool."""
        return OwnPool.NAMED


def _line(scope: Scope, fields: Fields) -> int:
    """Take note that a step is about the test's own pool; return the step's line."""
    scope.names.own_pool.append(fields.node)
    return fields.node.line


# --- steps without keys --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CloseAll(PoolStep):
    """Empty the pool; it stays usable."""


@dataclass(frozen=True, slots=True)
class Suspend(PoolStep):
    """Have the pool hand out nothing; acquires wait."""


@dataclass(frozen=True, slots=True)
class Resume(PoolStep):
    """Have a suspended pool hand out connections again."""


@dataclass(frozen=True, slots=True)
class Inspect(PoolStep):
    """Read what the pool reports."""


@dataclass(frozen=True, slots=True)
class Maintain(PoolStep):
    """Have the pool do its maintenance now."""


def _read_plain(model: type[PoolStep], scope: Scope, fields: Fields) -> PoolStep:
    return model(_line(scope, fields))


def _write_plain(verb: str, _: PoolStep, body: Body) -> Lines:
    yield f"{body.awaits}pool.{verb}()"


def _plain(
    verb: str,
    model: type[PoolStep],
    needs: Capability,
    sentence: str,
    traits: Trait = Trait.NONE,
    brings: EventKind | None = None,
) -> StepKind[PoolStep]:
    """Return the row of a step that calls a method of the pool without arguments."""
    say: Callable[[PoolStep], Sentence] = lambda _: Sentence(sentence)  # noqa: E731
    return StepKind(
        verb,
        (),
        model,
        partial(_read_plain, model),
        partial(_write_plain, verb),
        say,
        needs=needs,
        misplaced=ANYWHERE,
        traits=traits,
        brings=brings,
        calls=(verb,),
    )


# --- close ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Close(PoolStep):
    """Close the pool for good."""

    drain: Value | None = None
    """How long to wait for connections on loan to come back first, in seconds."""
    took: Check | None = None


DRAIN = Key(
    "drain", SECONDS, "how long to wait for connections on loan to come back first", "5s", True
)
CLOSING = Place("a way to close", (DRAIN,))
CLOSE = Key(
    "close", fields_kind(CLOSING), "close the pool for good", "{drain: 5s}", default="at once"
)


def _read_close(scope: Scope, fields: Fields) -> Close:
    given = fields.get(CLOSE)
    drain = given.get(DRAIN) if given else None
    return Close(_line(scope, fields), drain, fields.get(TOOK))


def _write_close(step: Close, body: Body) -> Lines:
    drain = "" if step.drain is None else f"drain={value(step.drain)}"
    return guarded(body.timed(step.took), f"{body.awaits}pool.close({drain})")


def _say_close(step: Close) -> Sentence:
    must = "." if step.took is None else f"; this must take {time_taken(step.took)}."
    if step.drain is None:
        return Sentence(f"Close the pool{must}")
    longest = amounts.seconds(step.drain)
    return Sentence(f"Close the pool, waiting up to {longest} for connections on loan{must}")


# --- resize --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resize(PoolStep):
    """Give the pool other limits; None leaves one as it is."""

    size: Value | None = None
    max_overflow: Value | None = None


_AS_IT_WAS = "as it was"
NEW_SIZE = Key(
    "size", value_kind(SIZE), "connections that the pool keeps from now on", "3", default=_AS_IT_WAS
)
NEW_OVERFLOW = Key(
    "max_overflow", value_kind(OVERFLOW), "more beyond it; -1: no limit", "0", default=_AS_IT_WAS
)
LIMITS = Place("the new limits", (NEW_SIZE, NEW_OVERFLOW))
RESIZE = Key("resize", fields_kind(LIMITS), "give the pool other limits", "{size: 3}", True)


def _read_resize(scope: Scope, fields: Fields) -> Resize | None:
    line = _line(scope, fields)
    given = fields.get(RESIZE)
    if given is None:
        return None
    if not given.nodes and given.sound:
        scope.reader.problem(given.node, "no new limit is given", "add: size: 3")
    return Resize(line, given.get(NEW_SIZE), given.get(NEW_OVERFLOW))


def _limits(step: Resize) -> list[tuple[str, Value]]:
    given = ((NEW_SIZE.name, step.size), (NEW_OVERFLOW.name, step.max_overflow))
    return [(name, item) for name, item in given if item is not None]


def _write_resize(step: Resize, body: Body) -> Lines:
    arguments = ", ".join(f"{name}={value(item)}" for name, item in _limits(step))
    yield f"{body.awaits}pool.resize({arguments})"


def _say_resize(step: Resize) -> Sentence:
    return Sentence(f"Resize the pool{amounts.options(_limits(step)).replace(' with', ' to', 1)}.")


KINDS: tuple[StepKind[PoolStep] | StepKind[Close] | StepKind[Resize], ...] = (
    _plain("close_all", CloseAll, Capability.CLOSE_ALL, "Empty the pool with `close_all`."),
    StepKind(
        "close",
        (CLOSE, TOOK),
        Close,
        _read_close,
        _write_close,
        _say_close,
        key_needs={CLOSE.name: Capability.DRAIN},
        misplaced=ANYWHERE,
        brings=EventKind.POOL_CLOSED,
        calls=("close",),
        arguments=("drain",),
    ),
    StepKind(
        "resize",
        (RESIZE,),
        Resize,
        _read_resize,
        _write_resize,
        _say_resize,
        needs=Capability.RESIZE,
        misplaced=ANYWHERE,
        traits=Trait.CHANGES_LIMITS,
        brings=EventKind.POOL_RESIZED,
        calls=("resize",),
        arguments=(NEW_SIZE.name, NEW_OVERFLOW.name),
    ),
    _plain(
        "suspend",
        Suspend,
        Capability.SUSPEND,
        "Suspend the pool: acquires wait.",
        Trait.TAKES_TIME,
        EventKind.POOL_SUSPENDED,
    ),
    _plain(
        "resume",
        Resume,
        Capability.SUSPEND,
        "Let the pool hand out connections again.",
        brings=EventKind.POOL_RESUMED,
    ),
    _plain(
        "inspect",
        Inspect,
        Capability.STATISTICS,
        "Read the pool's statistics, its loans and its representation.",
    ),
    _plain("maintain", Maintain, Capability.MAINTENANCE, "Have the pool do its maintenance."),
)
