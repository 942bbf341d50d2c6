"""Database tables as fields → the statements that make them.

A statement holds only words that have passed an allow-list, numbers, and text without quotes or
backslashes. The expression of a generated column may name columns before it, and a few functions.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from poolspec.errors import article, expected, shown
from poolspec.loading import table_keys as g
from poolspec.loading.table_keys import ColumnType, Sort
from poolspec.model import Table
from poolspec.spec.fields import Fields, Key, Reader, Word
from poolspec.spec.tree import Node
from poolspec.spec.values import Scalar

_WORD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)( *\()?")
"""A word, and, after a function's, the parenthesis that it opens."""
_FUNCTIONS = (
    *("abs", "ceiling", "coalesce", "concat", "floor", "greatest", "least", "length"),
    *("lower", "round", "upper"),
)
_NOW = "now"
_TEXT = re.compile(r"[A-Za-z0-9_ .,:+*/()-]{0,200}")
_WHOLE = (Sort.INT, Sort.BIGINT)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A column that refers to a column of another table."""

    column: str
    table: str
    target: str
    node: Node
    """Where the reference stands."""


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A table, and the columns that references to it are checked by."""

    reader: Reader
    types: dict[str, ColumnType]
    key: tuple[str, ...]
    """The columns of its primary key."""
    foreign: tuple[ForeignKey, ...]
    made: Table


def build_table(reader: Reader, word: Word, fields: Fields) -> TableDefinition:
    """The table that the fields describe. Problems are reported to the reader."""
    columns = fields.get(g.COLUMNS) or ()
    types = {name.text: given.get(g.TYPE) or ColumnType(Sort.INT) for name, given in columns}
    key = tuple(name.text for name, given in columns if given.get(g.PRIMARY_KEY))
    lines = []
    for at, (name, given) in enumerate(columns):
        before = tuple(other.text for other, _ in columns[:at])
        lines.append(_column(reader, name, given, key, before))
    foreign = tuple(_foreign(reader, given, types) for given in fields.get(g.FOREIGN_KEYS) or ())
    found = tuple(one for one in foreign if one)
    if len(key) > 1:
        lines.append(f"PRIMARY KEY ({', '.join(map(_quoted, key))})")
    lines += [_reference(one) for one in found]
    create = f"CREATE TABLE {_quoted(word.text)} ({', '.join(lines)})"
    return TableDefinition(reader, types, key, found, Table(word.text, create))


def _quoted(name: str) -> str:
    """A name that has passed its allow-list, as SQL takes it even if it is a reserved word."""
    return f"`{name}`"


def _column(
    reader: Reader, word: Word, given: Fields, key: tuple[str, ...], before: tuple[str, ...]
) -> str:
    kind = given.get(g.TYPE) or ColumnType(Sort.INT)
    parts = [_quoted(word.text), str(kind)]
    if given.has(g.GENERATED):
        _refuse_beside_generated(reader, given)
        expression = _expression(reader, given, before)
        return " ".join([*parts, f"GENERATED ALWAYS AS ({expression}) STORED"])
    in_key = given.get(g.PRIMARY_KEY) is True
    if in_key and given.get(g.NULL):
        reader.problem(given.at(g.NULL), "a primary key is never NULL", "leave it out")
    parts.append("NOT NULL" if in_key or given.get(g.NULL) is False else "NULL")
    if given.has(g.DEFAULT):
        parts.append(f"DEFAULT {_default(reader, given, kind)}")
    if given.get(g.AUTO_INCREMENT):
        _check_counted(reader, given, kind, word.text, key)
        parts.append("AUTO_INCREMENT")
    if key == (word.text,):
        parts.append("PRIMARY KEY")
    return " ".join(parts)


def _refuse_beside_generated(reader: Reader, given: Fields) -> None:
    others: tuple[Key[Any], ...] = (g.NULL, g.PRIMARY_KEY, g.AUTO_INCREMENT, g.DEFAULT)
    for other in others:
        if given.has(other):
            message = f"{other.name!r} and 'generated' are mutually exclusive"
            reader.problem(given.at(other), message, "keep one of them")


