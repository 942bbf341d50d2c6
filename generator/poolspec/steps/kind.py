"""The registry of steps: a row for each verb, and the functions that go through the rows.

A row holds everything about a step: its keys, its model, the reader that makes the model from
fields, the writer of its Python, its sentence in the report, the capabilities it needs, and the
places where it may stand. The reader of specs, the JSON Schema, the guide, the checks, the
renderer, the allow-list of the shape check and the report read the rows. A family module defines
its rows; the package's `__init__` lists the families.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Flag, StrEnum, auto
from typing import Any, Final, Generic, TypeVar

from poolspec.errors import shown
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Line, Lines, indented
from poolspec.spec.common import FAILS, SAYS, TOOK
from poolspec.spec.fields import Fields, Key, Place, Word
from poolspec.spec.scope import Among, Scope
from poolspec.spec.steplist import StepList, steps_kind
from poolspec.spec.values import Step
from poolspec.vocabulary import Capability, EventKind
from poolspec.vocabulary.rules import ERRORS

S = TypeVar("S", bound=Step)


class Trait(Flag):
    """Properties of a step that the checks of reachability rely on."""

    NONE = 0
    BORROWS = auto()
    """The step may ask the pool for a connection."""
    TAKES_TIME = auto()
    """The step lets time pass on the virtual clock, or makes others wait."""
    CHANGES_LIMITS = auto()
    """The step may change the pool's limits."""
    BREAKS_CONNECTS = auto()
    """The step may make connects fail."""
    UNKNOWN = auto()
    """The step is the user's own: it may bring about anything."""


ANYWHERE: Final[frozenset[Among]] = frozenset()
ONCE: Final = frozenset({Among.INTERRUPTED})
"""The step cannot stand among steps that are interrupted."""
NOT_REPEATED: Final = ONCE | {Among.ROUND}
"""Nor among the other steps of each round."""
NOT_FORKED: Final = NOT_REPEATED | {Among.FORKED}
"""Nor in a forked child."""


@dataclass(frozen=True, slots=True)
class StepKind(Generic[S]):
    """A row of the registry: everything about one kind of step."""

    verb: str
    keys: tuple[Key[Any], ...]
    """The verb's own key first; without keys, the verb stands alone."""
    model: type[S]
    read: Callable[[Scope, Fields], S | None]
    """Makes the step from its fields; reports problems to the scope's reader."""
    write: Callable[[S, Body], Lines]
    """Yields the step's statements."""
    say: Callable[[S], Sentence]
    """Returns the step's sentence in the report."""
    needs: Capability | None = None
    key_needs: Mapping[str, Capability] = field(default_factory=dict)
    """The capabilities that single keys need."""
    misplaced: frozenset[Among] = ONCE
    """Steps among which this step cannot stand."""
    traits: Trait = Trait.NONE
    expects: tuple[Key[Any], ...] = ()
    """Keys by which the step expects something, besides `fails` and `took`."""
    brings: EventKind | None = None
    """The event that only this step brings about."""
    calls: tuple[str, ...] = ()
    """Methods that the step's statements call."""
    arguments: tuple[str, ...] = ()
    """Names of the arguments that its statements use."""
    enums: tuple[type[StrEnum], ...] = ()
    """Enums whose members its statements name."""
    imports: tuple[str, ...] = ()
    """Other names of the lab that its statements use."""
    place: Place = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", Place(f"the step {self.verb}", self.keys))


KINDS: Final[dict[str, StepKind[Any]]] = {}
"""All rows by verb, in the order of the guide; filled by the package's `__init__`."""
PLACES: Final[dict[str, Place]] = {}
"""The keys of each step, by verb."""
STEPS: Final = steps_kind(PLACES)
"""The kind of value that is a list of steps."""
_BY_PLACE: Final[dict[str, StepKind[Any]]] = {}
_BY_MODEL: Final[dict[type[Step], StepKind[Any]]] = {}


def register(kinds: Iterable[StepKind[Any]]) -> None:
    """Add the rows of a family."""
    for kind in kinds:
        KINDS[kind.verb] = _BY_PLACE[kind.place.name] = _BY_MODEL[kind.model] = kind
        PLACES[kind.verb] = kind.place


def kind_of(fields: Fields) -> StepKind[Any] | None:
    """Return the row of the step that some fields belong to; None if they are of another place."""
    return _BY_PLACE.get(fields.place.name)


# --- reading -------------------------------------------------------------------------------------


def build_steps(scope: Scope, steps: StepList) -> tuple[Step, ...]:
    """Return the steps of one body, in order. Problems are reported to the scope's reader."""
    made: list[Step] = []
    for fields in steps.steps:
        if fields is None or not fields.sound:
            scope.names.incomplete = True
        if fields is None:
            continue
        kind = _BY_PLACE[fields.place.name]
        _note(scope, fields, kind)
        _check_place(scope, fields, kind)
        if step := kind.read(scope, fields):
            made.append(step)
    return tuple(made)


def _note(scope: Scope, fields: Fields, kind: StepKind[Any]) -> None:
    """Take note of the expectations and the capabilities that any step may have."""
    names = scope.names
    expecting: tuple[Key[Any], ...] = (FAILS, TOOK, *kind.expects)
    if any(fields.has(key) for key in expecting):
        names.expecting = True
    if fields.has(SAYS) and not fields.has(FAILS):
        message = "'says' checks an error, and none is expected"
        scope.reader.problem(fields.at(SAYS), message, "say how it fails: fails: …")
    names.imply(kind.needs, f"the step {kind.verb!r}", fields.node)
    for name, head in fields.heads.items():
        if not isinstance(fields.values.get(name), Word):  # the name of a pool demands nothing
            names.imply(kind.key_needs.get(name), repr(name), head)
    if took := fields.get(TOOK):
        names.waits.append((took, fields.at(TOOK)))
    if error := fields.get(FAILS):
        names.imply(ERRORS.get(error), f"'fails: {error}'", fields.node)


_MISPLACED = {
    Among.FORKED: (
        "in a forked child",
        "take it out of the step fork: its pools would be counted with those of the parent",
    ),
}
_REPEATED = (
    "among repeated, interrupted or re-entered steps",
    "take it out of the step check_memory, interrupt_everywhere or reenter",
)


def _check_place(scope: Scope, fields: Fields, kind: StepKind[Any]) -> None:
    if scope.among in kind.misplaced:
        where, hint = _MISPLACED.get(scope.among, _REPEATED)
        node = fields.heads.get(kind.verb, fields.node)
        scope.reader.problem(node, f"{shown(kind.verb)} is not allowed {where}", hint)


# --- writing -------------------------------------------------------------------------------------


def statements(steps: Iterable[Step], body: Body) -> list[Line]:
    """Return the statements of steps, each line with the number of its step."""
    return [line for step in steps for line in _placed(step, body)]


def _placed(step: Step, body: Body) -> Iterable[Line]:
    for line in _BY_MODEL[type(step)].write(step, body):
        yield line if isinstance(line, Line) else Line(line, body.numbers[id(step)])


def function(head: str, lines: Sequence[Line]) -> Lines:
    """Yield a function inside a test; one without statements passes."""
    yield Line(f"{head} -> None:", None)
    yield from indented(lines) if lines else ["    pass"]


# --- words ---------------------------------------------------------------------------------------


def say(step: Step) -> Sentence:
    """Return the sentence of a step."""
    sentence: Sentence = _BY_MODEL[type(step)].say(step)
    return replace(sentence, is_step=True)


def say_all(steps: Iterable[Step]) -> tuple[Sentence, ...]:
    """Return the sentences of steps."""
    return tuple(say(step) for step in steps)
