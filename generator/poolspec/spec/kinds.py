"""The kinds of single values, and the ways to build a kind from others."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from poolspec.errors import expected, shown
from poolspec.spec.fields import (
    Fields,
    Json,
    Kind,
    Place,
    Reader,
    Use,
    Word,
    Wrong,
    items,
    mismatch,
    read_fields,
    scalar,
    short,
)
from poolspec.spec.formulas import PARAMETER, parameters
from poolspec.spec.fragments import (
    comparison_schema,
    number_schema,
    place_schema,
    value_choices,
    value_schema,
)
from poolspec.spec.quantities import Quantity, check, operands
from poolspec.spec.scalars import YAML_WORDS, resolve, word_value
from poolspec.spec.tree import Mapping, Node, Scalar, Sequence
from poolspec.spec.values import Check, Formula, Ref, Value
from poolspec.spec.values import Scalar as ScalarValue

T = TypeVar("T")
U = TypeVar("U")
E = TypeVar("E", bound=StrEnum)

_ANY_SCALAR: Json = {"type": ["string", "number", "boolean", "null"]}


def text_kind(words: str, limit: int) -> Kind[str]:
    """A text that is not blank, up to a number of characters."""

    def read(_: Reader, node: Node) -> str:
        text = scalar(node, words)
        if text.plain and not isinstance(resolved(text), str):
            raise mismatch(node, words, "put it in quotes")
        if not (stripped := text.text.strip()):
            raise Wrong(node, f"expected {words}, found a blank one")
        if len(stripped) > limit:
            raise Wrong(node, f"{len(stripped):,} characters; at most {limit:,} are allowed")
        return stripped

    return Kind(words, read, {"type": "string", "pattern": r"\S", "maxLength": limit})


def name_kind(words: str, fault_of: Callable[[str], str], pattern: str) -> Kind[Word]:
    """A name that passes an allow-list."""

    def read(_: Reader, node: Node) -> Word:
        text = scalar(node, words).text
        if fault := fault_of(text) or yaml_fault(text):
            raise Wrong(node, f"{shown(text)} cannot be {words}", fault)
        return Word(text, node)

    schema: Json = {"type": "string", "pattern": f"^{pattern}$"}
    if any(re.fullmatch(pattern, word) for word in YAML_WORDS):
        schema["not"] = {"enum": sorted(YAML_WORDS)}
    return Kind(words, read, schema)


def yaml_fault(word: str) -> str:
    """Return why a word cannot be a name, as other readers of YAML take it; empty if it can."""
    return "to YAML this word is a value; choose another name" if word in YAML_WORDS else ""


def enum_kind(words: str, choices: type[E]) -> Kind[E]:
    """One word of a list."""
    by_word = {str(member): member for member in choices}

    def read(_: Reader, node: Node) -> E:
        text = scalar(node, words).text
        if text not in by_word:
            raise Wrong(node, f"{shown(text)} is not {words}", expected(by_word, text))
        return by_word[text]

    return Kind(words, read, {"enum": list(by_word)})


def value_kind(quantity: Quantity) -> Kind[Value]:
    """A number of a quantity, or a matrix parameter that stands for one."""

    def read(reader: Reader, node: Node) -> Value:
        text = short(node, quantity.noun)
        try:
            _refuse_quoted(node, text)
            value = quantity.value(text)
        except ValueError as error:
            _note_parameters(reader, node, text)
            hint = quantity.hint(str(error), compared=False)
            raise Wrong(node, str(error), hint) from None
        use(reader, node, value, quantity)
        return value

    return Kind(quantity.noun, read, value_schema(quantity))


def _refuse_quoted(node: Node, text: str) -> None:
    """Refuse a number in quotes, which is a text. Raises `Wrong`."""
    quoted = isinstance(node, Scalar) and not node.plain
    if quoted and isinstance(word_value(text), int | float):
        raise Wrong(node, f"{shown(text)} in quotes is a text", f"write {text} without quotes")


def literal_kind(quantity: Quantity) -> Kind[float]:
    """A number of a quantity, where no matrix parameter may stand."""

    def read(reader: Reader, node: Node) -> float:
        value = value_kind(quantity).read(Reader(reader.source, node), node)
        if isinstance(value, Ref | Formula):
            raise Wrong(node, "a matrix parameter is not allowed here", f"write {quantity.example}")
        return value

    return Kind(quantity.noun, read, {"anyOf": value_choices(quantity)})


def check_kind(quantity: Quantity) -> Kind[Check]:
    """A comparison with a number of a quantity."""
    words = f"{quantity.noun} or a comparison"

    def read(reader: Reader, node: Node) -> Check:
        text = short(node, words)
        try:
            made = check(quantity, text)
        except ValueError as error:
            _note_parameters(reader, node, text)
            hint = quantity.hint(str(error), compared=True)
            raise Wrong(node, str(error), hint) from None
        for operand in operands(made):
            use(reader, node, operand, quantity, made)
        return made

    return Kind(words, read, {"anyOf": [number_schema(quantity), comparison_schema(quantity)]})


def use(
    reader: Reader,
    node: Node,
    value: object,
    quantity: Quantity | None,
    made: Check | None = None,
) -> None:
    """Take note of matrix parameters: of one alone, or of each in a formula."""
    if isinstance(value, Ref):
        reader.uses.append(Use(value.name, node, quantity, made))
    elif isinstance(value, Formula):
        first, *others = parameters(value)
        reader.uses.append(Use(first, node, quantity, made, value))
        reader.uses += [Use(name, node, None) for name in others]


def _note_parameters(reader: Reader, node: Node, text: str) -> None:
    """Take note of the parameters in a wrong value, so that none is reported as never used."""
    reader.uses += [Use(name[1:], node, None) for name in PARAMETER.findall(text)]


def resolved(node: Scalar) -> ScalarValue:
    """The value of a scalar. Raises `Wrong` for a number beyond all bounds."""
    try:
        return resolve(node)
    except ValueError as error:
        raise Wrong(node, str(error), "put it in quotes if it is a text") from None


_WORD = re.compile(r"[A-Za-z]\w{0,79}")
_BOOLEANS = frozenset({"yes", "no", "true", "false", "on", "off"})
_OF_WORDS = {"pattern", "enum"}
"""Keys that the schema of a kind of words has."""


def list_kind(words: str, kind: Kind[T], low: int = 0, high: int = 1000) -> Kind[tuple[T, ...]]:
    """A list; items that are wrong are reported and left out."""

    def read(reader: Reader, node: Node) -> tuple[T, ...]:
        if (
            isinstance(node, Scalar)
            and _WORD.fullmatch(node.text)
            and kind.schema.keys() & _OF_WORDS
        ):
            raise _not_a_list(node, words, kind)
        nodes = items(node, words)
        if not nodes and low:
            raise Wrong(node, "the list is empty", f"expected {words}")
        if len(nodes) < low:
            raise Wrong(node, f"expected {words}, with at least {low} of them")
        if len(nodes) > high:
            raise Wrong(node, f"{len(nodes):,} items; at most {high:,} are allowed")
        return _each(reader, nodes, kind)

    schema = {"type": "array", "items": kind.schema, "minItems": low, "maxItems": high}
    return Kind(words, read, schema)


def _not_a_list(node: Scalar, words: str, kind: Kind[T]) -> Wrong:
    """Return the error of a single word in place of a list of words."""
    if node.plain and node.text.lower() in _BOOLEANS:
        names = kind.schema.get("enum", ())
        example = f", such as [{names[0]}]" if names else ""
        message = f"expected {words}, found the truth value {node.text}"
        return Wrong(node, message, f"name them{example}, or leave the key out")
    return mismatch(node, words, f"write [{node.text}]")


def some_kind(words: str, kind: Kind[T]) -> Kind[tuple[T, ...]]:
    """One value, or a list of at least one."""
    many = list_kind(words, kind, low=1)

    def read(reader: Reader, node: Node) -> tuple[T, ...]:
        return many.read(reader, node) if isinstance(node, Sequence) else (kind.read(reader, node),)

    return Kind(words, read, {"anyOf": [kind.schema, many.schema]})


def map_kind(words: str, name: Kind[T], kind: Kind[U]) -> Kind[tuple[tuple[T, U], ...]]:
    """A mapping with keys of the writer's choice; wrong entries are reported and left out."""

    def read(reader: Reader, node: Node) -> tuple[tuple[T, U], ...]:
        if not isinstance(node, Mapping):
            listed = isinstance(node, Sequence)
            raise mismatch(node, words, "write NAME: in place of each '- '" if listed else "")
        if not node.pairs:
            raise Wrong(node, f"expected {words}, found an empty mapping")
        made: list[tuple[T, U]] = []
        for head, value in node.pairs:
            heads = _each(reader, [head], name)
            values = _each(reader, [value], kind)
            made += zip(heads, values, strict=False)
        return tuple(made)

    schema: Json = {"type": "object", "minProperties": 1, "additionalProperties": kind.schema}
    return Kind(words, read, {**schema, "propertyNames": name.schema})