def _expression(reader: Reader, given: Fields, before: tuple[str, ...]) -> str:
    """How a column is computed: parentheses match, words are columns before it, or functions."""
    text, node = given.get(g.GENERATED) or "0", given.nodes[g.GENERATED.name]
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            break
    if depth:
        reader.problem(node, "the parentheses do not match", "close every parenthesis")
        return text
    for word, opens in _WORD.findall(text):
        if word not in (_FUNCTIONS if opens else before):
            what = "a function" if opens else "a column before this one"
            known = _FUNCTIONS if opens else before
            reader.problem(node, f"{shown(word)} is not {what}", expected(known, word))
            return text
    return _WORD.sub(lambda found: found[0] if found[2] else _quoted(found[1]), text)


def _check_counted(
    reader: Reader, given: Fields, kind: ColumnType, name: str, key: tuple[str, ...]
) -> None:
    if kind.sort not in _WHOLE or key != (name,) or given.has(g.DEFAULT):
        hint = "give it type: bigint, primary_key: true, and no default"
        message = "a column that the server counts up is a whole number, and the primary key"
        reader.problem(given.at(g.AUTO_INCREMENT), message, hint)


def _default(reader: Reader, given: Fields, kind: ColumnType) -> str:
    value = given.get(g.DEFAULT)
    written = _literal(value, kind.sort)
    if written is None:
        message = f"{shown(value)} cannot be the default of {article(kind.sort)}"
        hint = "write a number, true, false, now, or a text of letters, digits and _ .,:+*/()-"
        reader.problem(given.nodes[g.DEFAULT.name], message, hint)
    return written or "NULL"


def _literal(value: Scalar, sort: Sort) -> str | None:
    """A default value as SQL; None if it does not fit its column."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).upper() if sort is Sort.BOOL else None
    if isinstance(value, int) and sort in (*_WHOLE, Sort.DECIMAL):
        return str(value)
    if isinstance(value, float) and sort is Sort.DECIMAL:
        return f"{Decimal(repr(value)):f}"
    if not isinstance(value, str) or sort not in (Sort.VARCHAR, Sort.TIMESTAMP):
        return None
    if sort is Sort.TIMESTAMP and value == _NOW:
        return "CURRENT_TIMESTAMP"
    return f"'{value}'" if _TEXT.fullmatch(value) else None


def _foreign(reader: Reader, given: Fields, types: dict[str, ColumnType]) -> ForeignKey | None:
    column, target = given.get(g.FOREIGN_COLUMN), given.get(g.REFERENCES)
    if column and column.text not in types:
        reader.problem(column.node, f"unknown column {shown(column.text)}", expected(types))
        return None
    if column is None or target is None:
        return None
    table, _, name = target.text.partition(".")
    return ForeignKey(column.text, table, name, target.node)


def _reference(foreign: ForeignKey) -> str:
    target = f"{_quoted(foreign.table)} ({_quoted(foreign.target)})"
    return f"FOREIGN KEY ({_quoted(foreign.column)}) REFERENCES {target}"


def check_references(tables: dict[str, TableDefinition]) -> None:
    """Report references to columns that do not exist, have another type, or are no primary key."""
    for table in tables.values():
        for foreign in table.foreign:
            if fault := _reference_fault(table, foreign, tables.get(foreign.table)):
                table.reader.problem(foreign.node, *fault)


def _reference_fault(
    table: TableDefinition, foreign: ForeignKey, target: TableDefinition | None
) -> tuple[str, str] | None:
    if target is None:
        return f"unknown table {shown(foreign.table)}", "add it to a file of tables"
    if foreign.target not in target.types:
        return f"unknown column {shown(foreign.target)}", expected(target.types, foreign.target)
    if target.key != (foreign.target,):
        message = f"{foreign.table}.{foreign.target} is not the primary key of its table"
        return message, "refer to a primary key of one column"
    if table.types[foreign.column] != target.types[foreign.target]:
        said = f"{table.types[foreign.column]} cannot refer to {target.types[foreign.target]}"
        return said, "give both columns the same type"
    return None
