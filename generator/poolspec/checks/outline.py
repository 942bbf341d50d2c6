"""A test as a story: all that happens in it, and all that it expects, wherever it is written."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from poolspec.language import grammar_expect as e
from poolspec.language import grammar_steps as s
from poolspec.spec.fields import Fields, Reader, Word
from poolspec.spec.scope import Names
from poolspec.steps.steplist import StepList

BORROWS_NOTHING = frozenset(
    (
        *("advance", "cancel", "close", "close_all", "connect", "expect", "fault", "heal"),
        *("maintain", "query", "release", "resize", "resume", "suspend"),
    )
)
"""Steps that never ask for a connection."""


@dataclass(frozen=True, slots=True)
class Story:
    """All that happens in a test, wherever it is written."""

    reader: Reader
    steps: tuple[tuple[str, str, Fields], ...]
    """Who does it (empty: the main body), the verb, and its fields."""
    actors: dict[str, Fields | StepList]
    expectations: tuple[Fields, ...]
    hooks: dict[str, str]
    """The hooks that the test's pools are given, by place."""

    @property
    def verbs(self) -> frozenset[str]:
        """The verbs of all steps."""
        return frozenset(verb for _, verb, _ in self.steps)

    def of(self, verb: str) -> Iterable[Fields]:
        """The steps with a verb."""
        return (fields for _, found, fields in self.steps if found == verb)

    def borrows(self, actor: str) -> bool:
        """Whether an actor may ever ask for a connection."""
        own = {verb for owner, verb, _ in self.steps if owner == actor}
        return not own <= BORROWS_NOTHING


def told(reader: Reader, fields: Fields, names: Names) -> Story:
    """What happens in a test, by its fields."""
    found = [(owner, inner) for owner, inner in _walk(fields, "")]
    steps = tuple(
        (owner, inner.place.name.removeprefix("the step "), inner)
        for owner, inner in found
        if inner.place.name.startswith("the step ")
    )
    starts = (inner.get(s.START) or () for _, verb, inner in steps if verb == "start")
    actors = {word.text: actor for given in starts for word, actor in given}
    expectations = tuple(inner for _, inner in found if inner.place is e.EXPECT)
    options = {name: value for given, _ in names.options for name, value in given}
    hooks = {name: str(options[name]) for name in e.HOOKS.names if name in options}
    return Story(reader, steps, actors, expectations, hooks)


def _walk(value: object, owner: str) -> Iterator[tuple[str, Fields]]:
    """All fields inside a value, with the actor whose they are."""
    if isinstance(value, Fields):
        yield owner, value
        for inner in value.values.values():
            yield from _walk(inner, owner)
    elif isinstance(value, StepList):
        for step in value.steps:
            yield from _walk(step, owner)
    elif isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Word):
        yield from _walk(value[1], value[0].text)
    elif isinstance(value, tuple):
        for item in value:
            if isinstance(item, tuple):
                yield from _walk(item, owner)
