"""Steps about single connections: acquire, connect, release, query."""

from dataclasses import dataclass

from poolspec.errors import shown
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python import body as python
from poolspec.python.body import Body, Lines, guarded
from poolspec.python.literals import value
from poolspec.python.names import variable
from poolspec.spec.common import (
    FAILS,
    FROM,
    MAY_REFUSE,
    NAME,
    SAYS,
    SOME_NAMES,
    TIMEOUT,
    TOOK,
)
from poolspec.spec.fields import Fields, Key, Kind, Reader, Word, Wrong
from poolspec.spec.names import Naming
from poolspec.spec.scope import Hold, Scope, Thing
from poolspec.spec.tree import Node
from poolspec.spec.tree import Scalar as ScalarNode
from poolspec.spec.values import Check, OwnPool, Step, Value, used
from poolspec.steps.demands import guard, must, texts
from poolspec.steps.kind import ANYWHERE, StepKind, Trait
from poolspec.vocabulary import Capability, ErrorKind

# --- acquire -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Acquire(Step):
    """Borrow one connection for each label, one after the other."""

    labels: tuple[str, ...]
    pool: str | None = None
    """Label of a pool that a step made, or None for the test's own pool."""
    timeout: Value | None = None
    fails: ErrorKind | None = None
    """The acquire must fail so; its label is then not bound. Only with a single label."""
    took: Check | None = None
    says: tuple[str, ...] = ()
    """Parts of what the error must say."""

    def binds(self) -> tuple[str, ...]:
        """Return its labels."""
        return self.labels

    def reads(self) -> tuple[str, ...]:
        """Return the label of its pool."""
        return () if self.pool is None else (self.pool,)

    def own_pool(self) -> OwnPool:
        """Name the test's own pool, unless another is named."""
        return used(self.pool)


ACQUIRE = Key("acquire", SOME_NAMES, "borrow a connection for each label", "[a, b]", True)


def _read_acquire(scope: Scope, fields: Fields) -> Acquire:
    """Read an acquire; its labels are bound unless it must fail."""
    words = fields.get(ACQUIRE) or ()
    pool = scope.pool_of(fields)
    if fields.has(FAILS) and len(words) > 1:
        message = f"'fails' applies to one acquire, not to {len(words)}"
        scope.reader.problem(fields.at(FAILS), message, "write a step for each label")
    if not fields.has(FAILS):
        for word in words:
            scope.bind(word, Naming.LABEL, pool)
    return Acquire(
        fields.node.line,
        texts(words),
        pool,
        fields.get(TIMEOUT),
        fields.get(FAILS),
        fields.get(TOOK),
        fields.get(SAYS) or (),
    )


def _write_acquire(step: Acquire, body: Body) -> Lines:
    arguments = "" if step.timeout is None else f"timeout={value(step.timeout)}"
    for label in step.labels:
        target = "" if step.fails else body.bind(label)
        call = f"{target}{body.awaits}{python.pool(step.pool)}.acquire({arguments})"
        yield from guarded(guard(step, body, step.took), call)


def _say_acquire(step: Acquire) -> Sentence:
    parts = [f"Acquire {amounts.labels(step.labels)}{amounts.source(step.pool)}"]
    if step.timeout is not None:
        parts.append(f", waiting {amounts.seconds(step.timeout)} at most")
    return Sentence("".join(parts) + must(step, step.took))


# --- connect -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Connect(Step):
    """Open a connection of the test's own, that no pool knows."""

    label: str

    def binds(self) -> tuple[str, ...]:
        """Return its label."""
        return (self.label,)


CONNECT = Key("connect", NAME, "open a connection outside of every pool", "stray", True)


def _read_connect(scope: Scope, fields: Fields) -> Connect | None:
    word = fields.get(CONNECT)
    if word is None:
        return None
    scope.bind(word, Naming.LABEL, hold=Hold.STRAY)
    return Connect(fields.node.line, word.text)


def _write_connect(step: Connect, body: Body) -> Lines:
    yield f"{body.bind(step.label)}{body.awaits}lab.connect()"


def _say_connect(step: Connect) -> Sentence:
    return Sentence(f"Open {code(step.label)}, a connection outside of the pool.")


# --- release -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Release(Step):
    """Release connections."""

    labels: tuple[str, ...]
    """Empty for `release: nothing`, which passes None to the pool."""
    pool: str | None = None
    fails: ErrorKind | None = None
    says: tuple[str, ...] = ()
    may_refuse: bool = False
    """The pool may refuse the release; a connection that was released before may be released so."""

    def reads(self) -> tuple[str, ...]:
        """Return its labels and the label of its pool."""
        return self.labels if self.pool is None else (self.pool, *self.labels)

    def own_pool(self) -> OwnPool:
        """Name the test's own pool, unless another is named."""
        return used(self.pool)


