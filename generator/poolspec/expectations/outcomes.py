"""Expectations of a load, under its label: operations, errors, latency."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from poolspec.errors import shown
from poolspec.expectations.kind import refuse_empty
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body
from poolspec.python.names import variable
from poolspec.spec.common import COUNTED, FAILURE, TIMED
from poolspec.spec.fields import Fields, Key, Place, Word, Wrong, read_fields, unknown
from poolspec.spec.kinds import check_kind, fields_kind, list_kind, map_kind
from poolspec.spec.names import Naming
from poolspec.spec.quantities import RATE, RATIO
from poolspec.spec.scope import Scope
from poolspec.spec.tree import Node, Scalar
from poolspec.spec.values import Check, Checks
from poolspec.vocabulary import ErrorKind
from poolspec.vocabulary.rules import ERRORS as NEEDED


@dataclass(frozen=True, slots=True)
class LoadExpectation:
    """The outcome that a load must have."""

    label: str
    checks: Checks = ()
    """Of: operations, succeeded, failed, lost_writes, success_rate, throughput (operations/s)."""
    errors: tuple[tuple[ErrorKind, Check], ...] = ()
    latency: Checks = ()
    """Of: mean, max, p50, p90, p95, p99, p99.9; seconds from acquire to release."""
    only_errors: tuple[ErrorKind, ...] = ()
    """The kinds of errors that there may be; empty: any."""


LATENCY = Place(
    "latency",
    tuple(
        Key(name, TIMED, f"{name} of the time from acquire to release", '"< 100ms"')
        for name in ("mean", "max", "p50", "p90", "p95", "p99", "p99.9")
    ),
)
ERRORS = Key(
    "errors",
    map_kind("kinds of errors with a number each", FAILURE, COUNTED),
    "failed operations by kind of error",
    "{timeout: 0}",
)
ONLY_ERRORS = Key(
    "only_errors",
    list_kind("a list of kinds of errors", FAILURE, low=1),
    "the only kinds of errors with which operations fail",
    "[timeout, lost]",
)
LATENCY_KEY = Key("latency", fields_kind(LATENCY), "times of the operations", '{p99: "< 500ms"}')
LOST_WRITES = Key("lost_writes", COUNTED, "committed writes that are missing afterwards", "0")
LOAD_CHECKS = (
    Key("operations", COUNTED, "operations tried", "100"),
    Key("succeeded", COUNTED, "operations that succeeded", "100"),
    Key("failed", COUNTED, "operations that failed", "0"),
    LOST_WRITES,
    Key("success_rate", check_kind(RATIO), "succeeded, as a share of all", '">= 95%"'),
    Key("throughput", check_kind(RATE), "operations per second", '"> 1000"'),
)
LOADED = Place("the outcome of a load", (*LOAD_CHECKS, ERRORS, ONLY_ERRORS, LATENCY_KEY))


def read_outcomes(scope: Scope, fields: Fields) -> tuple[LoadExpectation, ...]:
    """Read the expectations of loads: mappings under their labels."""
    made = []
    for head, node in fields.others:
        if scope.is_pool(head.text):
            continue
        try:
            made.append(_read(scope, fields, head, node))
        except Wrong as fault:
            scope.reader.wrong(fault)
    return tuple(made)


def _read(scope: Scope, fields: Fields, head: Scalar, node: Node) -> LoadExpectation:
    loads = scope.known(Naming.LOAD)
    if head.text in scope.things or (head.text not in loads and scope.names.incomplete):
        scope.find(Word(head.text, head), Naming.LOAD)
    elif head.text not in loads:
        raise unknown(head, (*fields.place.names, *loads))
    if head.text in scope.names.running:
        hint = f"stop it first: stop: {head.text}"
        scope.reader.problem(head, f"the load {shown(head.text)} still runs", hint)
    given = read_fields(scope.reader, node, LOADED)
    refuse_empty(scope, given)
    for kind, _ in given.get(ERRORS) or ():
        scope.names.imply(NEEDED.get(kind), f"'errors: {kind}'", head)
    latency = given.get(LATENCY_KEY)
    if latency:
        refuse_empty(scope, latency)
    return LoadExpectation(
        head.text,
        tuple((name, check) for name, check in given.values.items() if isinstance(check, Check)),
        given.get(ERRORS) or (),
        cast(Checks, tuple(latency.values.items())) if latency else (),
        given.get(ONLY_ERRORS) or (),
    )


def write_outcome(wanted: LoadExpectation, body: Body) -> Iterator[str]:
    """Yield the statements that check a load."""
    name = variable(wanted.label)
    if wanted.checks:
        yield f"{name}.expect({body.checks(wanted.checks)})"
    if wanted.errors:
        yield f"{name}.expect_errors({body.by_member(wanted.errors)})"
    if wanted.only_errors:
        yield f"{name}.expect_only_errors({body.members(wanted.only_errors)})"
    if wanted.latency:
        yield f"{name}.expect_latency({body.by_name(wanted.latency)})"


CALLS = ("expect", "expect_errors", "expect_only_errors", "expect_latency")
"""Methods that these statements call."""


def say_outcome(wanted: LoadExpectation) -> Iterator[Sentence]:
    """Yield the sentences about a load."""
    name = code(wanted.label)
    if wanted.checks:
        yield Sentence(f"of {name}: {amounts.checks(wanted.checks)}")
    if wanted.errors:
        kinds = tuple((kind.value, check) for kind, check in wanted.errors)
        yield Sentence(f"errors of {name}: {amounts.checks(kinds)}")
    if wanted.only_errors:
        kinds_only = amounts.labels(kind.value for kind in wanted.only_errors)
        yield Sentence(f"errors of {name}, if any: {kinds_only}")
    if wanted.latency:
        yield Sentence(f"latency of {name}: {amounts.checks(wanted.latency, ' s')}")
