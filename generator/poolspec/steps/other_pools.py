"""Steps about pools besides the test's own: more of them, the process-wide one, one elsewhere."""

from dataclasses import dataclass

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines, guarded
from poolspec.python.literals import value
from poolspec.spec.common import FAILS, NAME, SAYS
from poolspec.spec.fields import Fields, Key
from poolspec.spec.kinds import enum_kind, fields_kind, value_kind
from poolspec.spec.quantities import SIZE
from poolspec.spec.scope import Scope
from poolspec.spec.values import OwnPool, PoolOptions, Step, Value
from poolspec.steps.demands import guard, must
from poolspec.steps.kind import NOT_FORKED, NOT_REPEATED, StepKind, Trait
from poolspec.steps.options import (
    GLOBAL_OPTIONS,
    HOUSEKEEPING,
    POOL,
    options_of,
    write_options,
)
from poolspec.vocabulary import Capability, Concurrency, ErrorKind, LoopEnd


@dataclass(frozen=True, slots=True)
class PoolMaker(Step):
    """Make another pool than the test's own."""

    label: str
    """Of the pool; bound unless it must fail."""
    options: PoolOptions = ()

    def binds(self) -> tuple[str, ...]:
        """Return its label."""
        return (self.label,)


@dataclass(frozen=True, slots=True)
class MakePool(PoolMaker):
    """Make one more pool, in the same way as the test's own."""


MAKE_POOL = Key("make_pool", NAME, "make one more pool", "second", True)
MADE_WITH = Key("options", fields_kind(POOL), "its options", "{size: 2}", default="no options")


def _read_make_pool(scope: Scope, fields: Fields) -> MakePool | None:
    word, given = fields.get(MAKE_POOL), fields.get(MADE_WITH)
    scope.names.makers.append(MAKE_POOL.name)
    if word is None:
        return None
    scope.bind_pool(word)
    if given and given.has(HOUSEKEEPING):
        scope.names.real_time.append(("a housekeeper", fields.at(MADE_WITH)))
    options = options_of(given)
    scope.names.options.append((options, fields.at(MADE_WITH)))
    return MakePool(fields.node.line, word.text, options)


def _write_make_pool(step: MakePool, body: Body) -> Lines:
    yield f"{body.bind(step.label)}{body.awaits}lab.make_pool({write_options(step.options)})"


def _say_make_pool(step: MakePool) -> Sentence:
    return Sentence(f"Make one more pool, {code(step.label)}{amounts.options(step.options)}.")


# --- global_pool ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GlobalPool(PoolMaker):
    """Ask for the process-wide pool."""

    fails: ErrorKind | None = None
    says: tuple[str, ...] = ()


GLOBAL_POOL = Key("global_pool", NAME, "ask for the process-wide pool", "shared", True)
OPTIONS = Key(
    "options",
    fields_kind(GLOBAL_OPTIONS),
    "options of the request",
    "{size: 3}",
    default="no options",
)


def _read_global_pool(scope: Scope, fields: Fields) -> GlobalPool | None:
    word = fields.get(GLOBAL_POOL)
    scope.names.global_pools += 1
    scope.names.makers.append(GLOBAL_POOL.name)
    scope.names.bound_to.append((Concurrency.THREADS, "global_pool", fields.at(GLOBAL_POOL)))
    if word is None:
        return None
    if not fields.has(FAILS):
        scope.bind_pool(word, GLOBAL_POOL.name)
    options = options_of(fields.get(OPTIONS))
    scope.names.options.append((options, fields.at(OPTIONS)))
    says = fields.get(SAYS) or ()
    return GlobalPool(fields.node.line, word.text, options, fields.get(FAILS), says)


def _write_global_pool(step: GlobalPool, body: Body) -> Lines:
    target = "" if step.fails else body.bind(step.label)
    call = f"{target}lab.global_pool({write_options(step.options)})"
    return guarded(guard(step, body), call)


def _say_global_pool(step: GlobalPool) -> Sentence:
    asked = f"Ask for the global pool, {code(step.label)}{amounts.options(step.options)}"
    return Sentence(asked + must(step))


# --- lose_loop -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LoseLoop(Step):
    """Make a pool in another event loop, and close it in the test's."""

    end: LoopEnd
    on_loan: Value = 0
    """Connections of that pool that are on loan when it is closed."""
    waiting: Value = 0
    """Its acquires that wait or connect then."""

    def own_pool(self) -> OwnPool:
        """Use the test's own pool, whose options the other one has."""
        return OwnPool.USED


LOSE_LOOP = Key(
    "lose_loop",
    enum_kind("a state of an event loop", LoopEnd),
    "close a pool outside its event loop, which is in this state",
    "closed",
    True,
)
ON_LOAN = Key(
    "on_loan", value_kind(SIZE), "its connections that are on loan then", "2", default="none"
)
WAITING = Key(
    "waiting", value_kind(SIZE), "its acquires that wait or connect then", "1", default="none"
)


def _read_lose_loop(scope: Scope, fields: Fields) -> LoseLoop | None:
    node = fields.at(LOSE_LOOP)
    scope.names.own_pool.append(fields.node)
    scope.names.bound_to.append((Concurrency.ASYNCIO, "lose_loop", node))
    scope.names.real_time.append(("another event loop", node))
    end, on_loan, waiting = fields.get(LOSE_LOOP), fields.get(ON_LOAN), fields.get(WAITING)
    return LoseLoop(fields.node.line, end, on_loan or 0, waiting or 0) if end else None


def _counts(step: LoseLoop) -> list[tuple[str, Value]]:
    given = ((ON_LOAN.name, step.on_loan), (WAITING.name, step.waiting))
    return [(name, count) for name, count in given if count != 0]


def _write_lose_loop(step: LoseLoop, body: Body) -> Lines:
    counts = "".join(f", {name}={value(count)}" for name, count in _counts(step))
    yield f"{body.awaits}lab.lose_loop({body.member(step.end)}{counts})"


_ENDS = {
    LoopEnd.CLOSED: "close that loop",
    LoopEnd.STOPPED: "stop that loop",
    LoopEnd.RUNNING: "let that loop run",
}


def _say_lose_loop(step: LoseLoop) -> Sentence:
    loans, waits = amounts.value(step.on_loan), amounts.value(step.waiting)
    return Sentence(
        f"In another event loop, start a pool with the same options, with {loans} connections on "
        f"loan and {waits} more acquires under way; {_ENDS[step.end]}, and close the pool here."
    )


KINDS = (
    StepKind(
        "make_pool",
        (MAKE_POOL, MADE_WITH),
        MakePool,
        _read_make_pool,
        _write_make_pool,
        _say_make_pool,
        misplaced=NOT_REPEATED,
        traits=Trait.TAKES_TIME,
        calls=("make_pool",),
    ),
    StepKind(
        "global_pool",
        (GLOBAL_POOL, OPTIONS, FAILS, SAYS),
        GlobalPool,
        _read_global_pool,
        _write_global_pool,
        _say_global_pool,
        needs=Capability.GLOBAL_POOL,
        misplaced=NOT_REPEATED,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        calls=("global_pool",),
    ),
    StepKind(
        "lose_loop",
        (LOSE_LOOP, ON_LOAN, WAITING),
        LoseLoop,
        _read_lose_loop,
        _write_lose_loop,
        _say_lose_loop,
        needs=Capability.LOST_LOOPS,
        misplaced=NOT_FORKED,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        expects=(LOSE_LOOP,),
        calls=("lose_loop",),
        arguments=("on_loan", "waiting"),
        enums=(LoopEnd,),
    ),
)
