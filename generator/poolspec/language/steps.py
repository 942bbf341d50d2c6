"""Steps as fields → steps of the model, with all labels and actors resolved."""

from collections.abc import Callable
from dataclasses import replace

from poolspec.checks.needs import note_step
from poolspec.errors import shown
from poolspec.language import grammar_steps as g
from poolspec.language import grammar_web
from poolspec.language.borrowing import (
    build_acquire,
    build_connect,
    build_global_pool,
    build_query,
    build_release,
    texts,
)
from poolspec.language.expectations import build_expectations
from poolspec.language.faults import build_fault, build_heal
from poolspec.language.grammar_common import FAILS, SAYS, TOOK
from poolspec.language.lifecycle import (
    build_close,
    build_close_all,
    build_maintain,
    build_resize,
    build_resume,
    build_suspend,
)
from poolspec.language.loads import build_load, build_stop
from poolspec.language.opening import build_open
from poolspec.language.web import build_request
from poolspec.model import (
    Actor,
    Advance,
    Cancel,
    Expect,
    Fork,
    InterruptEverywhere,
    Join,
    Start,
    Step,
    Transaction,
    Use,
    WaitUntil,
    With,
)
from poolspec.spec.conditions import Condition
from poolspec.spec.fields import Fields, Key, Word
from poolspec.spec.names import Naming
from poolspec.spec.scope import Among, Hold, Scope
from poolspec.steps.steplist import NO_STEPS, StepList
from poolspec.vocabulary import ActorState, Concurrency, Interruption


def build_steps(scope: Scope, steps: StepList) -> tuple[Step, ...]:
    """The steps of one body, in order. Problems are reported to the scope's reader."""
    made = []
    for fields in steps.steps:
        if fields is None or not fields.sound:
            scope.names.incomplete = True
        if fields is None:
            continue
        if not _EXPECTING.isdisjoint(fields.nodes):
            scope.names.expecting = True
        if fields.has(SAYS) and not fields.has(FAILS):
            message = "'says' speaks of an error, and none is expected"
            scope.reader.problem(fields.at(SAYS), message, "say how it fails: fails: …")
        note_step(scope.names, fields, scope.among in (Among.ROUND, Among.INTERRUPTED))
        _check_place(scope, fields)
        if step := _BUILDERS[fields.place.name](scope, fields):
            made.append(step)
    return tuple(made)


_EXPECTING = frozenset(
    key.name
    for key in (
        *(FAILS, TOOK, g.RETURNS, g.ROWS_KEY, g.RAISES, g.ENDS_WITH, g.EXPECT_STEP),
        g.CHANGES_ONE,
        *(grammar_web.STATUS, g.INTERRUPT_EVERYWHERE),
    )
)
"""The keys by which a step expects something."""
_MISPLACED: dict[Among, frozenset[str]] = {
    Among.ALL: frozenset(),
    Among.ROUND: frozenset({"interrupt_everywhere", "fork", "load", "global_pool", "open"}),
    Among.INTERRUPTED: frozenset(g.STEP_PLACES)
    - {
        *("acquire", "release", "with", "transaction", "query", "advance"),
        *("close_all", "close", "resize", "suspend", "resume", "maintain"),
    },
    Among.FORKED: frozenset({"interrupt_everywhere"}),
}
"""Verbs that cannot stand among certain steps."""


def _check_place(scope: Scope, fields: Fields) -> None:
    verb = fields.place.name.removeprefix("the step ")
    if verb not in _MISPLACED[scope.among]:
        return
    where = "among steps that are cut short again and again"
    hint = "take it out of the step interrupt_everywhere"
    if scope.among is Among.FORKED:
        where = "in a forked child"
        hint = "take it out of the step fork: its pools would be counted with those of the parent"
    node = fields.heads.get(verb, fields.node)
    scope.reader.problem(node, f"{shown(verb)} cannot stand {where}", hint)


def _with(scope: Scope, fields: Fields) -> Step | None:
    return _block(scope, fields, g.WITH, With)


def _transaction(scope: Scope, fields: Fields) -> Step | None:
    block = _block(scope, fields, g.TRANSACTION, Transaction)
    ends_with = fields.get(g.ENDS_WITH)
    for other in (g.RAISES, FAILS):
        if ends_with and fields.has(other):
            message = f"nothing is committed where the block has {other.name!r}"
            scope.reader.problem(fields.at(g.ENDS_WITH), message, "keep one of them")
    return replace(block, ends_with=ends_with) if isinstance(block, Transaction) else block


def _block(
    scope: Scope, fields: Fields, key: Key[Word], kind: type[With] | type[Transaction]
) -> Step | None:
    """A block that borrows for its length, with the steps inside; unless borrowing must fail."""
    word, fails = fields.get(key), fields.has(FAILS)
    scope.names.own_pool.append(fields.node)
    for inside in (g.DO, g.RAISES):
        if fails and fields.has(inside):
            message = f"{inside.name!r} is never come to, for the borrowing fails"
            scope.reader.problem(fields.at(inside), message, "keep one of them")
    thing = scope.bind(word, Naming.LABEL, hold=Hold.LENT) if word and not fails else None
    steps = fields.get(g.DO)
    body = build_steps(scope, steps) if steps and not fails else ()
    if thing:
        thing.hold, thing.gone_line = Hold.GONE, fields.node.line
    if word is None:
        return None
    says = fields.get(SAYS) or ()
    line, raises = fields.node.line, fields.get(g.RAISES)
    return kind(line, word.text, body, raises, fields.get(FAILS), says)