def fields_kind(place: Place) -> Kind[Fields]:
    """A mapping with the keys of a place."""

    def read(reader: Reader, node: Node) -> Fields:
        return read_fields(reader, node, place)

    return Kind(place.name, read, place_schema(place))


def scalar_kind(words: str) -> Kind[ScalarValue]:
    """Any single value, null included; a text in quotes is always just that text."""

    def read(_: Reader, node: Node) -> ScalarValue:
        if not isinstance(node, Scalar):
            raise mismatch(node, words)
        if _is_parameter(node):
            raise Wrong(node, "a matrix parameter is not allowed here", "put a text in quotes")
        return resolved(node)

    return Kind(words, read, _ANY_SCALAR)


def answer_kind(words: str) -> Kind[ScalarValue | Ref]:
    """Any single value, or a matrix parameter that stands for one."""
    plain = scalar_kind(words)

    def read(reader: Reader, node: Node) -> ScalarValue | Ref:
        if not isinstance(node, Scalar) or not _is_parameter(node):
            return plain.read(reader, node)
        value = Ref(node.text[1:])
        use(reader, node, value, None)
        return value

    return Kind(words, read, _ANY_SCALAR)


def _is_parameter(node: Scalar) -> bool:
    return node.plain and bool(PARAMETER.fullmatch(node.text))


def _each(reader: Reader, nodes: list[Node], kind: Kind[T]) -> tuple[T, ...]:
    """Read every node that can be read, and report the others."""
    made: list[T] = []
    for node in nodes:
        try:
            made.append(kind.read(reader, node))
        except Wrong as fault:
            reader.wrong(fault)
    return tuple(made)
