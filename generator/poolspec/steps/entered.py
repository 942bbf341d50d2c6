"""Blocks whose beginning and end are steps: enter, leave, abandon."""

from dataclasses import dataclass, field

from poolspec.errors import shown
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines, guarded, pool
from poolspec.python.names import variable
from poolspec.spec.common import FAILS, FROM, MAY_REFUSE, NAME, SAYS
from poolspec.spec.fields import Fields, Key, Word
from poolspec.spec.kinds import enum_kind
from poolspec.spec.names import Naming
from poolspec.spec.scope import Hold, Scope, Thing
from poolspec.spec.values import OwnPool, Step, used
from poolspec.steps.borrow import report_gone
from poolspec.steps.demands import guard, must
from poolspec.steps.kind import ANYWHERE, StepKind, Trait
from poolspec.vocabulary import BlockFrame, BlockKind, Capability, ErrorKind


@dataclass(frozen=True, slots=True)
class _OfBlock(Step):
    """A step about a block of a pool."""

    label: str
    pool: str | None = field(default=None, kw_only=True)
    """Label of a pool that a step made, or None for the test's own pool."""

    def reads(self) -> tuple[str, ...]:
        """Return its label and the label of its pool."""
        return (self.label,) if self.pool is None else (self.pool, self.label)

    def own_pool(self) -> OwnPool:
        """Name the test's own pool, unless another is named."""
        return used(self.pool)


@dataclass(frozen=True, slots=True)
class Enter(_OfBlock):
    """Enter a block, which another step leaves."""

    by: BlockKind = BlockKind.WITH
    frame: BlockFrame = BlockFrame.EXIT_STACK

    def binds(self) -> tuple[str, ...]:
        """Return its label."""
        return (self.label,)

    def reads(self) -> tuple[str, ...]:
        """Return the label of its pool."""
        return () if self.pool is None else (self.pool,)


@dataclass(frozen=True, slots=True)
class Leave(_OfBlock):
    """Leave a block."""

    may_refuse: bool = False
    """The pool may refuse to guess which block ends; then the connection is released by itself."""
    fails: ErrorKind | None = None
    says: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Abandon(_OfBlock):
    """Drop the generator that runs a block, and collect it."""


ENTER = Key("enter", NAME, "begin a block that borrows a connection, and leave it open", "a", True)
BY = Key("by", enum_kind("a kind of block", BlockKind), "the block", "connection", default="`with`")
IN = Key(
    "in",
    enum_kind("a runner of blocks", BlockFrame),
    "the code that runs the block",
    "generator",
    default="`exit_stack`",
)
LEAVE = Key("leave", NAME, "leave a block", "a", True)
ABANDON = Key("abandon", NAME, "drop the generator that runs a block, and collect it", "a", True)

_NEEDS = {
    BlockKind.CONNECTION: Capability.OWN_BLOCKS,
    BlockKind.TRANSACTION: Capability.TRANSACTIONS,
}


def _read_enter(scope: Scope, fields: Fields) -> Enter | None:
    pool = scope.pool_of(fields)
    word, by = fields.get(ENTER), fields.get(BY) or BlockKind.WITH
    if fields.has(BY):
        scope.names.imply(_NEEDS.get(by), f"'by: {by}'", fields.at(BY))
    if word is None:
        return None
    frame = fields.get(IN) or BlockFrame.EXIT_STACK
    thing = scope.bind(word, Naming.LABEL, pool, Hold.ENTERED)
    thing.in_generator = frame is BlockFrame.GENERATOR
    return Enter(fields.node.line, word.text, by, frame, pool=pool)


def _read_leave(scope: Scope, fields: Fields) -> Leave | None:
    word, fails = fields.get(LEAVE), fields.get(FAILS)
    thing = _left(scope, fields, word, Hold.HELD if fields.has(FAILS) else Hold.GONE)
    may_refuse, says = fields.get(MAY_REFUSE) or False, fields.get(SAYS) or ()
    if thing and fields.has(FAILS) and may_refuse:
        message = "this step must fail, so the pool cannot be free to refuse"
        scope.reader.problem(fields.at(MAY_REFUSE), message, "keep one of them")
    if word is None:
        return None
    line, source = fields.node.line, _pool(scope, word)
    return Leave(line, word.text, may_refuse, fails, says, pool=source)