def _start(scope: Scope, fields: Fields) -> Step | None:
    actors = fields.get(g.START) or ()
    if scope.owner:
        message = "an actor cannot start actors"
        scope.reader.problem(fields.at(g.START), message, "start them in the main body")
        return None
    for word, _ in actors:
        scope.bind(word, Naming.ACTOR)
    made = tuple(_actor(scope.of_actor(word.text), word, value) for word, value in actors)
    return Start(fields.node.line, made)


def _actor(scope: Scope, word: Word, value: Fields | StepList) -> Actor:
    line = word.node.line
    if isinstance(value, StepList):
        return Actor(word.text, build_steps(scope, value), line=line)
    if not value.sound:
        scope.names.incomplete = True
    steps = value.get(g.BODY)
    return Actor(
        word.text,
        build_steps(scope, steps) if steps else (),
        value.get(g.COUNT_KEY) or 1,
        value.get(g.REPEAT) or 1,
        line,
    )


def _join(scope: Scope, fields: Fields) -> Step | None:
    words = fields.get(g.JOIN) or ()
    if scope.owner:
        message = "an actor cannot join actors"
        scope.reader.problem(fields.at(g.JOIN), message, "join them in the main body")
        return None
    for word in words:
        scope.find(word, Naming.ACTOR)
    return Join(fields.node.line, texts(words))


def _cancel(scope: Scope, fields: Fields) -> Step | None:
    word = fields.get(g.CANCEL)
    scope.names.bound_to.append((Concurrency.ASYNCIO, "cancel", fields.at(g.CANCEL)))
    if scope.owner:
        message = "an actor cannot cancel actors"
        scope.reader.problem(fields.at(g.CANCEL), message, "cancel them in the main body")
        return None
    return Cancel(fields.node.line, word.text) if word and scope.find(word, Naming.ACTOR) else None


def _fork(scope: Scope, fields: Fields) -> Step | None:
    """What the child does to its copies of the labels, its parent's labels do not show."""
    steps = fields.get(g.FORK)
    scope.names.bound_to.append((Concurrency.THREADS, "fork", fields.at(g.FORK)))
    if scope.owner:
        message = "an actor cannot fork"
        scope.reader.problem(fields.at(g.FORK), message, "fork in the main body")
        return None
    return Fork(fields.node.line, build_steps(scope.of_child(), steps)) if steps else None


def _interrupt_everywhere(scope: Scope, fields: Fields) -> Step | None:
    """Steps for a pool that is made anew each time; what the main body has bound is none of it."""
    scope.names.own_pool.append(fields.node)
    if scope.owner:
        message = "an actor cannot interrupt itself everywhere"
        scope.reader.problem(fields.at(g.INTERRUPT_EVERYWHERE), message, "do it in the main body")
        return None
    inside = scope.of_round()
    before = build_steps(inside, fields.get(g.BEFORE) or NO_STEPS)
    steps = fields.get(g.INTERRUPT_EVERYWHERE)
    if steps is not None and not steps.steps:
        message = "there is nothing to be cut short"
        scope.reader.problem(fields.at(g.INTERRUPT_EVERYWHERE), message, "add a step")
    body = build_steps(inside.of_interrupted(), steps or NO_STEPS)
    after = build_steps(inside, fields.get(g.AFTER) or NO_STEPS)
    scope.names.broken.clear()  # faults are healed after each time
    by = fields.get(g.BY) or Interruption.INTERRUPT
    if fields.has(g.MAY_RECOVER) and by is not Interruption.TIMEOUT:
        message = "only a timeout can be made good"
        scope.reader.problem(fields.at(g.MAY_RECOVER), message, "take it out, or say by: timeout")
    at_least, may_recover = fields.get(g.AT_LEAST) or 1, fields.get(g.MAY_RECOVER) or False
    return InterruptEverywhere(fields.node.line, body, before, after, by, at_least, may_recover)


def _wait_until(scope: Scope, fields: Fields) -> Step:
    condition = fields.get(g.WAIT_UNTIL) or Condition(ActorState.DONE)
    actor = condition.actor
    if actor:
        scope.find(actor, Naming.ACTOR)
    name = actor.text if actor else None
    return WaitUntil(fields.node.line, condition.state, name, condition.count)


def _advance(_: Scope, fields: Fields) -> Step:
    return Advance(fields.node.line, fields.get(g.ADVANCE) or 0.0)


def _use(_: Scope, fields: Fields) -> Step | None:
    word = fields.get(g.USE)
    return Use(fields.node.line, word.text) if word else None


def _expect(scope: Scope, fields: Fields) -> Step | None:
    given = fields.get(g.EXPECT_STEP)
    if given is None:
        return None
    return Expect(fields.node.line, build_expectations(scope, given), fields.get(g.WITHIN))


_BUILDERS: dict[str, Callable[[Scope, Fields], Step | None]] = {
    f"the step {verb}": build
    for verb, build in {
        "acquire": build_acquire,
        "connect": build_connect,
        "release": build_release,
        "with": _with,
        "transaction": _transaction,
        "query": build_query,
        "close_all": build_close_all,
        "close": build_close,
        "resize": build_resize,
        "suspend": build_suspend,
        "resume": build_resume,
        "maintain": build_maintain,
        "global_pool": build_global_pool,
        "open": build_open,
        "start": _start,
        "join": _join,
        "cancel": _cancel,
        "fork": _fork,
        "interrupt_everywhere": _interrupt_everywhere,
        "wait_until": _wait_until,
        "advance": _advance,
        "fault": build_fault,
        "heal": build_heal,
        "use": _use,
        "request": build_request,
        "load": build_load,
        "stop": build_stop,
        "expect": _expect,
    }.items()
}