def _read_released(reader: Reader, node: Node) -> tuple[Word, ...]:
    if isinstance(node, ScalarNode) and node.text == "nothing":
        return ()
    if isinstance(node, ScalarNode) and node.plain and node.text in ("", "~", "null"):
        raise Wrong(node, "release needs a label", "to pass None to the pool, write: nothing")
    return SOME_NAMES.read(reader, node)


RELEASED: Kind[tuple[Word, ...]] = Kind(
    "a name, a list of names or `nothing`",
    _read_released,
    {"anyOf": [{"const": "nothing"}, SOME_NAMES.schema]},
)
RELEASE = Key("release", RELEASED, "release connections; `nothing` passes None", "[a, b]", True)
TO = Key(
    "to",
    NAME,
    "the pool to release to",
    "shared",
    default="the pool they came from",
)


def _read_release(scope: Scope, fields: Fields) -> Release:
    """Read a release; its labels are gone unless it must fail."""
    words = fields.get(RELEASE) or ()
    fails, may_refuse = fields.has(FAILS), fields.get(MAY_REFUSE) or False
    if fails and len(words) > 1:
        message = f"'fails' applies to one release, not to {len(words)}"
        scope.reader.problem(fields.at(FAILS), message, "write a step for each label")
    if fails and may_refuse:
        message = "this step must fail, so the pool cannot be free to refuse"
        scope.reader.problem(fields.at(MAY_REFUSE), message, "keep one of them")
    pools = [_taken_from(scope, word, fields) for word in words]
    if len(set(pools)) > 1:
        message = "these connections come from different pools"
        scope.reader.problem(fields.node, message, "write a step for each pool")
    target = fields.get(TO)
    if target:
        scope.find(target, Naming.POOL)
        pools = [target.text]
    if not pools or pools[0] is None:
        scope.names.own_pool.append(fields.node)
    pool = pools[0] if pools else None
    says = fields.get(SAYS) or ()
    return Release(fields.node.line, texts(words), pool, fields.get(FAILS), says, may_refuse)


def _taken_from(scope: Scope, word: Word, fields: Fields) -> str | None:
    """Take a connection away from its label; return the pool it came from."""
    thing = scope.find(word, Naming.LABEL)
    if thing is None:
        return None
    fails, may_refuse = fields.has(FAILS), fields.get(MAY_REFUSE) or False
    if fails or (may_refuse and thing.hold is not Hold.HELD):
        return thing.pool
    if thing.hold is Hold.BLOCK:
        message = f"{shown(word.text)} is released at the end of its block"
        scope.reader.problem(word.node, message, "leave this step out, or add fails: …")
    elif thing.hold is Hold.ENTERED:
        message = f"{shown(word.text)} is released when its block is left"
        scope.reader.problem(word.node, message, f"write: leave: {word.text}, or add fails: …")
    elif thing.hold is Hold.GONE:
        report_gone(scope, word, thing, "if the step must fail, say how: fails: …")
    else:
        thing.hold, thing.gone_line = Hold.GONE, fields.node.line
    return thing.pool


def report_gone(scope: Scope, word: Word, thing: Thing, hint: str) -> None:
    """Report that a connection was released before."""
    message = f"{shown(word.text)} was released in line {thing.gone_line}"
    scope.reader.problem(word.node, message, hint)


def _write_release(step: Release, body: Body) -> Lines:
    may_refuse = ", may_refuse=True" if step.may_refuse else ""
    for name in [variable(label) for label in step.labels] or ["None"]:
        call = f"{body.awaits}{python.pool(step.pool)}.release({name}{may_refuse})"
        yield from guarded(guard(step, body), call)


def _say_release(step: Release) -> Sentence:
    labels = amounts.labels(step.labels) if step.labels else "nothing (`None`)"
    target = f" to {code(step.pool)}" if step.pool is not None else ""
    refusal = " (the pool may refuse)" if step.may_refuse else ""
    return Sentence(f"Release {labels}{target}{refusal}{must(step)}")


KINDS = (
    StepKind(
        "acquire",
        (ACQUIRE, FROM, TIMEOUT, FAILS, TOOK, SAYS),
        Acquire,
        _read_acquire,
        _write_acquire,
        _say_acquire,
        key_needs={TIMEOUT.name: Capability.CALL_TIMEOUT},
        misplaced=ANYWHERE,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        calls=("acquire",),
        arguments=("timeout",),
    ),
    StepKind(
        "connect",
        (CONNECT,),
        Connect,
        _read_connect,
        _write_connect,
        _say_connect,
        calls=("connect",),
    ),
    StepKind(
        "release",
        (RELEASE, TO, MAY_REFUSE, FAILS, SAYS),
        Release,
        _read_release,
        _write_release,
        _say_release,
        misplaced=ANYWHERE,
        calls=("release",),
        arguments=("may_refuse",),
    ),
)
