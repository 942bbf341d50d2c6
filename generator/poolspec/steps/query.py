"""Steps that use a connection on loan: query, reconnect."""

from dataclasses import dataclass
from typing import Any

from poolspec.errors import shown
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines, guarded, pool
from poolspec.python.literals import alone, literal, row, value
from poolspec.python.names import variable
from poolspec.spec.common import FAILS, FAILURE, FLAG, NAME, ROWS, SAYS, SCALARS, SQL, TOOK
from poolspec.spec.fields import Fields, Key
from poolspec.spec.kinds import answer_kind
from poolspec.spec.names import Naming
from poolspec.spec.scope import Hold, Scope
from poolspec.spec.values import Check, OwnPool, Ref, Scalar, Step, used
from poolspec.steps.borrow import report_gone
from poolspec.steps.demands import guard, must
from poolspec.steps.kind import ANYWHERE, StepKind
from poolspec.vocabulary import Capability, ErrorKind
from poolspec.vocabulary.rules import ERRORS


@dataclass(frozen=True, slots=True)
class Query(Step):
    """Run one SQL statement on a connection that the actor holds."""

    sql: str
    on: str
    params: tuple[Scalar, ...] = ()
    returns: Scalar | Ref = None
    """The single value that must come back, where `expects_value` is set."""
    expects_value: bool = False
    rows: tuple[tuple[Scalar, ...], ...] | None = None
    fails: ErrorKind | None = None
    says: tuple[str, ...] = ()
    took: Check | None = None
    unread: bool = False
    """Its rows stay unread, so the server sends them to the next reader."""
    changes_one: bool = False
    """It must change exactly one row; else it fails with a conflict."""
    may_fail: ErrorKind | None = None
    """It may fail so, and may succeed."""

    def reads(self) -> tuple[str, ...]:
        """Return the label of its connection."""
        return (self.on,)


QUERY = Key("query", SQL, "run one SQL statement", "SELECT 1", True)
ON = Key("on", NAME, "the connection to run it on", "a", True, of_test=True)
PARAMS = Key("params", SCALARS, "values of the placeholders `%s`", "[1, two]", default="none")
RETURNS = Key(
    "returns",
    answer_kind("a single value"),
    "the single value that must be returned",
    "1",
    default="anything",
)
ROWS_KEY = Key("rows", ROWS, "the rows that must be returned", "[[1, one]]", default="any rows")
UNREAD = Key("unread", FLAG, "whether its rows are left unread", "true", default="all are read")
CHANGES_ONE = Key(
    "changes_one",
    FLAG,
    "whether to fail with a conflict unless it changes exactly one row",
    "true",
    default="any number",
)
MAY_FAIL = Key(
    "may_fail", FAILURE, "the statement may fail in this way", "lost", default="it succeeds"
)
_READINGS: tuple[Key[Any], ...] = (RETURNS, ROWS_KEY, UNREAD, CHANGES_ONE)
"""Demands on a statement besides success; a step has one of these at most."""


def _read_query(scope: Scope, fields: Fields) -> Query | None:
    if not fields.has(ON):
        scope.report_no_connection(fields.node, "the step query", ON.name)
    on = fields.get(ON)
    thing = scope.find(on, Naming.LABEL) if on else None
    if on and thing and thing.hold is Hold.GONE:
        hint = "query before that, or acquire again, under another name"
        report_gone(scope, on, thing, hint)
    _check_readings(scope, fields)
    if may_fail := fields.get(MAY_FAIL):
        scope.names.imply(ERRORS.get(may_fail), f"'may_fail: {may_fail}'", fields.at(MAY_FAIL))
    if on is None:
        return None
    return Query(
        fields.node.line,
        fields.get(QUERY) or "",
        on.text,
        fields.get(PARAMS) or (),
        fields.get(RETURNS),
        fields.has(RETURNS),
        fields.get(ROWS_KEY),
        fields.get(FAILS),
        fields.get(SAYS) or (),
        fields.get(TOOK),
        fields.get(UNREAD) or False,
        fields.get(CHANGES_ONE) or False,
        fields.get(MAY_FAIL),
    )


