"""Kinds of values, and tables of keys.

A `Kind` holds everything about one sort of value: its name in messages, how to read it from a
node, and how JSON Schema describes it. A `Key` gives a kind a name, a place and a meaning. A
`Place` is the table of keys of one sort of mapping. The grammar is made of these and nothing else,
so the reader, the JSON Schema of editors and the tables of the guide cannot differ.

A kind's `read` raises `Wrong` if it can make nothing of the node. A kind of several parts reports
the faulty parts and returns the others, so that one fault does not hide the next.
"""

from collections.abc import Callable
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from poolspec.errors import expected, nearest, shown
from poolspec.spec.quantities import Quantity
from poolspec.spec.source import Source
from poolspec.spec.tree import Mapping, Node, Part, Scalar, Sequence, paths
from poolspec.spec.values import Check, Formula

T = TypeVar("T")
_MAX_WORD = 100
Json = dict[str, Any]


class Wrong(Exception):  # noqa: N818 - control flow inside this package, never seen outside
    """A node does not fit its place."""

    def __init__(self, node: Node, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.node = node
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Word:
    """A name, and where it stands."""

    text: str
    node: Node


@dataclass(frozen=True, slots=True)
class Use:
    """A matrix parameter used as a number of some quantity, or, without one, as anything."""

    name: str
    node: Node
    quantity: Quantity | None
    check: Check | None = None
    """The comparison that it is part of."""
    whole: Formula | None = None
    """The formula that it begins; the quantity is that of the formula's result."""


@dataclass(slots=True)
class Reader:
    """Reads one file: takes note of its problems, and of the matrix parameters it uses."""

    source: Source
    root: Node
    uses: list[Use] = field(default_factory=list)
    _paths: dict[int, str] = field(default_factory=dict)

    def problem(self, node: Node, message: str, hint: str = "") -> None:
        """Report a problem with a node."""
        self._paths = self._paths or paths(self.root)
        whole = node.whole if isinstance(node, Part) else node
        self.source.report(
            node.line,
            node.column,
            message,
            hint=hint,
            key_path=self._paths.get(id(whole), ""),
            width=self._width(node),
        )

    def wrong(self, fault: Wrong) -> None:
        """Report a fault that reading a node has raised."""
        self.problem(fault.node, fault.message, fault.hint)

    def _width(self, node: Node) -> int:
        if not isinstance(node, Scalar):
            return 1
        rest = self.source.line(node.line)[node.column - 1 :]
        first = node.text.split("\n", 1)[0]
        found = rest.find(first)
        return max(1, len(first) + 2 * (found == 1)) if found in (0, 1) else 1


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One sort of value."""

    words: str
    """As errors and the documentation call it: 'a duration'."""
    read: Callable[[Reader, Node], T]
    schema: Json


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """One key of a place."""

    name: str
    kind: Kind[T]
    meaning: str
    example: str
    """A value, as YAML on one line."""
    required: bool = False
    default: str = ""
    """The default where the key is left out, in words."""
    of_test: bool = False
    """Its value is a name of the test: the code that knows the names reports that it is missing."""


@dataclass(frozen=True, slots=True)
class Place:
    """A sort of mapping, and the keys it has."""

    name: str
    """As errors call it: 'a test'."""
    keys: tuple[Key[Any], ...]
    other: Kind[Any] | None = None
    """Of mappings under keys that are not in the table: names of the writer's choice."""
    by_name: Table[str, Key[Any]] = field(init=False)
    names: tuple[str, ...] = field(init=False)
    required: tuple[Key[Any], ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {key.name: key for key in self.keys})
        object.__setattr__(self, "names", tuple(key.name for key in self.keys))
        object.__setattr__(self, "required", tuple(key for key in self.keys if key.required))


class Fields:
    """The contents of one mapping: values by key, in the order of the file."""

    __slots__ = ("heads", "node", "nodes", "others", "place", "sound", "uses", "values")

    def __init__(self, place: Place, node: Node) -> None:
        self.place = place
        self.node = node
        self.values: dict[str, Any] = {}
        """Each of its key's kind, which has read it."""
        self.nodes: dict[str, Node] = {}
        self.heads: dict[str, Scalar] = {}
        self.others: list[tuple[Scalar, Node]] = []
        """Mappings under keys of the writer's choice, not read yet."""
        self.uses: list[Use] = []
        self.sound = True
        """Nothing is missing, unknown or wrong directly in this mapping."""

    def get(self, key: Key[T]) -> T | None:
        """The value of a key; None where it is absent or wrong."""
        return self.values.get(key.name)

    def has(self, key: Key[Any]) -> bool:
        """Whether the key was given, rightly or wrongly."""
        return key.name in self.nodes

    def at(self, key: Key[Any]) -> Node:
        """Where the key stands, or, where it is absent, the mapping it is missing from."""
        return self.heads.get(key.name, self.node)


def read_fields(reader: Reader, node: Node, place: Place) -> Fields:
    """Read a mapping by a table of keys. Raises `Wrong` only if it is no mapping."""
    if not isinstance(node, Mapping):
        raise Wrong(
            node, f"{place.name} must be a mapping, not {found(node)}", expected(place.names)
        )
    fields = Fields(place, node)
    first_use = len(reader.uses)
    for head, value in node.pairs:
        try:
            _read_pair(reader, fields, head, value)
        except Wrong as fault:
            fields.sound = False
            reader.wrong(fault)
    fields.uses = reader.uses[first_use:]
    if missing := [key for key in place.required if key.name not in fields.nodes]:
        fields.sound = False
        _report_missing(reader, node, place, missing)
    return fields


def _report_missing(reader: Reader, node: Mapping, place: Place, missing: list[Key[Any]]) -> None:
    """Report missing keys, except those that an unknown key was reported to mean."""
    unknown_heads = [head.text for head, _ in node.pairs if head.text not in place.by_name]
    reported = {nearest(head, place.names) for head in unknown_heads}
    for key in missing:
        if not key.of_test and key.name not in reported:
            hint = f"add it: {key.name}: {key.example} ({key.meaning})"
            reader.problem(node, f"{place.name} needs the key {key.name!r}", hint)


def _read_pair(reader: Reader, fields: Fields, head: Scalar, value: Node) -> None:
    place = fields.place
    name = head.text
    key = place.by_name.get(name)
    if key is None:
        if place.other is None or not isinstance(value, Mapping):
            raise unknown(head, place.names)
        fields.others.append((head, value))
        return
    fields.nodes[name] = value
    fields.heads[name] = head
    fields.values[name] = key.kind.read(reader, value)


def unknown(head: Scalar, names: tuple[str, ...]) -> Wrong:
    """The fault of a key that its place does not have."""
    return Wrong(head, f"unknown key {shown(head.text)}", expected(names, head.text))


def found(node: Node) -> str:
    """Return a node in words."""
    if isinstance(node, Mapping):
        return "a mapping"
    if isinstance(node, Sequence):
        return "a list"
    return "nothing" if node.plain and node.text in ("", "~", "null") else shown(node.text)


def mismatch(node: Node, kind: str, hint: str = "") -> Wrong:
    """The fault of a node that is of another kind than its place wants."""
    return Wrong(node, f"expected {kind}, found {found(node)}", hint)


def short(node: Node, kind: str) -> str:
    """The text of a single value that is a word or a phrase, and no more. Raises `Wrong`."""
    text = scalar(node, kind).text
    if len(text) > _MAX_WORD:
        raise mismatch(node, kind)
    return text


def scalar(node: Node, kind: str) -> Scalar:
    """The node, if it is a single value that is not null. Raises `Wrong`."""
    if not isinstance(node, Scalar) or (node.plain and node.text in ("", "~", "null")):
        raise mismatch(node, kind)
    return node


def items(node: Node, kind: str) -> list[Node]:
    """The items of a list. Raises `Wrong`."""
    if not isinstance(node, Sequence):
        keyed = isinstance(node, Mapping)
        raise mismatch(node, kind, "begin each of them with '- '" if keyed else "")
    return node.items
