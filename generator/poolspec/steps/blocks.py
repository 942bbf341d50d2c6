"""Blocks that borrow a connection for their length: with, transaction."""

from dataclasses import dataclass, replace
from typing import TypeVar

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Line, Lines, indented, pool
from poolspec.spec.common import FAILS, FAILURE, FROM, NAME, SAYS
from poolspec.spec.fields import Fields, Key, Word
from poolspec.spec.kinds import enum_kind
from poolspec.spec.names import Naming
from poolspec.spec.scope import Hold, Scope
from poolspec.spec.values import OwnPool, Step, used
from poolspec.steps.demands import guard, must
from poolspec.steps.kind import (
    ANYWHERE,
    STEPS,
    StepKind,
    Trait,
    build_steps,
    say_all,
    statements,
)
from poolspec.vocabulary import BodyFailure, Capability, ErrorKind


@dataclass(frozen=True, slots=True)
class Block(Step):
    """Borrow a connection for the length of a block."""

    label: str
    body: tuple[Step, ...] = ()
    raises: BodyFailure | None = None
    """The failure of the body at its end; the test expects it to come out of the block."""
    fails: ErrorKind | None = None
    """The borrowing must fail so; the label is then not bound, and there is no body."""
    says: tuple[str, ...] = ()
    pool: str | None = None
    """Label of a pool that a step made, or None for the test's own pool."""

    def binds(self) -> tuple[str, ...]:
        """Return its label."""
        return (self.label,)

    def inside(self) -> tuple[Step, ...]:
        """Return its body."""
        return self.body

    def reads(self) -> tuple[str, ...]:
        """Return the label of its pool."""
        return () if self.pool is None else (self.pool,)

    def own_pool(self) -> OwnPool:
        """Name the test's own pool, unless another is named."""
        return used(self.pool)


B = TypeVar("B", bound=Block)


@dataclass(frozen=True, slots=True)
class With(Block):
    """Borrow with the pool as context manager."""


@dataclass(frozen=True, slots=True)
class Transaction(Block):
    """Borrow for the length of a transaction: committed, or undone by an exception."""

    ends_with: ErrorKind | None = None
    """The commit at the end of the block must fail so."""


WITH = Key("with", NAME, "borrow for the length of a block", "c", True)
DO = Key("do", STEPS, "the steps of the block", "[{query: SELECT 1, on: c}]", default="no steps")
RAISES = Key(
    "raises",
    enum_kind("a way for a block to end", BodyFailure),
    "raised at the end of the block, and must leave it",
    "error",
    default="nothing",
)
TRANSACTION = Key("transaction", NAME, "borrow for the length of a transaction", "c", True)
ENDS_WITH = Key(
    "ends_with",
    FAILURE,
    "the commit at the end must fail in this way",
    "lost",
    default="it commits",
)


def _read_with(scope: Scope, fields: Fields) -> With | None:
    return _read_block(scope, fields, WITH, With)


def _read_transaction(scope: Scope, fields: Fields) -> Transaction | None:
    block = _read_block(scope, fields, TRANSACTION, Transaction)
    ends_with = fields.get(ENDS_WITH)
    for other in (RAISES, FAILS):
        if ends_with and fields.has(other):
            message = f"a block with {other.name!r} commits nothing"
            scope.reader.problem(fields.at(ENDS_WITH), message, "keep one of them")
    return block and replace(block, ends_with=ends_with)


def _read_block(scope: Scope, fields: Fields, key: Key[Word], kind: type[B]) -> B | None:
    """Read a block and the steps inside it; there are none if the borrowing must fail."""
    word, fails = fields.get(key), fields.has(FAILS)
    pool = scope.pool_of(fields)
    for inside in (DO, RAISES):
        if fails and fields.has(inside):
            message = f"{inside.name!r} is never reached: the borrowing fails"
            scope.reader.problem(fields.at(inside), message, "keep one of them")
    thing = scope.bind(word, Naming.LABEL, pool, Hold.BLOCK) if word and not fails else None
    steps = fields.get(DO)
    body = build_steps(scope, steps) if steps and not fails else ()
    if thing:
        thing.hold, thing.gone_line = Hold.GONE, fields.node.line
    if word is None:
        return None
    says = fields.get(SAYS) or ()
    line, raises = fields.node.line, fields.get(RAISES)
    return kind(line, word.text, body, raises, fields.get(FAILS), says, pool)


