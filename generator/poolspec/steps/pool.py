"""Steps about a pool as a whole: emptied, closed, resized, suspended, maintained.

A step that needs no value takes the label of a pool as its value: `suspend: second`.
"""

from dataclasses import dataclass, field
from functools import partial
from typing import cast

from poolspec.prose import amounts
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines, guarded, pool
from poolspec.python.literals import value
from poolspec.spec.common import FROM, NAME, SECONDS, TOOK
from poolspec.spec.fields import Fields, Key, Kind, Place, Reader, Word
from poolspec.spec.kinds import fields_kind, value_kind
from poolspec.spec.quantities import OVERFLOW, SIZE
from poolspec.spec.scope import Scope
from poolspec.spec.tree import Node, Scalar
from poolspec.spec.values import Check, OwnPool, Step, Value, used
from poolspec.steps.demands import time_taken
from poolspec.steps.kind import ANYWHERE, StepKind, Trait
from poolspec.vocabulary import Capability, EventKind


@dataclass(frozen=True, slots=True)
class PoolStep(Step):
    """A step about a pool."""

    pool: str | None = field(default=None, kw_only=True)
    """Label of a pool that a step made, or None for the test's own pool."""

    def reads(self) -> tuple[str, ...]:
        """Return the label of its pool."""
        return () if self.pool is None else (self.pool,)

    def own_pool(self) -> OwnPool:
        """Name the test's own pool, unless another is named."""
        return used(self.pool)


# --- steps whose only value is a pool ------------------------------------------------------------


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


def _read_plain(model: type[PoolStep], key: Key[Word], scope: Scope, fields: Fields) -> PoolStep:
    return model(fields.node.line, pool=scope.pool_of(fields, key))


def _write_plain(verb: str, step: PoolStep, body: Body) -> Lines:
    yield f"{body.awaits}{pool(step.pool)}.{verb}()"


def _plain(
    verb: str,
    model: type[PoolStep],
    needs: Capability,
    meaning: str,
    sentence: str,
    traits: Trait = Trait.NONE,
    brings: EventKind | None = None,
) -> StepKind[PoolStep]:
    """Return the row of a step that calls a method of the pool without arguments.

    In the sentence, `{}` stands for the pool.
    """
    key = Key(verb, NAME, meaning, "second", default="the test's pool")
    return StepKind(
        verb,
        (key,),
        model,
        partial(_read_plain, model, key),
        partial(_write_plain, verb),
        lambda step: Sentence(sentence.format(amounts.pool(step.pool))),
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
_WAY = fields_kind(CLOSING)


def _read_way(reader: Reader, node: Node) -> Word | Fields:
    return NAME.read(reader, node) if isinstance(node, Scalar) else _WAY.read(reader, node)


WAY_OR_POOL: Kind[Word | Fields] = Kind(
    "a way to close or a name", _read_way, {"anyOf": [_WAY.schema, NAME.schema]}
)
CLOSE = Key("close", WAY_OR_POOL, "close the pool for good", "{drain: 5s}", default="at once")


def _read_close(scope: Scope, fields: Fields) -> Close:
    given = fields.get(CLOSE)
    named = isinstance(given, Word)
    if named and fields.has(FROM):
        message = "the step names two pools"
        scope.reader.problem(fields.at(FROM), message, "write: close: NAME, without 'from'")
    drain = given.get(DRAIN) if isinstance(given, Fields) else None
    source = scope.pool_of(fields, cast(Key[Word], CLOSE) if named else FROM)
    return Close(fields.node.line, drain, fields.get(TOOK), pool=source)


def _write_close(step: Close, body: Body) -> Lines:
    drain = "" if step.drain is None else f"drain={value(step.drain)}"
    return guarded(body.timed(step.took), f"{body.awaits}{pool(step.pool)}.close({drain})")


def _say_close(step: Close) -> Sentence:
    must = "." if step.took is None else f"; this must take {time_taken(step.took)}."
    if step.drain is None:
        return Sentence(f"Close {amounts.pool(step.pool)}{must}")
    longest = amounts.seconds(step.drain)
    return Sentence(
        f"Close {amounts.pool(step.pool)}, waiting up to {longest} for connections on loan{must}"
    )


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
    source, given = scope.pool_of(fields), fields.get(RESIZE)
    if given is None:
        return None
    if not given.nodes and given.sound:
        scope.reader.problem(given.node, "no new limit is given", "add: size: 3")
    size, more = given.get(NEW_SIZE), given.get(NEW_OVERFLOW)
    return Resize(fields.node.line, size, more, pool=source)


def _limits(step: Resize) -> list[tuple[str, Value]]:
    given = ((NEW_SIZE.name, step.size), (NEW_OVERFLOW.name, step.max_overflow))
    return [(name, item) for name, item in given if item is not None]


def _write_resize(step: Resize, body: Body) -> Lines:
    arguments = ", ".join(f"{name}={value(item)}" for name, item in _limits(step))
    yield f"{body.awaits}{pool(step.pool)}.resize({arguments})"


def _say_resize(step: Resize) -> Sentence:
    limits = amounts.options(_limits(step)).replace(" with", " to", 1)
    return Sentence(f"Resize {amounts.pool(step.pool)}{limits}.")


KINDS: tuple[StepKind[PoolStep] | StepKind[Close] | StepKind[Resize], ...] = (
    _plain(
        "close_all", CloseAll, Capability.CLOSE_ALL, "empty the pool", "Empty {} with `close_all`."
    ),
    StepKind(
        "close",
        (CLOSE, FROM, TOOK),
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
        (RESIZE, FROM),
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
        "have the pool hand out nothing",
        "Suspend {}: acquires wait.",
        Trait.TAKES_TIME,
        EventKind.POOL_SUSPENDED,
    ),
    _plain(
        "resume",
        Resume,
        Capability.SUSPEND,
        "let the pool hand out connections again",
        "Let {} hand out connections again.",
        brings=EventKind.POOL_RESUMED,
    ),
    _plain(
        "inspect",
        Inspect,
        Capability.STATISTICS,
        "read what the pool reports",
        "Read {}'s statistics, its loans and its representation.",
    ),
    _plain(
        "maintain",
        Maintain,
        Capability.MAINTENANCE,
        "have the pool do its maintenance now",
        "Have {} do its maintenance.",
    ),
)
