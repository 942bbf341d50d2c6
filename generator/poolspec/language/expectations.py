"""Expectations as fields → model, with all labels, actors and loads resolved."""

from typing import cast

from poolspec.checks.needs import note_expectations
from poolspec.errors import shown
from poolspec.language import grammar_expect as g
from poolspec.model import (
    Check,
    Checks,
    EventsExpectation,
    Expectations,
    LoadExpectation,
    LoanExpectation,
)
from poolspec.spec.fields import Fields, Key, Word, Wrong, read_fields, unknown
from poolspec.spec.names import Naming
from poolspec.spec.scope import Scope
from poolspec.spec.tree import Node, Scalar
from poolspec.vocabulary import OF_CONNECTIONS

MAIN = "main"
"""The test's own thread or task, which is no actor."""


def build_expectations(scope: Scope, fields: Fields) -> Expectations:
    """What must hold. Problems are reported to the scope's reader."""
    scope.names.expecting = True
    note_expectations(scope.names, fields)
    if not fields.values and not fields.others and fields.sound:
        scope.reader.problem(fields.node, "nothing is expected here", "leave it out, or fill it")
    if fields.has(g.POOLS) and not scope.names.global_pools and not scope.names.incomplete:
        hint = "start with a step global_pool"
        scope.reader.problem(fields.at(g.POOLS), "no step asks for a global pool", hint)
    for name, node in _calls_of_connections(fields):
        scope.names.on_stage.append((f"calls of {name} are counted on scripted connections", node))
    return Expectations(
        stats=_checks(scope, fields, g.STATS_KEY),
        server=_checks(scope, fields, g.SERVER_KEY),
        served=_served(scope, fields),
        same=_compared(scope, fields, g.SAME),
        different=_compared(scope, fields, g.DIFFERENT),
        pools=fields.get(g.POOLS),
        events=_events(scope, fields),
        loads=_loads(scope, fields),
        lines={name: head.line for name, head in fields.heads.items()},
        health=fields.get(g.HEALTH),
        remaining_timeout=fields.get(g.REMAINING_TIMEOUT),
        hooks=_checks(scope, fields, g.HOOKS_KEY),
        logs=_checks(scope, fields, g.LOGS_KEY),
        loans=_loans_out(scope, fields),
        metrics=_metrics(scope, fields),
        calls=_checks(scope, fields, g.CALLS_KEY),
        real=fields.get(g.REAL),
    )


def _calls_of_connections(fields: Fields) -> list[tuple[str, Node]]:
    given = fields.get(g.CALLS_KEY)
    heads = given.heads.items() if given else ()
    return [(name, head) for name, head in heads if name in OF_CONNECTIONS]


def _checks(scope: Scope, fields: Fields, key: Key[Fields]) -> Checks:
    given = fields.get(key)
    if given is None:
        return ()
    _refuse_empty(scope, given)
    return tuple((name, check) for name, check in given.values.items() if isinstance(check, Check))


def _refuse_empty(scope: Scope, fields: Fields) -> None:
    if not fields.nodes and fields.sound:
        scope.reader.problem(fields.node, f"{fields.place.name}: nothing is expected", "fill it")


def _loans_out(scope: Scope, fields: Fields) -> tuple[LoanExpectation, ...] | None:
    given = fields.get(g.LOANS_KEY)
    if given is None:
        return None
    made = []
    for loan in given:
        _refuse_empty(scope, loan)
        word = loan.get(g.BY)
        if word and word.text != MAIN:
            scope.find(word, Naming.ACTOR)
        who = word.text if word else None
        made.append(LoanExpectation(who, loan.get(g.LASTS), loan.get(g.WHERE)))
    return tuple(made)


def _metrics(scope: Scope, fields: Fields) -> Checks:
    """Figures by name; those of times by the names of both, with a dot between."""
    given = fields.get(g.METRICS_KEY)
    found = list(_checks(scope, fields, g.METRICS_KEY))
    for name, timing in given.values.items() if given else ():
        if isinstance(timing, Fields):
            _refuse_empty(scope, timing)
            found += [
                (f"{name}.{part}", check)
                for part, check in timing.values.items()
                if isinstance(check, Check)
            ]
    return tuple(found)


def _served(scope: Scope, fields: Fields) -> tuple[str, ...]:
    words = fields.get(g.SERVED) or ()
    for word in words:
        scope.find(word, Naming.ACTOR)
    return tuple(word.text for word in words)


def _compared(scope: Scope, fields: Fields, key: Key[tuple[Word, ...]]) -> tuple[str, ...]:
    words = fields.get(key) or ()
    texts = tuple(word.text for word in words)
    if len(texts) == 1:
        scope.reader.problem(fields.at(key), f"{key.name!r} compares at least two labels")
    for index, word in enumerate(words):
        if word.text in texts[:index]:
            scope.reader.problem(word.node, f"{shown(word.text)} is named twice", "once is enough")
    things = [scope.find(word, Naming.LABEL, Naming.POOL) for word in words]
    if len({thing.naming for thing in things if thing}) > 1:
        message = "a connection and a pool cannot be compared"
        scope.reader.problem(fields.at(key), message, "name connections only, or pools only")
    return texts


def _events(scope: Scope, fields: Fields) -> EventsExpectation | None:
    given = fields.get(g.EVENTS_KEY)
    if given is None:
        return None
    exactly, in_order = given.get(g.EXACTLY), given.get(g.IN_ORDER)
    if given.has(g.EXACTLY) == given.has(g.IN_ORDER) and given.sound:
        scope.reader.problem(given.node, "events needs one of 'exactly' and 'in_order'")
    kinds = exactly or in_order or ()
    return EventsExpectation(kinds, exactly is not None, fields.at(g.EVENTS_KEY).line)


def _loads(scope: Scope, fields: Fields) -> tuple[LoadExpectation, ...]:
    made = []
    for head, node in fields.others:
        try:
            made.append(_load(scope, fields, head, node))
        except Wrong as fault:
            scope.reader.wrong(fault)
    return tuple(made)


def _load(scope: Scope, fields: Fields, head: Scalar, node: Node) -> LoadExpectation:
    loads = scope.known(Naming.LOAD)
    if head.text in scope.things or (head.text not in loads and scope.names.incomplete):
        scope.find(Word(head.text, head), Naming.LOAD)
    elif head.text not in loads:
        raise unknown(head, (*fields.place.names, *loads))
    if head.text in scope.names.running:
        hint = f"stop it first: stop: {head.text}"
        scope.reader.problem(head, f"the load {shown(head.text)} still goes on", hint)
    given = read_fields(scope.reader, node, g.LOADED)
    _refuse_empty(scope, given)
    latency = given.get(g.LATENCY_KEY)
    if latency:
        _refuse_empty(scope, latency)
    return LoadExpectation(
        head.text,
        tuple((name, check) for name, check in given.values.items() if isinstance(check, Check)),
        given.get(g.ERRORS) or (),
        cast(Checks, tuple(latency.values.items())) if latency else (),
        head.line,
        given.get(g.ONLY_ERRORS) or (),
    )
