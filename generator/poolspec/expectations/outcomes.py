"""Expectations of a load, under its label: operations, errors, latency."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from poolspec.errors import expected, shown
from poolspec.expectations.kind import refuse_empty
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body
from poolspec.python.literals import literal
from poolspec.python.names import variable
from poolspec.spec.common import COUNTED, FAILURE, TIMED
from poolspec.spec.fields import (
    Fields,
    Key,
    Kind,
    Place,
    Reader,
    Word,
    Wrong,
    read_fields,
    scalar,
    unknown,
)
from poolspec.spec.kinds import check_kind, fields_kind, list_kind, map_kind
from poolspec.spec.names import Naming
from poolspec.spec.quantities import RATE, RATIO
from poolspec.spec.scope import Scope
from poolspec.spec.tree import Node, Scalar
from poolspec.spec.values import Check, Checks
from poolspec.vocabulary import ErrorKind, Operation
from poolspec.vocabulary.rules import ERRORS as NEEDED


@dataclass(frozen=True, slots=True)
class KindExpectation:
    """The outcome that the operations of a load, or those of one kind, must have."""

    label: str
    """Of the load."""
    checks: Checks = ()
    """Of: operations, succeeded, failed, success_rate, throughput (operations/s); of a whole load
    also lost_writes, not_started and fairness."""
    errors: tuple[tuple[ErrorKind, Check], ...] = ()
    latency: Checks = ()
    """Of: mean, max, p50, p90, p95, p99, p99.9; in seconds."""
    only_errors: tuple[ErrorKind, ...] = ()
    """The kinds of errors that there may be; empty: any."""


@dataclass(frozen=True, slots=True)
class LoadExpectation(KindExpectation):
    """The outcome that a load must have."""

    by_kind: tuple[tuple[str, KindExpectation], ...] = ()
    """By kind of operation, or by request."""


_OPERATIONS = frozenset(map(str, Operation))
_REQUEST = re.compile(r"[A-Z]{3,7} /[!-~]{0,199}")
_KIND_WORDS = "a kind of operation, or a request such as 'GET /visits'"


def _read_kind_name(_: Reader, node: Node) -> str:
    text = scalar(node, _KIND_WORDS).text
    if text not in _OPERATIONS and not _REQUEST.fullmatch(text):
        raise Wrong(node, f"{shown(text)} is not {_KIND_WORDS}", expected(_OPERATIONS, text))
    return text


KIND_NAME: Kind[str] = Kind(
    _KIND_WORDS,
    _read_kind_name,
    {"type": "string", "pattern": rf"^({'|'.join(Operation)}|{_REQUEST.pattern})$"},
)
LATENCY = Place(
    "latency",
    tuple(
        Key(name, TIMED, f"{name} of the times of the operations", '"< 100ms"')
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
NOT_STARTED = Key(
    "not_started", COUNTED, "operations that were due and had not begun at the end", "0"
)
FAIRNESS = Key(
    "fairness",
    check_kind(RATIO),
    "Jain's index of the operations that each client succeeded with; 1 if all have the same",
    '">= 0.9"',
)
_CHECKS = (
    Key("operations", COUNTED, "operations tried", "100"),
    Key("succeeded", COUNTED, "operations that succeeded", "100"),
    Key("failed", COUNTED, "operations that failed", "0"),
    Key("success_rate", check_kind(RATIO), "succeeded, as a share of all", '">= 95%"'),
    Key("throughput", check_kind(RATE), "operations per second", '"> 1000"'),
)
OF_KIND = Place("the outcome of a kind of operation", (*_CHECKS, ERRORS, ONLY_ERRORS, LATENCY_KEY))
BY_KIND = Key(
    "by_kind",
    map_kind("kinds of operations with an outcome each", KIND_NAME, fields_kind(OF_KIND)),
    "the outcome of each kind of operation, or of each request",
    "{read: {failed: 0}}",
)
LOAD_CHECKS = (*_CHECKS, LOST_WRITES, NOT_STARTED, FAIRNESS)
LOADED = Place("the outcome of a load", (*LOAD_CHECKS, ERRORS, ONLY_ERRORS, LATENCY_KEY, BY_KIND))


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
    by_kind = given.get(BY_KIND) or ()
    return LoadExpectation(
        *_parts(scope, head, given),
        tuple((kind, _read_kind(scope, head, fields)) for kind, fields in by_kind),
    )


def _read_kind(scope: Scope, head: Scalar, given: Fields) -> KindExpectation:
    refuse_empty(scope, given)
    return KindExpectation(*_parts(scope, head, given))


_Errors = tuple[tuple[ErrorKind, Check], ...]


def _parts(
    scope: Scope, head: Scalar, given: Fields
) -> tuple[str, Checks, _Errors, Checks, tuple[ErrorKind, ...]]:
    """Return what is expected of a load, or of a kind of operation in it."""
    for kind, _ in given.get(ERRORS) or ():
        scope.names.imply(NEEDED.get(kind), f"'errors: {kind}'", head)
    latency = given.get(LATENCY_KEY)
    if latency:
        refuse_empty(scope, latency)
    return (
        head.text,
        tuple((name, check) for name, check in given.values.items() if isinstance(check, Check)),
        given.get(ERRORS) or (),
        cast(Checks, tuple(latency.values.items())) if latency else (),
        given.get(ONLY_ERRORS) or (),
    )


def write_outcome(wanted: LoadExpectation, body: Body) -> Iterator[str]:
    """Yield the statements that check a load."""
    name = variable(wanted.label)
    yield from _write(name, wanted, body)
    for kind, outcome in wanted.by_kind:
        yield from _write(f"{name}.of({_kind(kind, body)})", outcome, body)


def _kind(kind: str, body: Body) -> str:
    """Return a kind of operation as a member of its enum, or a request as a text."""
    return body.member(Operation(kind)) if kind in _OPERATIONS else literal(kind)


def _write(name: str, wanted: KindExpectation, body: Body) -> Iterator[str]:
    if wanted.checks:
        yield f"{name}.expect({body.checks(wanted.checks)})"
    if wanted.errors:
        yield f"{name}.expect_errors({body.by_member(wanted.errors)})"
    if wanted.only_errors:
        yield f"{name}.expect_only_errors({body.members(wanted.only_errors)})"
    if wanted.latency:
        yield f"{name}.expect_latency({body.by_name(wanted.latency)})"


CALLS = ("of", "expect", "expect_errors", "expect_only_errors", "expect_latency")
"""Methods that these statements call."""


def say_outcome(wanted: LoadExpectation) -> Iterator[Sentence]:
    """Yield the sentences about a load."""
    name = code(wanted.label)
    yield from _say(name, wanted)
    for kind, outcome in wanted.by_kind:
        yield from _say(f"{code(kind)} of {name}", outcome)


def _say(name: str, wanted: KindExpectation) -> Iterator[Sentence]:
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
