"""Steps as fields → steps of the model, with all labels and actors resolved."""

from collections.abc import Callable
from typing import cast

from poolspec.errors import shown
from poolspec.language import grammar_steps as g
from poolspec.language.conditions import Condition
from poolspec.language.expectations import build_expectations
from poolspec.language.kinds import Fields, Word
from poolspec.language.loads import build_load
from poolspec.language.names import Naming
from poolspec.language.scope import Hold, Scope, Thing
from poolspec.language.steplist import StepList
from poolspec.model import (
    Acquire,
    Actor,
    Advance,
    Close,
    CloseAll,
    Connect,
    Expect,
    GlobalPool,
    Join,
    Query,
    Release,
    Start,
    Step,
    Value,
    WaitUntil,
    With,
)
from poolspec.vocabulary import ActorState


def build_steps(scope: Scope, steps: StepList) -> tuple[Step, ...]:
    """The steps of one body, in order. Problems are reported to the scope's reader."""
    made = []
    for fields in steps.steps:
        if fields is None or not fields.sound:
            scope.names.incomplete = True
        if fields is None:
            continue
        if any(fields.has(key) for key in _EXPECTING):
            scope.names.expecting = True
        if step := _BUILDERS[fields.place.name](scope, fields):
            made.append(step)
    return tuple(made)


_EXPECTING = (g.FAILS, g.TOOK, g.RETURNS, g.ROWS_KEY, g.RAISES, g.EXPECT_STEP)


def _acquire(scope: Scope, fields: Fields) -> Step:
    words = fields.get(g.ACQUIRE) or ()
    pool = _pool_of(scope, fields)
    if fields.has(g.FAILS) and len(words) > 1:
        message = f"'fails' speaks of one acquire, not of {len(words)}"
        scope.reader.problem(fields.at(g.FAILS), message, "write a step for each label")
    if not fields.has(g.FAILS):
        for word in words:
            scope.bind(word, Naming.LABEL, pool)
    return Acquire(
        fields.node.line,
        _texts(words),
        pool,
        fields.get(g.TIMEOUT),
        fields.get(g.FAILS),
        fields.get(g.TOOK),
    )


def _pool_of(scope: Scope, fields: Fields) -> str | None:
    """The global pool that a step names; else it uses the test's own."""
    if not fields.has(g.FROM):
        scope.names.own_pool.append(fields.node)
        return None
    word = fields.get(g.FROM)
    return word.text if word and scope.find(word, Naming.POOL) else None


def _connect(scope: Scope, fields: Fields) -> Step | None:
    word = fields.get(g.CONNECT)
    if word is None:
        return None
    scope.bind(word, Naming.LABEL)
    return Connect(fields.node.line, word.text)


def _release(scope: Scope, fields: Fields) -> Step:
    words = fields.get(g.RELEASE) or ()
    fails = fields.has(g.FAILS)
    if fails and len(words) > 1:
        message = f"'fails' speaks of one release, not of {len(words)}"
        scope.reader.problem(fields.at(g.FAILS), message, "write a step for each label")
    pools = [_give_back(scope, word, fails, fields.node.line) for word in words]
    if len(set(pools)) > 1:
        message = "these connections come from different pools"
        scope.reader.problem(fields.node, message, "write a step for each pool")
    target = fields.get(g.TO)
    if target:
        scope.find(target, Naming.POOL)
        pools = [target.text]
    if not pools or pools[0] is None:
        scope.names.own_pool.append(fields.node)
    pool = pools[0] if pools else None
    return Release(fields.node.line, _texts(words), pool, fields.get(g.FAILS))


def _give_back(scope: Scope, word: Word, fails: bool, line: int) -> str | None:
    """Take a connection away from its label; says which pool it came from."""
    thing = scope.find(word, Naming.LABEL)
    if thing is None:
        return None
    if thing.hold is Hold.LENT and not fails:
        message = f"{shown(word.text)} is given back at the end of its 'with'"
        scope.reader.problem(word.node, message, "leave this step out, or say how it 'fails'")
    elif thing.hold is Hold.GONE and not fails:
        _report_gone(scope, word, thing)
    elif not fails:
        thing.hold, thing.gone_line = Hold.GONE, line
    return thing.pool


