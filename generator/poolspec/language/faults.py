"""The steps `fault` and `heal` as fields → model.

Each kind of fault says what else it needs or takes. What was not broken cannot be healed, and what
is gone for good, such as a killed connection, cannot either.
"""

from dataclasses import dataclass
from typing import Any

from poolspec.errors import expected, shown
from poolspec.language import grammar_steps as g
from poolspec.model import Heal, Inject, Step
from poolspec.spec.fields import Fields, Key
from poolspec.spec.names import Naming
from poolspec.spec.scope import Hold, Scope
from poolspec.spec.tree import Node
from poolspec.vocabulary import CALL_FAULTS, OF_CONNECTIONS, Fault, Manner


@dataclass(frozen=True, slots=True)
class _Terms:
    """What a kind of fault is told."""

    needs: tuple[Key[Any], ...] = ()
    takes: tuple[Key[Any], ...] = ()
    lasts: bool = True
    """Until it is healed."""


_TERMS = {
    Fault.CONNECTION_KILLED: _Terms(needs=(g.VICTIM,), lasts=False),
    Fault.IDLE_KILLED: _Terms(lasts=False),
    Fault.SERVER_KILLED: _Terms(),
    Fault.SERVER_PAUSED: _Terms(),
    **{
        fault: _Terms(
            needs=(g.FOR,) if manner is Manner.SLOW else (), takes=(g.TIMES, g.AFTER_CALLS)
        )
        for fault, (_, manner) in CALL_FAULTS.items()
    },
}


def build_fault(scope: Scope, fields: Fields) -> Step | None:
    """Something is broken, from now on or once."""
    kind = fields.get(g.FAULT)
    if kind is None:
        return None
    terms = _TERMS[kind]
    _check_terms(scope, fields, kind, terms)
    _note_what_it_needs(scope, kind, fields.at(g.FAULT))
    if terms.lasts:
        scope.names.broken.add(kind)
    victim = fields.get(g.VICTIM)
    thing = scope.find(victim, Naming.LABEL) if victim else None
    if victim and thing and thing.hold is Hold.GONE:
        message = f"{shown(victim.text)} was given back in line {thing.gone_line}"
        scope.reader.problem(victim.node, message, "write: fault: idle_killed")
    name = victim.text if victim else None
    return Inject(
        fields.node.line,
        kind,
        name,
        fields.get(g.FOR),
        fields.get(g.TIMES),
        fields.get(g.AFTER_CALLS),
    )


def _note_what_it_needs(scope: Scope, kind: Fault, node: Node) -> None:
    """Faults of the server need one; those of a connection's calls need scripted connections."""
    if kind in (Fault.SERVER_KILLED, Fault.SERVER_PAUSED):
        scope.names.at_server.append((f"{kind} is about a server", node))
    elif kind in CALL_FAULTS and CALL_FAULTS[kind][0] in OF_CONNECTIONS:
        scope.names.on_stage.append((f"{kind} is for scripted connections", node))


def _check_terms(scope: Scope, fields: Fields, kind: Fault, terms: _Terms) -> None:
    for key in terms.needs:
        if key is g.VICTIM and not fields.has(key):
            scope.report_no_connection(fields.node, kind, key.name)
        elif not fields.has(key):
            hint = f"add it: {key.name}: {key.example}"
            scope.reader.problem(fields.node, f"{kind} needs the key {key.name!r}", hint)
    for key in (g.VICTIM, g.FOR, g.TIMES, g.AFTER_CALLS):
        if fields.has(key) and key not in (*terms.needs, *terms.takes):
            scope.reader.problem(fields.at(key), f"{kind} takes no {key.name!r}", "leave it out")


def build_heal(scope: Scope, fields: Fields) -> Step | None:
    """What was broken before works again."""
    kind = fields.get(g.HEAL)
    if kind is None:
        return None
    if not _TERMS[kind].lasts:
        lasting = tuple(fault for fault, terms in _TERMS.items() if terms.lasts)
        message = f"{kind} cannot be healed: what was killed stays so"
        scope.reader.problem(fields.at(g.HEAL), message, expected(lasting))
    elif kind not in scope.names.broken and not scope.names.incomplete:
        message = f"there is no {kind} to heal"
        scope.reader.problem(fields.at(g.HEAL), message, f"break it first: fault: {kind}")
    scope.names.broken.discard(kind)
    return Heal(fields.node.line, kind)
