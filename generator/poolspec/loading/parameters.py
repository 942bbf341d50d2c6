"""The parameters of a test's matrix: bound, used, and of values that fit wherever they are used."""

from collections.abc import Iterator
from dataclasses import replace

from poolspec.errors import expected, shown
from poolspec.loading import files as g
from poolspec.model import Matrix
from poolspec.spec.conditions import Cell, MatrixTable, matrix_fault
from poolspec.spec.fields import Fields, Reader, Use
from poolspec.spec.formulas import fault_of_units, known, parameters
from poolspec.spec.names import Naming, label_fault
from poolspec.spec.quantities import MOST_THREADS, Quantity, impossible, operands
from poolspec.spec.scope import Names, Scope
from poolspec.spec.tree import Node
from poolspec.spec.values import Formula, Ref, Value
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
        found = [known(value, row) for row in rows]
        if any(isinstance(one, int) and one > MOST_THREADS for one in found):
            yield Concurrency.ASYNCIO, f"{key} above {MOST_THREADS:,}", node


def _check_values(reader: Reader, table: MatrixTable, use: Use, column: int) -> None:
    for row in table.rows:
        fault = _fault_of_formula(table, row, use.whole, use.quantity) if use.whole else ""
        fault = fault or ("" if use.whole else matrix_fault(row[column], use.quantity))
        if fault := fault or _never(table, row, use):
            hint = f"the value is in line {row[column].node.line}"
            what = use.whole or f"${use.name}"
            reader.problem(use.node, f"{what} is not allowed here: {fault}", hint)
            return


def _fault_of_formula(
    table: MatrixTable, row: tuple[Cell, ...], whole: Formula, quantity: Quantity | None
) -> str:
    """Return why a formula with the parameters of a row does not fit; empty if it does."""
    cells = {word.text: cell for word, cell in zip(table.names, row, strict=True)}
    if quantity is None or not cells.keys() >= set(parameters(whole)):
        return ""  # an unknown parameter is reported where it is used
    for name in parameters(whole):
        if isinstance(cells[name].value, bool):
            return f"${name} is not a number"
    texts = {name: cell.text for name, cell in cells.items()}
    if fault := fault_of_units(whole, texts, timed=quantity.timed):
        return fault
    value = known(whole, {name: cell.value for name, cell in cells.items()})
    return "" if value is None else quantity.fault(value)


def _never(table: MatrixTable, row: tuple[Cell, ...], use: Use) -> str:
    """Why a comparison can never hold with the values of a row; empty if it can.

    Of two parameters in one comparison, the error names the first.
    """
    if use.check is None or use.quantity is None:
        return ""
    used = [value for value in operands(use.check) if parameters(value)]
    values: dict[str, Value] = {
        word.text: cell.value for word, cell in zip(table.names, row, strict=True)
    }
    names = {name for value in used for name in parameters(value)}
    if used[0] != (use.whole or Ref(use.name)) or not values.keys() >= names:
        return ""
    value, upper = (known(one, values) for one in (use.check.value, use.check.upper))
    return impossible(use.quantity, replace(use.check, value=value or 0, upper=upper))
