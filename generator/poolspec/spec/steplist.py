"""The kind of a list of steps: each is a mapping with one verb, and that verb's keys.

The verb decides which table of keys holds. Some verbs stand alone, as a bare word; some may.
"""

from collections.abc import Mapping as Table
from dataclasses import dataclass

from poolspec.errors import expected, shown
from poolspec.spec.fields import (
    Fields,
    Json,
    Kind,
    Place,
    Reader,
    Wrong,
    items,
    mismatch,
    read_fields,
    unknown,
)
from poolspec.spec.fragments import place_schema
from poolspec.spec.tree import Mapping, Node, Scalar

STEPS_SCHEMA: Json = {"$ref": "#/definitions/steps"}
"""Steps hold steps; so their schema is a definition."""

_MAX_STEPS = 1000


@dataclass(frozen=True, slots=True)
class StepList:
    """Steps in order; None stands for one that could not be read."""

    steps: tuple[Fields | None, ...]


NO_STEPS = StepList(())


def steps_kind(verbs: Table[str, Place]) -> Kind[StepList]:
    """A list of steps. The table of verbs may be filled after the kind is made."""

    def read(reader: Reader, node: Node) -> StepList:
        nodes = items(node, "a list of steps")
        if len(nodes) > _MAX_STEPS:
            raise Wrong(node, f"{len(nodes):,} steps; at most {_MAX_STEPS:,} are allowed")
        return StepList(tuple(_try_step(reader, item, verbs) for item in nodes))

    return Kind("a list of steps", read, STEPS_SCHEMA)


def steps_schema(verbs: Table[str, Place]) -> Json:
    """How JSON Schema describes a list of steps."""
    bare = [verb for verb, place in verbs.items() if _may_be_bare(place)]
    steps = [{**place_schema(p), "required": _demanded(p)} for p in verbs.values() if p.keys]
    return {"type": "array", "items": {"anyOf": [*steps, {"enum": bare}]}}


def _may_be_bare(place: Place) -> bool:
    return not place.keys or not place.keys[0].required


def _demanded(place: Place) -> list[str]:
    """The keys of a step that is a mapping: its verb, and what the verb needs."""
    return [key.name for at, key in enumerate(place.keys) if key.required or at == 0]


def _try_step(reader: Reader, node: Node, verbs: Table[str, Place]) -> Fields | None:
    try:
        return _read_step(reader, node, verbs)
    except Wrong as fault:
        reader.wrong(fault)
        return None


def _read_step(reader: Reader, node: Node, verbs: Table[str, Place]) -> Fields:
    if isinstance(node, Scalar):
        return _bare(node, verbs)
    if not isinstance(node, Mapping):
        raise mismatch(node, "a step", "a step is a mapping with one verb, as in: - acquire: a")
    found = [head for head, _ in node.pairs if head.text in verbs]
    if not found:
        raise _without_verb(node, verbs)
    if len(found) > 1:
        said = f"{shown(found[0].text)} and {shown(found[1].text)}"
        raise Wrong(found[1], f"a step has one verb, this has {said}", "write two steps")
    place = verbs[found[0].text]
    if not place.keys:
        raise Wrong(found[0], f"{shown(found[0].text)} stands alone", f"write: - {found[0].text}")
    return read_fields(reader, node, place)


def _bare(node: Scalar, verbs: Table[str, Place]) -> Fields:
    place = verbs.get(node.text)
    if place is None:
        raise Wrong(node, f"unknown step {shown(node.text)}", expected(verbs, node.text))
    if not _may_be_bare(place):
        example = f"- {place.keys[0].name}: {place.keys[0].example}"
        raise Wrong(node, f"the step {shown(node.text)} needs a value", f"write: {example}")
    return Fields(place, node)


def _without_verb(node: Mapping, verbs: Table[str, Place]) -> Wrong:
    modifiers = {name for place in verbs.values() for name in place.names}
    for head, _ in node.pairs:
        if head.text not in modifiers:
            return unknown(head, tuple(verbs))
    return Wrong(node, "a step without a verb", expected(verbs))
