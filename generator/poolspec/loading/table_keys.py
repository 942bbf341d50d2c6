"""The tables of keys of a file of database tables.

Every word that ends up in a statement passes an allow-list: names are labels, types are one of a
few, and the expression of a generated column has none but the characters of plain arithmetic.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from poolspec.errors import expected, shown
from poolspec.spec.common import FLAG
from poolspec.spec.fields import Fields, Key, Kind, Place, Reader, Word, Wrong, mismatch, scalar
from poolspec.spec.kinds import (
    fields_kind,
    list_kind,
    map_kind,
    name_kind,
    resolved,
    scalar_kind,
)
from poolspec.spec.names import LABEL
from poolspec.spec.tree import Node
from poolspec.spec.values import Scalar


class Sort(StrEnum):
    """The type of a column, without its lengths."""

    INT = "int"
    BIGINT = "bigint"
    DECIMAL = "decimal"
    VARCHAR = "varchar"
    TIMESTAMP = "timestamp"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A sort, with its lengths: 10 and 2 of decimal(10,2)."""

    sort: Sort
    lengths: tuple[int, ...] = ()

    def __str__(self) -> str:
        lengths = f"({', '.join(map(str, self.lengths))})" if self.lengths else ""
        return f"{self.sort.upper()}{lengths}"


_TYPE = re.compile(r"([a-z]+)(?:\(([0-9]{1,5})(?:, ?([0-9]{1,5}))?\))?")
_TYPES = ("int", "bigint", "decimal(10,2)", "varchar(50)", "timestamp", "bool")
_LENGTHS = {Sort.DECIMAL: 2, Sort.VARCHAR: 1}
_DIGITS, _PLACES, _CHARACTERS = 65, 30, 10_000
EXPRESSION = re.compile(r"[A-Za-z0-9_ .,+*/()-]{1,200}")
_RESERVED = ("load_rows",)


def _name_fault(word: str) -> str:
    if word in _RESERVED:
        return "generated load writes to a table of this name; choose another"
    return (
        "" if LABEL.fullmatch(word) else "a name is a small letter, then small letters, digits, _"
    )


def _reference_fault(word: str) -> str:
    parts = word.split(".")
    if len(parts) == 2 and all(map(LABEL.fullmatch, parts)):
        return ""
    return "write a table and its column: orders.id"


def _read_type(_: Reader, node: Node) -> ColumnType:
    text = scalar(node, "a type").text
    found = _TYPE.fullmatch(text)
    sorts = tuple(Sort)
    if found is None or found[1] not in sorts:
        raise Wrong(node, f"{shown(text)} is not a type", expected(_TYPES, text))
    sort = Sort(found[1])
    lengths = tuple(int(part) for part in found.groups()[1:] if part is not None)
    if len(lengths) != _LENGTHS.get(sort, 0) or not _fits(sort, lengths):
        raise Wrong(node, f"{shown(text)} is not a type", expected(_TYPES))
    return ColumnType(sort, lengths)


def _fits(sort: Sort, lengths: tuple[int, ...]) -> bool:
    if sort is Sort.DECIMAL:
        digits, places = lengths
        return 1 <= digits <= _DIGITS and places <= min(digits, _PLACES)
    return sort is not Sort.VARCHAR or 1 <= lengths[0] <= _CHARACTERS


def _read_expression(_: Reader, node: Node) -> str:
    value = resolved(scalar(node, "an expression"))
    if not isinstance(value, str):
        raise mismatch(node, "an expression", "put it in quotes")
    text = value
    if not EXPRESSION.fullmatch(text) or any(mark in text for mark in ("--", "/*", "*/")):
        hint = "letters, digits, _ and . , + - * / ( ), at most 200 of them"
        raise Wrong(node, f"{shown(text)} is not an expression", hint)
    return text


COLUMN_TYPE = Kind(
    "a type",
    _read_type,
    {
        "type": "string",
        "pattern": r"^(int|bigint|timestamp|bool|varchar\([0-9]+\)|decimal\([0-9]+, ?[0-9]+\))$",
    },
)
TABLE_NAME: Kind[Word] = name_kind("a table's name", _name_fault, LABEL.pattern)
COLUMN_NAME: Kind[Word] = name_kind("a column's name", _name_fault, LABEL.pattern)
REFERENCE: Kind[Word] = name_kind(
    "a column of a table", _reference_fault, rf"{LABEL.pattern}\.{LABEL.pattern}"
)
DEFAULT_VALUE: Kind[Scalar] = scalar_kind("a single value")

TYPE = Key("type", COLUMN_TYPE, "the type of its values", '"decimal(10,2)"', True)
NULL = Key("null", FLAG, "whether it may be NULL", "false", default="true")
PRIMARY_KEY = Key("primary_key", FLAG, "whether it names the row", "true", default="false")
AUTO_INCREMENT = Key(
    "auto_increment", FLAG, "whether the server counts it up", "true", default="false"
)
DEFAULT = Key("default", DEFAULT_VALUE, "its value if none is given", "0", default="none")
GENERATED = Key(
    "generated",
    Kind(
        "an expression", _read_expression, {"type": "string", "pattern": f"^{EXPRESSION.pattern}$"}
    ),
    "how the server computes it from other columns",
    "quantity * price",
    default="it is stored as given",
)
COLUMN = Place("a column", (TYPE, NULL, PRIMARY_KEY, AUTO_INCREMENT, DEFAULT, GENERATED))

FOREIGN_COLUMN = Key("column", COLUMN_NAME, "the column that refers", "order_id", True)
REFERENCES = Key("references", REFERENCE, "the column referred to", "orders.id", True)
FOREIGN_KEY = Place("a foreign key", (FOREIGN_COLUMN, REFERENCES))

COLUMNS: Key[tuple[tuple[Word, Fields], ...]] = Key(
    "columns",
    map_kind("columns by name", COLUMN_NAME, fields_kind(COLUMN)),
    "its columns, in order",
    "{id: {type: int, primary_key: true}}",
    True,
)
FOREIGN_KEYS = Key(
    "foreign_keys",
    list_kind("a list of foreign keys", fields_kind(FOREIGN_KEY)),
    "columns that refer to rows of other tables",
    "[{column: order_id, references: orders.id}]",
    default="none",
)
TABLE = Place("a table", (COLUMNS, FOREIGN_KEYS))
TABLES = Key(
    "tables",
    map_kind("tables by name", TABLE_NAME, fields_kind(TABLE)),
    "tables that tests may ask for",
    "{orders: {columns: {id: {type: int, primary_key: true}}}}",
    True,
)
TABLES_KEY = Key(
    "tables",
    list_kind("a list of tables", TABLE_NAME),
    "tables that are made before the test begins, in this order",
    "[orders]",
    default="the class's, else none",
)
