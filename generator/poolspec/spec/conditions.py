"""Kinds of values that are small sentences or have two forms: conditions, holds, matrices."""

import re
from dataclasses import dataclass
from typing import cast

from poolspec.errors import expected, shown
from poolspec.spec.fields import Kind, Reader, Word, Wrong, mismatch, scalar, short
from poolspec.spec.formulas import FORMULA_PATTERN
from poolspec.spec.fragments import value_choices
from poolspec.spec.kinds import literal_kind, resolved, use
from poolspec.spec.names import LABEL
from poolspec.spec.quantities import (
    COUNT,
    DURATION,
    LIMIT,
    NUMBER_OF,
    PER_SECOND,
    Quantity,
)
from poolspec.spec.scalars import DURATION_PATTERN, FLOAT_PATTERN, duration, percent, word_value
from poolspec.spec.tree import Mapping, Node, Part, Sequence
from poolspec.spec.values import Value
from poolspec.vocabulary import ActorState

_STATES = {state.value: state for state in ActorState}
_MANY = re.compile(r"(\S(?:.*\S)?) +actors? +(?:is|are) +(\S+)")
_ONE = re.compile(r"(\S+) +(?:is|are) +(\S+)")
_MAX_ROWS = 200


@dataclass(frozen=True, slots=True)
class Condition:
    """The condition that a test waits for: one actor, or a number of actors, in a state."""

    state: ActorState
    actor: Word | None = None
    count: Value | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a matrix, with the text that it was written as."""

    node: Node
    text: str
    value: Value


@dataclass(frozen=True, slots=True)
class MatrixTable:
    """The parameters of a test, and their values row by row."""

    names: tuple[Word, ...]
    rows: tuple[tuple[Cell, ...], ...]


def _read_condition(reader: Reader, node: Node) -> Condition:
    text = short(node, _CONDITION_WORDS).strip()
    if found := _MANY.fullmatch(text):
        first, last = _ends(reader, node, found)
        count = _value(first, found[1], COUNT)
        use(reader, first, count, COUNT)
        return Condition(_state(last, found[2]), count=count)
    if found := _ONE.fullmatch(text):
        first, last = _ends(reader, node, found)
        return Condition(_state(last, found[2]), actor=Word(found[1], first))
    raise Wrong(node, f"{shown(text)} is not a condition", f"expected {_CONDITION_WORDS}")


def _ends(reader: Reader, node: Node, found: re.Match[str]) -> tuple[Node, Node]:
    """Return the first and the last word of a condition as nodes, so that errors underline them."""
    start = reader.source.line(node.line).find(found[0], node.column - 1)
    if start < 0:  # the text has escapes, or several lines
        return node, node
    return (
        Part(found[1], node, start + 1 + found.start(1)),
        Part(found[2], node, start + 1 + found.start(2)),
    )


def _state(node: Node, word: str) -> ActorState:
    if word not in _STATES:
        raise Wrong(node, f"{shown(word)} is not a state", expected(_STATES, word))
    return _STATES[word]


def _read_hold(reader: Reader, node: Node) -> tuple[Value, Value]:
    low, dots, high = short(node, "a duration or a range of them").partition("..")
    shortest = _value(node, low.strip(), DURATION)
    longest = _value(node, high.strip(), DURATION) if dots else shortest
    for value in (shortest, longest) if dots else (shortest,):
        use(reader, node, value, DURATION)
    known = isinstance(shortest, int | float) and isinstance(longest, int | float)
    if known and cast(float, shortest) > cast(float, longest):
        raise Wrong(node, "the shortest time is longer than the longest", "write 100ms..300ms")
    return shortest, longest


def _read_rate(reader: Reader, node: Node) -> Value:
    text = short(node, _RATE_WORDS)
    amount, _, unit = (part.strip() for part in text.partition("/"))
    if unit not in _PER:
        raise Wrong(node, f"{shown(text)} is not {_RATE_WORDS}", "write 200/s (or /m, /h)")
    value = _value(node, amount, PER_SECOND)
    use(reader, node, value, PER_SECOND)
    if isinstance(value, int | float):
        return value / _PER[unit]
    if unit != "s":
        raise Wrong(node, "a matrix parameter is a number per second", f"write {amount}/s")
    return value


def _read_warm_up(reader: Reader, node: Node) -> float:
    is_number = isinstance(word_value(short(node, _WARM_UP_WORDS)), int | float)
    return literal_kind(NUMBER_OF if is_number else LIMIT).read(reader, node)


def _value(node: Node, text: str, quantity: Quantity) -> Value:
    try:
        return quantity.value(text)
    except ValueError as error:
        raise Wrong(node, str(error)) from None


def _read_matrix(reader: Reader, node: Node) -> MatrixTable:
    if isinstance(node, Mapping) and node.pairs:
        table = _product(node)
    elif isinstance(node, Sequence) and node.items:
        table = _rows(node)
    elif isinstance(node, Sequence):
        raise Wrong(node, "the list is empty", "give at least one row")
    else:
        raise mismatch(node, "names with lists of values, or a list of rows")
    if len({repr([cell.value for cell in row]) for row in table.rows}) < len(table.rows):
        raise Wrong(node, "the same row twice", "leave one of them out")
    return table


def _product(node: Mapping) -> MatrixTable:
    rows: list[tuple[Cell, ...]] = [()]
    for _, values in node.pairs:
        if not isinstance(values, Sequence):
            raise mismatch(values, "a list of values")
        if not values.items:
            raise Wrong(values, "the list is empty", "give at least one value")
        if len(rows) * len(values.items) > _MAX_ROWS:
            raise Wrong(node, f"more than {_MAX_ROWS} rows", "try fewer values")
        cells = [_cell(item) for item in values.items]
        rows = [(*row, cell) for row in rows for cell in cells]
    return MatrixTable(tuple(Word(head.text, head) for head, _ in node.pairs), tuple(rows))


def _rows(node: Sequence) -> MatrixTable:
    if len(node.items) > _MAX_ROWS:
        raise Wrong(node, f"more than {_MAX_ROWS} rows", "try fewer values")
    names: tuple[Word, ...] = ()
    rows = []
    for item in node.items:
        if not isinstance(item, Mapping) or not item.pairs:
            raise mismatch(item, "a row: names with one value each")
        cells = {head.text: _cell(value) for head, value in item.pairs}
        names = names or tuple(Word(head.text, head) for head, _ in item.pairs)
        wanted = [name.text for name in names]
        if set(cells) != set(wanted):
            raise Wrong(item, "a row with other names than the first", f"give: {', '.join(wanted)}")
        rows.append(tuple(cells[name] for name in wanted))
    return MatrixTable(names, tuple(rows))


def _cell(node: Node) -> Cell:
    text = short(node, _CELL_WORDS)
    value: object = resolved(scalar(node, _CELL_WORDS))
    if not isinstance(value, int | float):
        seconds = duration(text)
        value = percent(text) if seconds is None else seconds
    if not isinstance(value, int | float):
        raise mismatch(node, _CELL_WORDS)
    return Cell(node, text, value)


def matrix_fault(cell: Cell, quantity: Quantity | None) -> str:
    """Why a value of a matrix cannot stand where its parameter is used; empty if it can."""
    if quantity is None:
        return ""
    try:
        quantity.value(cell.text)
    except ValueError as error:
        return str(error)
    return ""


_CONDITION_WORDS = "'NAME is waiting' or 'N actors are waiting' (or holding, blocked, done)"
_CELL_WORDS = "a number, true, false or a duration"

_TIME = rf"(0|{FORMULA_PATTERN}|{DURATION_PATTERN})"
CONDITION = Kind(
    _CONDITION_WORDS,
    _read_condition,
    {"type": "string", "pattern": rf"^\S(.*\S)? +(is|are) +({'|'.join(_STATES)})$"},
)
HOLD = Kind(
    "a duration or a range of them",
    _read_hold,
    {
        "anyOf": [
            {"type": "string", "pattern": rf"^({_TIME}|{_TIME} *\.\. *{_TIME})$"},
            {"enum": [0]},
        ]
    },
)

_RATE_WORDS = "a number per time"
_PER = {"s": 1, "m": 60, "min": 60, "h": 3600}
RATE_PER_TIME: Kind[Value] = Kind(
    _RATE_WORDS,
    _read_rate,
    {
        "type": "string",
        "pattern": rf"^({FLOAT_PATTERN} */ *({'|'.join(_PER)})|{FORMULA_PATTERN} */ *s)$",
    },
)
_WARM_UP_WORDS = "a whole number or a duration"
WARM_UP_KIND: Kind[float] = Kind(
    _WARM_UP_WORDS,
    _read_warm_up,
    {"anyOf": [*value_choices(NUMBER_OF), *value_choices(LIMIT)]},
)

_CELL_SCHEMA = {
    "anyOf": [
        {"type": ["number", "boolean"]},
        {"type": "string", "pattern": rf"^({DURATION_PATTERN}|[0-9.]+ ?%)$"},
    ]
}
MATRIX = Kind(
    "names with lists of values, or a list of rows",
    _read_matrix,
    {
        "anyOf": [
            {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": f"^{LABEL.pattern}$"},
                "additionalProperties": {"type": "array", "items": _CELL_SCHEMA, "minItems": 1},
            },
            {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "minProperties": 1,
                    "propertyNames": {"pattern": f"^{LABEL.pattern}$"},
                    "additionalProperties": _CELL_SCHEMA,
                },
            },
        ]
    },
)
