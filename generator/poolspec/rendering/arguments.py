"""The arguments of a test's decorators, and of the calls before its steps.

An argument that has its default is left out, as it is in the spec.
"""

from poolspec.model import Matrix, SpecClass, SpecTest
from poolspec.python.literals import literal, row, value
from poolspec.python.names import variable, word
from poolspec.spec.values import Scalar, Value
from poolspec.steps.options import write_options
from poolspec.vocabulary import Concurrency, Connections, Level, TimeKind

DEFAULT_DEADLINE = 20.0


def spec_mark(test: SpecTest, spec: SpecClass, concurrency: Concurrency) -> str:
    """Return the arguments of the `spec` mark: the test's identity and its terms."""
    parts = [
        repr(f"{word(spec.stem)}.{word(test.name)}"),
        f"covers=[{literals(test.covers)}]",
        f"layer={literal(test.layer.value)}",
    ]
    if test.level is not Level.MUST:
        parts.append(f"level={literal(test.level.value)}")
    if test.needs:
        parts.append(f"needs=[{literals(tuple(need.value for need in test.needs))}]")
    if test.time is not TimeKind.VIRTUAL:
        parts.append(f"time={literal(test.time.value)}")
    if test.connections is not Connections.DRIVER:
        parts.append(f"connections={literal(test.connections.value)}")
    if test.servers != 1:
        parts.append(f"servers={literal(test.servers)}")
    if test.deadline != DEFAULT_DEADLINE:
        parts.append(f"deadline={literal(float(test.deadline))}")
    if concurrency is not Concurrency.THREADS:
        parts.append(f"concurrency={literal(concurrency.value)}")
    return ", ".join(parts)


def literals(values: tuple[Scalar, ...]) -> str:
    """Return literals, separated by commas."""
    return ", ".join(literal(item) for item in values)


def parametrize(matrix: Matrix) -> str:
    """Return the arguments of `parametrize`: bare values for one parameter, tuples for more."""
    if len(matrix.names) == 1:
        return (
            f"{literal(matrix.names[0])}, [{', '.join(value(cells[0]) for cells in matrix.rows)}]"
        )
    return f"{row(matrix.names)}, [{', '.join(row(cells) for cells in matrix.rows)}]"


def parameters(matrix: Matrix | None) -> str:
    """Return the parameters of a test function that a matrix adds, each with its type."""
    if matrix is None:
        return ""
    columns = zip(matrix.names, matrix_types(matrix), strict=True)
    return "".join(f", {variable(name)}: {kind}" for name, kind in columns)


def matrix_types(matrix: Matrix) -> list[str]:
    """Return the Python type of each parameter's values."""
    return [_type(column) for column in zip(*matrix.rows, strict=True)]


def _type(column: tuple[Value, ...]) -> str:
    kinds = {type(cell) for cell in column}
    if float in kinds:
        return "float"
    return "bool" if kinds == {bool} else "int"


def server_settings(test: SpecTest) -> str:
    """Return the settings of the server as arguments."""
    return ", ".join(f"{word(name)}={literal(given)}" for name, given in test.server_settings)


def web_app(test: SpecTest) -> str:
    """Return the arguments of the web application: its name, and the pool's options."""
    name = literal(word(test.web_app or ""))
    return f"{name}, {write_options(test.pool)}" if test.pool else name
