"""The outline of a test: all its steps and expectations, inside blocks or not."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from poolspec.expectations.figures import HOOKS
from poolspec.expectations.registry import EXPECT
from poolspec.spec.fields import Fields, Reader, Word
from poolspec.spec.scope import Names
from poolspec.spec.steplist import StepList
from poolspec.steps.actors import START
from poolspec.steps.kind import KINDS, Trait, kind_of


@dataclass(frozen=True, slots=True)
class Outline:
    """All steps and expectations of a test."""

    reader: Reader
    steps: tuple[tuple[str, str, Fields], ...]
    """The actor that does it (empty: the main body), the verb, and its fields."""
    actors: dict[str, Fields | StepList]
    expectations: tuple[Fields, ...]
    hooks: dict[str, str]
    """The hooks of the test's pools, by place."""

    @property
    def verbs(self) -> frozenset[str]:
        """The verbs of all steps."""
        return frozenset(verb for _, verb, _ in self.steps)

    @property
    def traits(self) -> Trait:
        """The traits of all steps together."""
        found = Trait.NONE
        for verb in self.verbs:
            found |= KINDS[verb].traits
        return found

    def of(self, verb: str) -> Iterable[Fields]:
        """Return the steps with a verb."""
        return (fields for _, found, fields in self.steps if found == verb)

    def does(self, actor: str, *verbs: str) -> bool:
        """Return whether an actor takes one of these steps."""
        return any(owner == actor and verb in verbs for owner, verb, _ in self.steps)

    def borrows(self, actor: str) -> bool:
        """Return whether an actor may ever ask for a connection."""
        own = (KINDS[verb] for owner, verb, _ in self.steps if owner == actor)
        return any(Trait.BORROWS in kind.traits for kind in own)


def outline_of(reader: Reader, fields: Fields, names: Names) -> Outline:
    """Return the outline of a test, by its fields."""
    found = [(owner, inner, kind_of(inner)) for owner, inner in _walk(fields, "")]
    steps = tuple((owner, kind.verb, inner) for owner, inner, kind in found if kind)
    starts = (inner.get(START) or () for _, verb, inner in steps if verb == START.name)
    actors = {word.text: actor for given in starts for word, actor in given}
    expectations = tuple(inner for _, inner, _ in found if inner.place is EXPECT)
    options = {name: value for given, _ in names.options for name, value in given}
    hooks = {name: str(options[name]) for name in HOOKS.names if name in options}
    return Outline(reader, steps, actors, expectations, hooks)


def _walk(value: object, owner: str) -> Iterator[tuple[str, Fields]]:
    """Yield all fields inside a value, each with the actor that it belongs to."""
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