_FAILURES = {BodyFailure.ERROR: "BodyError", BodyFailure.INTERRUPT: "BodyInterrupt"}


def _write_with(step: With, body: Body) -> Lines:
    around = f"pytest.raises({_failure(step, body)})" if step.raises else guard(step, body)
    return _write_block(pool(step.pool), around, step, body)


def _write_transaction(step: Transaction, body: Body) -> Lines:
    around = f"pytest.raises({_failure(step, body)})" if step.raises else guard(step, body)
    if step.ends_with:
        around = f"lab.fails({body.member(step.ends_with)})"
    return _write_block(f"{pool(step.pool)}.transaction()", around, step, body)


def _write_block(source: str, around: str, step: Block, body: Body) -> Lines:
    """Yield a block; an `async with` and the check of its failure are two statements."""
    borrowed = source + ("" if step.fails else body.bind_as(step.label))
    inner = _inside(step, body)
    if around and body.async_:
        yield f"with {around}:"
        yield f"    async with {borrowed}:"
        yield from indented(indented(inner))
    else:
        both = f"{around}, {borrowed}" if around else borrowed
        yield f"{body.async_}with {both}:"
        yield from indented(inner)


def _inside(step: Block, body: Body) -> list[Line]:
    lines = statements(step.body, body)
    if step.raises:
        lines.append(Line(f"raise {_failure(step, body)}", body.numbers[id(step)]))
    return lines or [Line("pass", None)]


def _failure(step: Block, body: Body) -> str:
    return body.use(_FAILURES[step.raises]) if step.raises else ""


_ENDINGS = {
    BodyFailure.ERROR: "The body raises an error, which must leave the block.",
    BodyFailure.INTERRUPT: "The body is interrupted; the interrupt must leave the block.",
}


def _say_with(step: With) -> Sentence:
    return _say_block(step, "`with` block", ())


def _say_transaction(step: Transaction) -> Sentence:
    commit = f"Commit; this must fail with {code(step.ends_with.value)}." if step.ends_with else ""
    return _say_block(step, "transaction", (Sentence(commit),) if commit else ())


def _say_block(step: Block, noun: str, end: tuple[Sentence, ...]) -> Sentence:
    borrowed = code(step.label) + amounts.source(step.pool)
    if step.fails:
        return Sentence(f"Enter a {noun} that borrows {borrowed}{must(step)}")
    raised = (Sentence(_ENDINGS[step.raises]),) if step.raises else ()
    body = (*say_all(step.body), *raised, *end)
    if not body:
        return Sentence(f"Enter and leave a {noun} that borrows {borrowed}.")
    return Sentence(f"In a {noun} that borrows {borrowed}:", body)


KINDS = (
    StepKind(
        "with",
        (WITH, FROM, DO, RAISES, FAILS, SAYS),
        With,
        _read_with,
        _write_with,
        _say_with,
        misplaced=ANYWHERE,
        traits=Trait.BORROWS,
        expects=(RAISES,),
        calls=("raises",),
        imports=tuple(_FAILURES.values()),
    ),
    StepKind(
        "transaction",
        (TRANSACTION, FROM, DO, RAISES, ENDS_WITH, FAILS, SAYS),
        Transaction,
        _read_transaction,
        _write_transaction,
        _say_transaction,
        needs=Capability.TRANSACTIONS,
        misplaced=ANYWHERE,
        traits=Trait.BORROWS,
        expects=(RAISES, ENDS_WITH),
        calls=("transaction",),
    ),
)
