"""The arguments of calls and decorators, where they are more than one value.

Each function returns Python source without its parentheses. An argument that has its default is
left out, so that what stands in a test is what its spec says.
"""

from poolspec.model import (
    Actor,
    Inject,
    InterruptEverywhere,
    Load,
    Matrix,
    Open,
    Query,
    Request,
    Resize,
    Scalar,
    SpecClass,
    SpecTest,
    Value,
)
from poolspec.python.body import Scope
from poolspec.python.literals import alone, literal, row, value
from poolspec.python.names import variable, word
from poolspec.vocabulary import (
    Concurrency,
    Connections,
    Given,
    Interruption,
    Level,
    Operation,
    Runner,
    Target,
    TimeKind,
    Via,
)

DEFAULT_DEADLINE = 20.0
_DEFAULT_MIX = ((Operation.READ, 1),)


def spec_mark(test: SpecTest, spec: SpecClass, concurrency: Concurrency) -> str:
    """Return the arguments of the `spec` mark: the test's identity and its terms."""
    parts = [
        literal(f"{word(spec.stem)}.{word(test.name)}"),
        f"line={int(test.line)}",
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


def options(given: tuple[tuple[str, Value | str], ...]) -> str:
    """Return a pool's options as keyword arguments."""
    return ", ".join(f"{word(name)}={value(item)}" for name, item in given)


def web_app(test: SpecTest) -> str:
    """Return the arguments of the web application: its name, and the pool's options."""
    name = literal(word(test.web_app or ""))
    return f"{name}, {options(test.pool)}" if test.pool else name


def query_arguments(step: Query) -> str:
    """Return the arguments of a query: the statement, what goes in, what must come back."""
    parts = [literal(step.sql)]
    plain = not (step.params or step.expects_value or step.unread or step.changes_one)
    if plain and step.rows is None:
        return alone(step.sql)
    if step.params:
        parts.append(f"params={row(step.params)}")
    if step.expects_value:
        parts.append(f"returns={value(step.returns)}")
    if step.rows is not None:
        parts.append(f"rows=[{', '.join(row(cells) for cells in step.rows)}]")
    if step.unread:
        parts.append("unread=True")
    if step.changes_one:
        parts.append("changes_one=True")
    return ", ".join(parts)


def limits(step: Resize) -> str:
    """Return a pool's new limits."""
    given = (("size", step.size), ("max_overflow", step.max_overflow))
    return options(tuple((name, item) for name, item in given if item is not None))


def fault_arguments(step: Inject, scope: Scope) -> str:
    """Return the arguments of a fault: its kind, whom it hits, how long and how often."""
    parts = [scope.member(step.fault)]
    if step.on is not None:
        parts.append(f"on={variable(step.on)}")
    if step.seconds is not None:
        parts.append(f"seconds={value(step.seconds)}")
    if step.times is not None:
        parts.append(f"times={value(step.times)}")
    if step.after is not None:
        parts.append(f"after={value(step.after)}")
    return ", ".join(parts)


def open_arguments(step: Open, scope: Scope) -> str:
    """Return the arguments of an opened pool: where it is led, how it is told, its options."""
    parts = [] if step.target is Target.RIGHT else [scope.member(step.target)]
    if step.given is not Given.CONFIG:
        parts.append(f"given={scope.member(step.given)}")
    if step.flaw is not None:
        parts.append(f"flaw={scope.member(step.flaw)}")
    if step.options:
        parts.append(options(step.options))
    return ", ".join(parts)


def interrupt_arguments(step: InterruptEverywhere, scope: Scope) -> str:
    """Return what cuts a block short, and at how many points at least, as further arguments."""
    parts = [""]
    if step.by is not Interruption.INTERRUPT:
        parts.append(f"by={scope.member(step.by)}")
    if step.at_least != 1:
        parts.append(f"at_least={value(step.at_least)}")
    if (
        step.may_recover and scope.concurrency is Concurrency.THREADS
    ):  # a deadline around a task comes out anyhow
        parts.append("may_recover=True")
    return ", ".join(parts)


def actor_arguments(actor: Actor) -> str:
    """Return the arguments of an actor: its name, its function, how many and how often."""
    parts = [literal(actor.name), variable(actor.name)]
    if actor.count != 1:
        parts.append(f"count={value(actor.count)}")
    if actor.repeat != 1:
        parts.append(f"repeat={value(actor.repeat)}")
    return ", ".join(parts)


def request_arguments(step: Request, scope: Scope) -> str:
    """Return the arguments of a request: what is asked, and what the answer must be."""
    parts = [literal(step.request), f"status={scope.check(step.status)}"]
    if step.headers:
        parts.append(f"headers={by_name(step.headers)}")
    if step.json:
        parts.append(f"json={by_name(step.json)}")
    return ", ".join(parts)


def by_name(pairs: tuple[tuple[str, Value | Scalar], ...]) -> str:
    """Return a dictionary by text."""
    return f"{{{', '.join(f'{literal(name)}: {value(item)}' for name, item in pairs)}}}"


def load_arguments(step: Load, scope: Scope) -> str:
    """Return the arguments of generated load."""
    parts = [f"clients={value(step.clients)}"]
    if step.total is not None:
        parts.append(f"operations={value(step.total)}")
    if step.each is not None:
        parts.append(f"each={value(step.each)}")
    if step.requests:
        parts.append(f"requests={by_name(step.requests)}")
    elif step.counts:
        parts.append(f"operations={scope.by_member(step.counts)}")
    elif step.mix != _DEFAULT_MIX:
        parts.append(f"mix={scope.by_member(step.mix)}")
    if step.hold is not None:
        parts.append(f"hold={row(step.hold)}")
    if step.timeout is not None:
        parts.append(f"timeout={value(step.timeout)}")
    if step.via is not Via.ACQUIRE:
        parts.append(f"via={scope.member(step.via)}")
    if step.runner is not Runner.THREADS:
        parts.append(f"runner={scope.member(step.runner)}")
    return ", ".join(parts)
