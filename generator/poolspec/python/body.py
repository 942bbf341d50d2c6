"""What a template may ask while it writes the body of a test.

A scope is the body of a test, or of one of its actors, for threads or for asyncio. It knows which
labels are read again (the others are not bound, for nothing would read them), and it writes down
each name of the runtime that it hands out: those are the module's imports.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from poolspec.model import (
    Acquire,
    Actor,
    Check,
    Checks,
    EventsExpectation,
    GlobalPool,
    LoanExpectation,
    Open,
    Query,
    Release,
    SpecTest,
    Step,
    Transaction,
    With,
)
from poolspec.python import literals, names
from poolspec.rendering.reading import read_by, read_in, rebound, walk
from poolspec.vocabulary import BodyFailure, CheckOp, Concurrency

_Guarded = Acquire | Release | Query | GlobalPool | Open | With | Transaction
_FAILURES = {BodyFailure.ERROR: "BodyError", BodyFailure.INTERRUPT: "BodyInterrupt"}


@dataclass(frozen=True, slots=True)
class Scope:
    """One body of statements."""

    steps: tuple[Step, ...]
    used: frozenset[str]
    """Labels that this body, or an actor started in it, refers to."""
    imports: set[str]
    concurrency: Concurrency
    helpers: Counter[str]
    """How many functions of each name the test has so far."""

    @property
    def awaits(self) -> str:
        """What stands before a call that may wait."""
        return "await " if self.concurrency is Concurrency.ASYNCIO else ""

    @property
    def async_(self) -> str:
        """What stands before a function, or a `with`, that may wait."""
        return "async " if self.concurrency is Concurrency.ASYNCIO else ""

    @property
    def lab(self) -> str:
        """The type of the lab."""
        return self.use("AsyncLab" if self.concurrency is Concurrency.ASYNCIO else "Lab")

    @property
    def cut(self) -> str:
        """The type of what cuts a block short."""
        return self.use("AsyncCut" if self.concurrency is Concurrency.ASYNCIO else "Cut")

    @property
    def actor(self) -> str:
        """The function that describes an actor."""
        return self.use("async_actor" if self.concurrency is Concurrency.ASYNCIO else "actor")

    def variables(self, labels: Iterable[str]) -> list[str]:
        """Return the variables of labels."""
        return [names.variable(label) for label in labels]

    def pool(self, label: str | None) -> str:
        """Return the variable of a pool: a global one, or the test's own."""
        return "pool" if label is None else names.variable(label)

    def bind(self, label: str) -> str:
        """Return the left side of an assignment, or nothing for a label that is never read."""
        return f"{names.variable(label)} = " if label in self.used else ""

    def bind_as(self, label: str) -> str:
        """Return the `as` part of a `with`, or nothing for a label that is never read."""
        return f" as {names.variable(label)}" if label in self.used else ""

    def of(self, actor: Actor) -> "Scope":
        """Return the scope of an actor's steps."""
        return _scope(actor.steps, (), self.imports, self.concurrency, self.helpers)

    def rebound(self) -> list[str]:
        """Return variables of the enclosing body that this one reads first and binds later."""
        return self.variables(rebound(self.steps))

    def use(self, name: str) -> str:
        """Return a name of the runtime, and have it imported."""
        self.imports.add(name)
        return name

    def helper(self, name: str) -> str:
        """Return the name of a function inside of the test; none is given twice."""
        self.helpers[name] += 1
        number = self.helpers[name]
        return name if number == 1 else f"{name}_{number}"

    def member(self, word: StrEnum) -> str:
        """Return an enum member of the vocabulary."""
        return f"{self.use(type(word).__name__)}.{word.name}"

    def members(self, words: Iterable[StrEnum]) -> str:
        """Return enum members, separated by commas."""
        return ", ".join(self.member(word) for word in words)

    def check(self, wanted: Check) -> str:
        """Return a comparison."""
        if wanted.op is not CheckOp.EQUAL:
            self.use(literals.FUNCTIONS[wanted.op])
        return literals.check(wanted)

    def checks(self, wanted: Checks) -> str:
        """Return comparisons as keyword arguments."""
        return ", ".join(f"{names.word(name)}={self.check(check)}" for name, check in wanted)

    def by_name(self, wanted: Checks) -> str:
        """Return comparisons as a dictionary, for names such as `p99.9` and `idle.max`."""
        pairs = (f"{literals.literal(name)}: {self.check(check)}" for name, check in wanted)
        return f"{{{', '.join(pairs)}}}"

    def by_member(self, pairs: Iterable[tuple[StrEnum, Check | int]]) -> str:
        """Return a dictionary by enum member: of comparisons, or of numbers."""
        written = (
            f"{self.member(key)}: "
            f"{self.check(given) if isinstance(given, Check) else literals.literal(given)}"
            for key, given in pairs
        )
        return f"{{{', '.join(written)}}}"

    def events(self, wanted: EventsExpectation) -> str:
        """Return the arguments of an expectation of events."""
        kinds = [self.member(kind) for kind in wanted.kinds]
        return ", ".join([*kinds, f"exactly={wanted.exactly!r}"])

    def loans(self, wanted: Iterable[LoanExpectation]) -> str:
        """Return what is expected of loans, a dictionary for each."""
        return ", ".join(self._loan(loan) for loan in wanted)

    def _loan(self, wanted: LoanExpectation) -> str:
        parts = [] if wanted.by is None else [f'"by": {literals.literal(wanted.by)}']
        if wanted.seconds is not None:
            parts.append(f'"seconds": {self.check(wanted.seconds)}')
        if wanted.where is not None:
            parts.append(f'"where": {literals.literal(wanted.where)}')
        return f"{{{', '.join(parts)}}}"

    def failure(self, step: With | Transaction) -> str:
        """Return the exception that the body of a block raises, or nothing."""
        return self.use(_FAILURES[step.raises]) if step.raises else ""

    def guard(self, step: _Guarded) -> str:
        """Return the context manager of a step that must fail, or take so long; or nothing."""
        took = step.took if isinstance(step, Acquire | Query | Open) else None
        if step.fails is None:
            return self.timed(took)
        timed = f", took={self.check(took)}" if took else ""
        saying = f", saying={literals.row(step.says)}" if step.says else ""
        naming = self._naming(step) if isinstance(step, Open) and step.names else ""
        return f"lab.fails({self.member(step.fails)}{timed}{saying}{naming})"

    def _naming(self, step: Open) -> str:
        details = ", ".join(self.member(word) for word in (step.target, *step.names))
        return f", naming=lab.details({details})"

    def timed(self, took: Check | None) -> str:
        """Return the context manager of what must take so long; or nothing."""
        return f"lab.took({self.check(took)})" if took else ""

    def around(self, step: With | Transaction) -> str:
        """Return the context manager around a block that fails or raises; or nothing."""
        failure = self.failure(step)
        if isinstance(step, Transaction) and step.ends_with:
            return f"lab.fails({self.member(step.ends_with)})"
        return f"pytest.raises({failure})" if failure else self.guard(step)


def of_test(test: SpecTest, imports: set[str], concurrency: Concurrency) -> Scope:
    """Return the scope of a test's body; `imports` collects what all tests of a module use."""
    return _scope(test.steps, read_by(test.expect), imports, concurrency, Counter())


def _scope(
    steps: tuple[Step, ...],
    read_later: Iterable[str],
    imports: set[str],
    concurrency: Concurrency,
    helpers: Counter[str],
) -> Scope:
    used = frozenset(label for step in walk(steps) for label in read_in(step))
    return Scope(steps, used.union(read_later), imports, concurrency, helpers)
