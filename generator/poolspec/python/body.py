"""The body of a generated test, while its statements are written.

A `Body` is the body of a test, or of a function inside it, for threads or for asyncio. It knows
which labels are read later: other labels are not bound. It records each name of the lab that
it hands out: those are the module's imports.

The writer of a step yields its statements line by line. A plain string belongs to the step itself;
a `Line` belongs to another step, or to none.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from poolspec.python import literals, names
from poolspec.spec.values import Check, Checks, Step, numbered, walk
from poolspec.vocabulary import CheckOp, Concurrency

_INDENT = " " * 4


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a test, and the number of its step; None: it belongs to no step."""

    text: str
    step: str | None


Lines = Iterator[str | Line]


@dataclass(frozen=True, slots=True)
class Body:
    """One body of statements."""

    used: frozenset[str]
    """Labels that this body, or a function inside it, refers to."""
    imports: set[str]
    concurrency: Concurrency
    helpers: Counter[str]
    """The number of functions of each name in the test so far."""
    numbers: Mapping[int, str]
    """The number of each step of the test, by the step's identity."""

    @property
    def awaits(self) -> str:
        """The text before a call that may wait."""
        return "await " if self.concurrency is Concurrency.ASYNCIO else ""

    @property
    def async_(self) -> str:
        """The text before a function, or a `with`, that may wait."""
        return "async " if self.concurrency is Concurrency.ASYNCIO else ""

    def variant(self, name: str) -> str:
        """Return a class of the lab, such as `Lab`, in its form for this concurrency."""
        return self.use(f"Async{name}" if self.concurrency is Concurrency.ASYNCIO else name)

    @property
    def lab(self) -> str:
        """The type of the lab."""
        return self.variant("Lab")

    @property
    def actor(self) -> str:
        """The function that describes an actor."""
        return self.use("async_actor" if self.concurrency is Concurrency.ASYNCIO else "actor")

    def bind(self, label: str) -> str:
        """Return the left side of an assignment, or nothing for a label that is never read."""
        return f"{names.variable(label)} = " if label in self.used else ""

    def bind_as(self, label: str) -> str:
        """Return the `as` part of a `with`, or nothing for a label that is never read."""
        return f" as {names.variable(label)}" if label in self.used else ""

    def of(self, steps: tuple[Step, ...]) -> "Body":
        """Return the body of a function inside it."""
        return replace(self, used=_labels(steps))

    def use(self, name: str) -> str:
        """Return a name of the lab, and have it imported."""
        self.imports.add(name)
        return name

    def helper(self, name: str) -> str:
        """Return the name of a function inside the test; each name is handed out once."""
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

    def timed(self, took: Check | None) -> str:
        """Return the context manager of a step that must take a certain time; or nothing."""
        return f"lab.took({self.check(took)})" if took else ""


def body_of(
    steps: tuple[Step, ...],
    read_later: Iterable[str],
    imports: set[str],
    concurrency: Concurrency,
) -> Body:
    """Return the body of a test; `imports` collects the names of the lab that it uses."""
    numbers = {id(step): number for number, step in numbered(steps)}
    used = _labels(steps).union(read_later)
    return Body(used, imports, concurrency, Counter(), numbers)


def _labels(steps: tuple[Step, ...]) -> frozenset[str]:
    """Return the labels that steps refer to."""
    return frozenset(label for step in walk(steps) for label in step.reads())


def pool(label: str | None) -> str:
    """Return the variable of a pool: one that a step made, or the test's own."""
    return "pool" if label is None else names.variable(label)


def guarded(guard: str, call: str) -> Iterator[str]:
    """Yield a call, under its guard if it has one."""
    if guard:
        yield f"with {guard}:"
        yield f"{_INDENT}{call}"
    else:
        yield call


def indented(lines: Iterable[Line]) -> Iterator[Line]:
    """Yield lines one level deeper."""
    for line in lines:
        yield Line(f"{_INDENT}{line.text}", line.step)


def rebound(steps: tuple[Step, ...]) -> list[str]:
    """Return variables that are read before they are bound: Python would call them unbound."""
    bound: set[str] = set()
    early: dict[str, None] = {}
    for step in _same_function(steps):
        early.update((label, None) for label in step.reads() if label not in bound)
        bound.update(step.binds())
    return [names.variable(label) for label in early if label in bound]


def _same_function(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _same_function(step.inside())