def _read_abandon(scope: Scope, fields: Fields) -> Abandon | None:
    word = fields.get(ABANDON)
    thing = _left(scope, fields, word, Hold.GONE)
    if word and thing and not thing.in_generator:
        message = f"the block of {shown(word.text)} is not in a generator"
        scope.reader.problem(word.node, message, "add to the step enter: in: generator")
    return Abandon(fields.node.line, word.text, pool=_pool(scope, word)) if word else None


def _pool(scope: Scope, word: Word) -> str | None:
    """Return the pool of a connection whose block ends."""
    thing = scope.things.get(word.text)
    return thing.pool if thing else None


def _left(scope: Scope, fields: Fields, word: Word | None, hold: Hold) -> Thing | None:
    """Note what becomes of a connection whose block ends; return None if there is no block."""
    thing = scope.find(word, Naming.LABEL) if word else None
    if word is None or thing is None:
        return None
    if thing.pool is None:
        scope.names.own_pool.append(fields.node)
    if thing.hold is Hold.GONE:
        report_gone(scope, word, thing, "a block is left once")
    elif thing.hold is not Hold.ENTERED:
        message = f"{shown(word.text)} is in no block that the step 'enter' entered"
        scope.reader.problem(word.node, message, f"borrow it with: enter: {word.text}")
    else:
        thing.hold, thing.gone_line = hold, fields.node.line
        return thing
    return None


def _write_enter(step: Enter, body: Body) -> Lines:
    arguments = []
    if step.by is not BlockKind.WITH:
        arguments.append(f"by={body.member(step.by)}")
    if step.frame is not BlockFrame.EXIT_STACK:
        arguments.append(f"frame={body.member(step.frame)}")
    yield f"{body.bind(step.label)}{body.awaits}{pool(step.pool)}.enter({', '.join(arguments)})"


def _write_leave(step: Leave, body: Body) -> Lines:
    may_refuse = ", may_refuse=True" if step.may_refuse else ""
    call = f"{body.awaits}{pool(step.pool)}.leave({variable(step.label)}{may_refuse})"
    yield from guarded(guard(step, body), call)


def _write_abandon(step: Abandon, body: Body) -> Lines:
    yield f"{body.awaits}{pool(step.pool)}.abandon({variable(step.label)})"


_NOUNS = {
    BlockKind.WITH: "`with` block",
    BlockKind.CONNECTION: "block of its own",
    BlockKind.TRANSACTION: "transaction",
}
_FRAMES = {
    BlockFrame.EXIT_STACK: "In an exit stack",
    BlockFrame.GENERATOR: "In a generator",
    BlockFrame.BY_HAND: "By hand",
}


def _say_enter(step: Enter) -> Sentence:
    frame = _FRAMES[step.frame]
    borrowed = code(step.label) + amounts.source(step.pool)
    return Sentence(f"{frame}, enter a {_NOUNS[step.by]} that borrows {borrowed}.")


def _say_leave(step: Leave) -> Sentence:
    refusal = " (the pool may refuse, and keep it on loan)" if step.may_refuse else ""
    return Sentence(f"Leave the block of {code(step.label)}{refusal}{must(step)}")


def _say_abandon(step: Abandon) -> Sentence:
    return Sentence(f"Drop the generator in the block of {code(step.label)}, and collect it.")


KINDS = (
    StepKind(
        "enter",
        (ENTER, FROM, BY, IN),
        Enter,
        _read_enter,
        _write_enter,
        _say_enter,
        misplaced=ANYWHERE,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        calls=("enter",),
        arguments=("by", "frame"),
        enums=(BlockKind, BlockFrame),
    ),
    StepKind(
        "leave",
        (LEAVE, MAY_REFUSE, FAILS, SAYS),
        Leave,
        _read_leave,
        _write_leave,
        _say_leave,
        misplaced=ANYWHERE,
        calls=("leave",),
        arguments=("may_refuse",),
    ),
    StepKind(
        "abandon",
        (ABANDON,),
        Abandon,
        _read_abandon,
        _write_abandon,
        _say_abandon,
        misplaced=ANYWHERE,
        calls=("abandon",),
    ),
)