def _report_gone(scope: Scope, word: Word, thing: Thing) -> None:
    message = f"{shown(word.text)} was given back in line {thing.gone_line}"
    scope.reader.problem(word.node, message, "if the step must fail, say how: fails: …")


def _with(scope: Scope, fields: Fields) -> Step | None:
    word = fields.get(g.WITH)
    scope.names.own_pool.append(fields.node)
    thing = scope.bind(word, Naming.LABEL, hold=Hold.LENT) if word else None
    steps = fields.get(g.DO)
    body = build_steps(scope, steps) if steps else ()
    if word is None or thing is None:
        return None
    thing.hold, thing.gone_line = Hold.GONE, fields.node.line
    return With(fields.node.line, word.text, body, fields.get(g.RAISES))


def _query(scope: Scope, fields: Fields) -> Step | None:
    on = fields.get(g.ON)
    thing = scope.find(on, Naming.LABEL) if on else None
    if on and thing and thing.hold is Hold.GONE and not fields.has(g.FAILS):
        _report_gone(scope, on, thing)
    answers = [key for key in (g.RETURNS, g.ROWS_KEY, g.FAILS) if fields.has(key)]
    if len(answers) > 1:
        message = f"{answers[0].name!r} and {answers[1].name!r} exclude each other"
        scope.reader.problem(fields.at(answers[1]), message, "keep one of them")
    if on is None:
        return None
    return Query(
        fields.node.line,
        fields.get(g.QUERY) or "",
        on.text,
        fields.get(g.PARAMS) or (),
        fields.get(g.RETURNS),
        fields.has(g.RETURNS),
        fields.get(g.ROWS_KEY),
        fields.get(g.FAILS),
    )


def _close_all(scope: Scope, fields: Fields) -> Step:
    scope.names.own_pool.append(fields.node)
    return CloseAll(fields.node.line)


def _close(scope: Scope, fields: Fields) -> Step:
    scope.names.own_pool.append(fields.node)
    return Close(fields.node.line)


def _global_pool(scope: Scope, fields: Fields) -> Step | None:
    word = fields.get(g.GLOBAL_POOL)
    scope.names.global_pools += 1
    if word is None:
        return None
    if not fields.has(g.FAILS):
        scope.bind(word, Naming.POOL)
    given = fields.get(g.OPTIONS)
    options = _options(given) if given else ()
    return GlobalPool(fields.node.line, word.text, options, fields.get(g.FAILS))


def _options(given: Fields) -> tuple[tuple[str, Value | str], ...]:
    """The options in the order in which they were given."""
    return tuple((name, cast("Value | str", value)) for name, value in given.values.items())


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
    return Join(fields.node.line, _texts(words))


def _wait_until(scope: Scope, fields: Fields) -> Step:
    condition = fields.get(g.WAIT_UNTIL) or Condition(ActorState.DONE)
    actor = condition.actor
    if actor:
        scope.find(actor, Naming.ACTOR)
    name = actor.text if actor else None
    return WaitUntil(fields.node.line, condition.state, name, condition.count)


def _advance(_: Scope, fields: Fields) -> Step:
    return Advance(fields.node.line, fields.get(g.ADVANCE) or 0.0)


def _expect(scope: Scope, fields: Fields) -> Step | None:
    given = fields.get(g.EXPECT_STEP)
    return Expect(fields.node.line, build_expectations(scope, given)) if given else None


def _texts(words: tuple[Word, ...]) -> tuple[str, ...]:
    return tuple(word.text for word in words)


_BUILDERS: dict[str, Callable[[Scope, Fields], Step | None]] = {
    f"the step {verb}": build
    for verb, build in {
        "acquire": _acquire,
        "connect": _connect,
        "release": _release,
        "with": _with,
        "query": _query,
        "close_all": _close_all,
        "close": _close,
        "global_pool": _global_pool,
        "start": _start,
        "join": _join,
        "wait_until": _wait_until,
        "advance": _advance,
        "load": build_load,
        "expect": _expect,
    }.items()
}
