"""JSON values in a spec: objects, lists, texts, numbers, truth values and null."""

from collections.abc import Iterator
from dataclasses import dataclass

from poolspec.errors import shown
from poolspec.spec.fields import Json, Kind, Reader, Wrong
from poolspec.spec.kinds import scalar_kind
from poolspec.spec.tree import Mapping, Node, Sequence
from poolspec.spec.values import Scalar

_MOST_LETTERS = 200


@dataclass(frozen=True, slots=True)
class JsonObject:
    """A JSON object."""

    pairs: tuple[tuple[str, "JsonValue"], ...]


@dataclass(frozen=True, slots=True)
class JsonList:
    """A JSON array."""

    items: tuple["JsonValue", ...]


JsonValue = Scalar | JsonObject | JsonList
_SCALAR = scalar_kind("a JSON value")
_SCHEMA: Json = {"type": ["object", "array", "string", "number", "boolean", "null"]}


def _read(reader: Reader, node: Node) -> JsonValue:
    if isinstance(node, Mapping):
        return JsonObject(tuple(_pairs(reader, node)))
    if isinstance(node, Sequence):
        return JsonList(tuple(_read(reader, item) for item in node.items))
    return _SCALAR.read(reader, node)


def _pairs(reader: Reader, node: Mapping) -> Iterator[tuple[str, JsonValue]]:
    for head, value in node.pairs:
        if len(head.text) > _MOST_LETTERS:
            raise Wrong(head, f"{shown(head.text)} is a long name", f"at most {_MOST_LETTERS}")
        yield head.text, _read(reader, value)


JSON = Kind("a JSON value", _read, _SCHEMA)