def _check_readings(scope: Scope, fields: Fields) -> None:
    asked = [key for key in _READINGS if fields.has(key)]
    fails = [FAILS] if fields.has(FAILS) and CHANGES_ONE not in asked else []
    free = [key for key in (MAY_FAIL, TOOK) if fields.has(MAY_FAIL) and fields.has(key)]
    keys: list[Key[Any]] = [*asked, *fails, *free]
    if len(keys) > 1:
        message = f"{keys[0].name!r} and {keys[1].name!r} are mutually exclusive"
        scope.reader.problem(fields.at(keys[1]), message, "keep one of them")
    for key in asked:
        scope.names.at_server.append((f"{key.name!r} wants an answer", fields.at(key)))


def _write_query(step: Query, body: Body) -> Lines:
    call = f"{body.awaits}{variable(step.on)}.query({_query_arguments(step)})"
    free = f"lab.may_fail({body.member(step.may_fail)})" if step.may_fail else ""
    yield from guarded(free or guard(step, body, step.took), call)


def _query_arguments(step: Query) -> str:
    parts = [literal(step.sql)]
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
    return ", ".join(parts) if len(parts) > 1 else alone(step.sql)


def _say_query(step: Query) -> Sentence:
    text = f"On {code(step.on)}, run {code(step.sql)}"
    if step.params:
        text += f" with {amounts.scalars(step.params)}"
    if step.expects_value:
        text += f"; it must return {amounts.scalar(step.returns)}"
    if step.rows is not None:
        rows = "; ".join(amounts.scalars(cells) for cells in step.rows) or "none"
        text += f"; its rows must be: {rows}"
    if step.unread:
        text += "; leave its rows unread"
    if step.changes_one:
        text += "; exactly one row must change"
    if step.may_fail:
        text += f"; this may fail with {code(step.may_fail.value)}"
    return Sentence(text + must(step, step.took))


# --- reconnect -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reconnect(Step):
    """Let the driver reconnect a connection on loan."""

    label: str
    pool: str | None = None

    def reads(self) -> tuple[str, ...]:
        """Return its label and the label of its pool."""
        return (self.label,) if self.pool is None else (self.pool, self.label)

    def own_pool(self) -> OwnPool:
        """Name the test's own pool, unless the connection comes from another."""
        return used(self.pool)


RECONNECT = Key("reconnect", NAME, "let the driver reconnect a connection on loan", "a", True)


def _read_reconnect(scope: Scope, fields: Fields) -> Reconnect | None:
    word = fields.get(RECONNECT)
    thing = scope.find(word, Naming.LABEL) if word else None
    scope.names.at_server.append(("'reconnect' connects to a server", fields.at(RECONNECT)))
    if word is None or thing is None:
        return None
    if thing.hold is Hold.GONE:
        report_gone(scope, word, thing, "reconnect it before its release")
    if thing.hold is Hold.STRAY:
        message = f"{shown(word.text)} is not on loan: 'connect' opened it"
        scope.reader.problem(word.node, message, "reconnect a connection of a pool")
    if thing.pool is None:
        scope.names.own_pool.append(fields.node)
    return Reconnect(fields.node.line, word.text, thing.pool)


def _write_reconnect(step: Reconnect, body: Body) -> Lines:
    yield f"{body.awaits}{pool(step.pool)}.reconnect({variable(step.label)})"


def _say_reconnect(step: Reconnect) -> Sentence:
    return Sentence(f"Let the driver reconnect {code(step.label)}.")


KINDS = (
    StepKind(
        "query",
        (QUERY, ON, PARAMS, RETURNS, ROWS_KEY, UNREAD, CHANGES_ONE, FAILS, MAY_FAIL, TOOK, SAYS),
        Query,
        _read_query,
        _write_query,
        _say_query,
        key_needs={CHANGES_ONE.name: Capability.OPTIMISTIC_LOCKING},
        misplaced=ANYWHERE,
        expects=(RETURNS, ROWS_KEY, CHANGES_ONE),
        calls=("query", "may_fail"),
        arguments=("params", "returns", "rows", "unread", "changes_one"),
    ),
    StepKind(
        "reconnect",
        (RECONNECT,),
        Reconnect,
        _read_reconnect,
        _write_reconnect,
        _say_reconnect,
        needs=Capability.RECONNECT,
        calls=("reconnect",),
    ),
)
