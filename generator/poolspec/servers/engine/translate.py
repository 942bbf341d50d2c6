"""From MySQL's SQL to SQLite's.

sqlglot parses and writes. The rules here change its output where this server needs more: types keep
their MySQL names (the catalog and the driver need them), indexes leave the table's definition,
`ON DUPLICATE KEY UPDATE` becomes an upsert, variables become function calls. Translations are
cached.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from poolspec.servers.engine.faults import Code, SqlError

logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

CATALOG = "information_schema"
_KEPT = 2048
_WIDTH = re.compile(r"^((?:TINY|SMALL|MEDIUM|BIG)?INT)\(\d+\)")
_REPLACE = re.compile(r"\s*REPLACE\s+(?:INTO\s+)?", re.IGNORECASE)


class Verb(StrEnum):
    """What a statement does to a database."""

    READ = "read"
    WRITE = "write"
    DEFINE = "define"


@dataclass(frozen=True)
class Plan:
    """A statement, ready for SQLite."""

    statements: tuple[str, ...]
    verb: Verb
    first_word: str
    database: str | None
    """The database that it names, or None."""
    inserts_into: str | None
    locks: bool
    touches_tables: bool
    sleeps: float
    """The seconds that its calls of SLEEP take."""


@lru_cache(maxsize=_KEPT)
def translate(sql: str) -> Plan:
    """Return the statement for SQLite; raises SqlError if it cannot be translated."""
    replace = _REPLACE.match(sql)
    tree = _parse(f"INSERT INTO {sql[replace.end() :]}" if replace else sql)
    database = _take_database(tree)
    touches, locks, sleeps = bool(tree.find(exp.Table)), bool(tree.args.get("locks")), _sleeps(tree)
    inserts_into = _table_name(tree) if isinstance(tree, exp.Insert) else None
    _name_columns(tree)
    tree = tree.transform(_mend)
    statements = _write(tree)
    if replace:
        statements = (re.sub(r"^INSERT", "INSERT OR REPLACE", statements[0]),)
    first_word = sql.split(None, 1)[0].upper()
    return Plan(statements, _verb(tree), first_word, database, inserts_into, locks, touches, sleeps)


def _parse(sql: str) -> exp.Expression:
    try:
        found = [tree for tree in sqlglot.parse(sql, read="mysql") if tree is not None]
    except SqlglotError as error:
        near = str(error).splitlines()[0]
        raise SqlError(Code.SYNTAX, f"You have an error in your SQL syntax: {near}") from None
    if len(found) != 1:
        raise SqlError(Code.SYNTAX, "You have an error in your SQL syntax: one statement expected")
    if not isinstance(found[0], _KNOWN):
        raise SqlError(Code.SYNTAX, f"You have an error in your SQL syntax near '{sql[:60]}'")
    return found[0]


_READS = (exp.Select, exp.SetOperation, exp.Subquery)
_WRITES = (exp.Insert, exp.Update, exp.Delete)
_DEFINES = (exp.Create, exp.Drop, exp.Alter, exp.TruncateTable)
_KNOWN = (*_READS, *_WRITES, *_DEFINES)


def _verb(tree: exp.Expression) -> Verb:
    if isinstance(tree, _READS):
        return Verb.READ
    return Verb.WRITE if isinstance(tree, _WRITES) else Verb.DEFINE


def _take_database(tree: exp.Expression) -> str | None:
    named = set()
    for table in tree.find_all(exp.Table):
        if table.db:
            named.add(table.db.lower() if table.db.lower() == CATALOG else table.db)
            table.set("db", None)
    if len(named) > 1:
        raise SqlError(
            Code.NOT_SUPPORTED, "The embedded server does not join tables of several databases"
        )
    return named.pop() if named else None


def _sleeps(tree: exp.Expression) -> float:
    calls = [call for call in tree.find_all(exp.Anonymous) if call.name.upper() == "SLEEP"]
    try:
        return sum(float(call.expressions[0].name) for call in calls)
    except (IndexError, ValueError):
        raise SqlError(Code.NOT_SUPPORTED, "SLEEP takes one number here") from None


def _table_name(tree: exp.Expression) -> str:
    table = tree.find(exp.Table)
    return table.name if table is not None else ""


def _name_columns(tree: exp.Expression) -> None:
    # A result's columns have the names that the client wrote, also if the expression changes.
    if not isinstance(tree, exp.Select):
        return
    tree.set(
        "expressions",
        [
            item
            if isinstance(item, (exp.Alias, exp.Column, exp.Star))
            else exp.alias_(item, item.sql("mysql"), quoted=True)
            for item in tree.expressions
        ],
    )


def _mend(node: exp.Expression) -> exp.Expression:
    mend = _MENDS.get(type(node))
    return mend(node) if mend is not None else node


def _variable(function: str) -> Callable[[exp.Expression], exp.Expression]:
    return lambda node: exp.Anonymous(this=function, expressions=[exp.Literal.string(node.name)])


def _call(function: str) -> Callable[[exp.Expression], exp.Expression]:
    return lambda _: exp.Anonymous(this=function, expressions=[])


def _moment(node: exp.Expression) -> exp.Expression:
    node.set("this", None)  # SQLite has no precision
    return node


def _upsert(node: exp.Expression) -> exp.Expression:
    if not node.args.get("duplicate"):
        return node
    sets = ", ".join(_assignment(item).sql("sqlite") for item in node.expressions)
    return exp.Var(this=f"ON CONFLICT DO UPDATE SET {sets}")


def _assignment(item: exp.Expression) -> exp.Expression:
    def excluded(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Anonymous) and node.name.upper() == "VALUES":
            return exp.column(node.expressions[0].name, table="excluded")
        return node

    return item.transform(excluded)


def _column(node: exp.Expression) -> exp.Expression:
    constraints = [c for c in node.args.get("constraints", []) if type(c.kind) not in _DROPPED]
    node.set("constraints", constraints)
    kind = node.args.get("kind")
    if not isinstance(kind, exp.DataType):
        return node
    counts = any(isinstance(c.kind, exp.AutoIncrementColumnConstraint) for c in constraints)
    scale = _scale(kind)
    for constraint in constraints:
        _mend_computed(constraint.kind, scale)
    name = "INTEGER" if counts else _type_name(kind)
    node.set("kind", exp.DataType(this=exp.DataType.Type.USERDEFINED, kind=name))
    return node


_DROPPED = (
    exp.CommentColumnConstraint,
    exp.CharacterSetColumnConstraint,
    exp.CollateColumnConstraint,
    exp.OnUpdateColumnConstraint,
)


def _scale(kind: exp.DataType) -> int | None:
    if kind.this is not exp.DataType.Type.DECIMAL:
        return None
    return int(kind.expressions[1].name) if len(kind.expressions) > 1 else 0


def _mend_computed(constraint: exp.Expression, scale: int | None) -> None:
    # A generated decimal is rounded to its places, as MySQL does.
    if isinstance(constraint, exp.ComputedColumnConstraint) and scale is not None:
        rounded = exp.Round(this=constraint.this.copy(), decimals=exp.Literal.number(scale))
        constraint.set("this", rounded)


def _type_name(kind: exp.DataType) -> str:
    if kind.this in (exp.DataType.Type.ENUM, exp.DataType.Type.SET):
        return "TEXT"
    return _WIDTH.sub(r"\1", kind.sql("mysql").upper())


_MENDS: dict[type[exp.Expression], Callable[[exp.Expression], exp.Expression]] = {
    exp.SessionParameter: _variable("session_variable"),
    exp.Parameter: _variable("user_variable"),
    exp.CurrentSchema: _call("current_database"),
    exp.CurrentUser: _call("user"),
    exp.SessionUser: _call("user"),
    exp.CurrentVersion: _call("version"),
    exp.CurrentTimestamp: _moment,
    exp.OnConflict: _upsert,
    exp.ColumnDef: _column,
}


def _write(tree: exp.Expression) -> tuple[str, ...]:
    if isinstance(tree, exp.TruncateTable):
        return tuple(f"DELETE FROM {_sql(table)}" for table in tree.expressions)
    if isinstance(tree, exp.Drop):
        return _write_drop(tree)
    if isinstance(tree, exp.Create):
        return _write_create(tree)
    return (_sql(tree),)


def _write_drop(tree: exp.Drop) -> tuple[str, ...]:
    kind, exists = str(tree.args["kind"]), "IF EXISTS " if tree.args.get("exists") else ""
    targets = tree.args.get("tables") or [tree.this]
    if kind == "INDEX":
        return (f"DROP INDEX {exists}{_sql(tree.this)}",)
    return tuple(f"DROP {kind} {exists}{_sql(target)}" for target in targets)


def _write_create(tree: exp.Create) -> tuple[str, ...]:
    properties = tree.args.get("properties")
    temporary = bool(properties and properties.find(exp.TemporaryProperty))
    tree.set("properties", None)
    indexes: list[str] = []
    schema = tree.this
    if isinstance(schema, exp.Schema):
        table = _sql(schema.this)
        kept = [item for item in schema.expressions if not _is_index(item)]
        left = [item for item in schema.expressions if _is_index(item)]
        indexes = [_index(table, number, item) for number, item in enumerate(left)]
        for item in kept:
            if isinstance(item, exp.UniqueColumnConstraint) and isinstance(item.this, exp.Schema):
                item.this.set("this", None)  # MySQL names unique keys there, SQLite does not
        schema.set("expressions", kept)
    sql = _sql(tree)
    return (re.sub(r"^CREATE ", "CREATE TEMPORARY ", sql) if temporary else sql, *indexes)


def _is_index(item: exp.Expression) -> bool:
    return isinstance(item, exp.IndexColumnConstraint)


def _index(table: str, number: int, item: exp.Expression) -> str:
    columns = ", ".join(_sql(column) for column in item.expressions)
    bare = table.strip('"')
    return f'CREATE INDEX IF NOT EXISTS "{bare}__index_{number}" ON {table} ({columns})'


def _sql(tree: exp.Expression) -> str:
    return tree.sql("sqlite", unsupported_level=ErrorLevel.IGNORE)
