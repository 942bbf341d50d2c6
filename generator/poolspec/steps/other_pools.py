"""Steps about pools that the test does not configure: the process-wide one."""

from dataclasses import dataclass

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines, guarded
from poolspec.spec.common import FAILS, NAME, SAYS
from poolspec.spec.fields import Fields, Key
from poolspec.spec.kinds import fields_kind
from poolspec.spec.names import Naming
from poolspec.spec.scope import Scope
from poolspec.spec.values import PoolOptions, Step
from poolspec.steps.demands import guard, must
from poolspec.steps.kind import NOT_REPEATED, StepKind, Trait
from poolspec.steps.options import GLOBAL_OPTIONS, options_of, write_options
from poolspec.vocabulary import Capability, Concurrency, ErrorKind


@dataclass(frozen=True, slots=True)
class PoolMaker(Step):
    """Make another pool than the test's own."""

    label: str
    """Of the pool; bound unless it must fail."""
    options: PoolOptions = ()

    makes_pool = True

    def binds(self) -> tuple[str, ...]:
        """Return its label."""
        return (self.label,)


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
    scope.names.bound_to.append((Concurrency.THREADS, "global_pool", fields.at(GLOBAL_POOL)))
    if word is None:
        return None
    if not fields.has(FAILS):
        scope.bind(word, Naming.POOL)
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


KINDS = (
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
)
