"""The parameters of a test's matrix: bound, used, and of values that fit wherever they are used."""

from collections.abc import Iterator
from dataclasses import replace

from poolspec.errors import expected, shown
from poolspec.loading import files as g
from poolspec.model import Matrix
from poolspec.spec.conditions import Cell, MatrixTable, matrix_fault
from poolspec.spec.fields import Fields, Reader, Use
from poolspec.spec.names import Naming, label_fault
from poolspec.spec.quantities import MOST_THREADS, impossible, operands
from poolspec.spec.scope import Names, Scope
from poolspec.spec.tree import Node
from poolspec.spec.values import Ref, Value
from poolspec.vocabulary import Concurrency


def build_matrix(scope: Scope, fields: Fields) -> Matrix | None:
    """The matrix of a test, its parameters bound; None without one."""
    table = fields.get(g.MATRIX_KEY)
    if table is None:
        return None
    for word in table.names:
        if fault := label_fault(word.text):
            message = f"{shown(word.text)} cannot name a parameter"
            scope.reader.problem(word.node, message, fault)
        scope.bind(word, Naming.PARAMETER)
    rows = tuple(tuple(cell.value for cell in row) for row in table.rows)
    return Matrix(tuple(word.text for word in table.names), rows)


def check_uses(reader: Reader, table: MatrixTable | None) -> None:
    """Every parameter is used, every use has a parameter, and every value fits where it is used."""
    names = [word.text for word in table.names] if table else []
    for use in reader.uses:
        if table is None or use.name not in names:
            known = expected(names, use.name) if names else "the test has no matrix"
            reader.problem(use.node, f"unknown matrix parameter ${use.name}", known)
        else:
            _check_values(reader, table, use, names.index(use.name))
    used = {use.name for use in reader.uses}
    for word in table.names if table else ():
        if word.text not in used:
            message = f"the parameter {shown(word.text)} is never used"
            reader.problem(word.node, message, f"use it as ${word.text}, or leave it out")


def beyond_threads(names: Names, matrix: Matrix | None) -> Iterator[tuple[Concurrency, str, Node]]:
    """Yield the numbers of actors, in any row of the matrix, that are too many for threads."""
    rows = [dict(zip(matrix.names, row, strict=True)) for row in matrix.rows] if matrix else [{}]
    for key, value, node in names.numbers:
        found = [row.get(value.name) if isinstance(value, Ref) else value for row in rows]
        if any(isinstance(one, int) and one > MOST_THREADS for one in found):
            yield Concurrency.ASYNCIO, f"{key} above {MOST_THREADS:,}", node


def _check_values(reader: Reader, table: MatrixTable, use: Use, column: int) -> None:
    for row in table.rows:
        if fault := matrix_fault(row[column], use.quantity) or _never(table, row, use):
            hint = f"the value is in line {row[column].node.line}"
            reader.problem(use.node, f"${use.name} is not allowed here: {fault}", hint)
            return


def _never(table: MatrixTable, row: tuple[Cell, ...], use: Use) -> str:
    """Why a comparison can never hold with the values of a row; empty if it can.

    Of two parameters in one comparison, the error names the first.
    """
    if use.check is None or use.quantity is None:
        return ""
    used = [value.name for value in operands(use.check) if isinstance(value, Ref)]
    values = {word.text: cell.value for word, cell in zip(table.names, row, strict=True)}
    if used[0] != use.name or not values.keys() >= set(used):
        return ""
    value, upper = (_known(one, values) for one in (use.check.value, use.check.upper))
    return impossible(use.quantity, replace(use.check, value=value or 0, upper=upper))


def _known(value: Value | None, values: dict[str, Value]) -> Value | None:
    return values[value.name] if isinstance(value, Ref) else value
