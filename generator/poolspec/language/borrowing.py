"""Steps about single connections as fields → model: borrowed, used, given back."""

from typing import Any, Final, cast

from poolspec.errors import shown
from poolspec.language import grammar_steps as g
from poolspec.language.grammar_common import FAILS, SAYS, TIMEOUT, TOOK
from poolspec.model import Acquire, Connect, GlobalPool, PoolOptions, Query, Release, Step, Value
from poolspec.spec.fields import Fields, Key, Word
from poolspec.spec.names import Naming
from poolspec.spec.scope import Hold, Scope, Thing
from poolspec.vocabulary import Concurrency

_READINGS: Final = (g.RETURNS, g.ROWS_KEY, g.UNREAD, g.CHANGES_ONE)
"""What a statement may be asked besides that it succeeds; one of these at most."""


def build_acquire(scope: Scope, fields: Fields) -> Step:
    """The acquire of some labels; they are bound unless it must fail."""
    words = fields.get(g.ACQUIRE) or ()
    pool = _pool_of(scope, fields)
    if fields.has(FAILS) and len(words) > 1:
        message = f"'fails' speaks of one acquire, not of {len(words)}"
        scope.reader.problem(fields.at(FAILS), message, "write a step for each label")
    if not fields.has(FAILS):
        for word in words:
            scope.bind(word, Naming.LABEL, pool)
    return Acquire(
        fields.node.line,
        texts(words),
        pool,
        fields.get(TIMEOUT),
        fields.get(FAILS),
        fields.get(TOOK),
        fields.get(SAYS) or (),
    )


def _pool_of(scope: Scope, fields: Fields) -> str | None:
    """The pool that a step names, global or opened; else it uses the test's own."""
    if not fields.has(g.FROM):
        scope.names.own_pool.append(fields.node)
        return None
    word = fields.get(g.FROM)
    return word.text if word and scope.find(word, Naming.POOL) else None


def build_connect(scope: Scope, fields: Fields) -> Step | None:
    """A connection that no pool knows; its label is bound."""
    word = fields.get(g.CONNECT)
    if word is None:
        return None
    scope.bind(word, Naming.LABEL)
    return Connect(fields.node.line, word.text)


def build_release(scope: Scope, fields: Fields) -> Step:
    """The release of some labels; they are gone unless it must fail."""
    words = fields.get(g.RELEASE) or ()
    fails = fields.has(FAILS)
    if fails and len(words) > 1:
        message = f"'fails' speaks of one release, not of {len(words)}"
        scope.reader.problem(fields.at(FAILS), message, "write a step for each label")
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
    says = fields.get(SAYS) or ()
    return Release(fields.node.line, texts(words), pool, fields.get(FAILS), says)


def _give_back(scope: Scope, word: Word, fails: bool, line: int) -> str | None:
    """Take a connection away from its label; says which pool it came from."""
    thing = scope.find(word, Naming.LABEL)
    if thing is None:
        return None
    if thing.hold is Hold.LENT and not fails:
        message = f"{shown(word.text)} is given back at the end of its block"
        scope.reader.problem(word.node, message, "leave this step out, or say how it 'fails'")
    elif thing.hold is Hold.GONE and not fails:
        _report_gone(scope, word, thing, "if the step must fail, say how: fails: …")
    elif not fails:
        thing.hold, thing.gone_line = Hold.GONE, line
    return thing.pool


def _report_gone(scope: Scope, word: Word, thing: Thing, hint: str) -> None:
    message = f"{shown(word.text)} was given back in line {thing.gone_line}"
    scope.reader.problem(word.node, message, hint)


def build_query(scope: Scope, fields: Fields) -> Step | None:
    """A statement on a connection that is held."""
    if not fields.has(g.ON):
        scope.report_no_connection(fields.node, "the step query", g.ON.name)
    on = fields.get(g.ON)
    thing = scope.find(on, Naming.LABEL) if on else None
    if on and thing and thing.hold is Hold.GONE:
        hint = "query before that, or acquire anew, under another name"
        _report_gone(scope, on, thing, hint)
    asked = [key for key in _READINGS if fields.has(key)]
    fails = [FAILS] if fields.has(FAILS) and g.CHANGES_ONE not in asked else []
    _report_both(scope, fields, [*asked, *fails])
    for key in _READINGS:
        if fields.has(key):
            scope.names.at_server.append((f"{key.name!r} wants an answer", fields.at(key)))
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
        fields.get(FAILS),
        fields.get(SAYS) or (),
        fields.get(TOOK),
        fields.get(g.UNREAD) or False,
        fields.get(g.CHANGES_ONE) or False,
    )


def _report_both(scope: Scope, fields: Fields, keys: list[Key[Any]]) -> None:
    if len(keys) > 1:
        message = f"{keys[0].name!r} and {keys[1].name!r} exclude each other"
        scope.reader.problem(fields.at(keys[1]), message, "keep one of them")


def build_global_pool(scope: Scope, fields: Fields) -> Step | None:
    """The request for the global pool; its label is bound unless it must fail."""
    word = fields.get(g.GLOBAL_POOL)
    scope.names.global_pools += 1
    scope.names.bound_to.append((Concurrency.THREADS, "global_pool", fields.at(g.GLOBAL_POOL)))
    if word is None:
        return None
    if not fields.has(FAILS):
        scope.bind(word, Naming.POOL)
    given = fields.get(g.OPTIONS)
    options = options_of(given) if given else ()
    scope.names.options.append((options, fields.at(g.OPTIONS)))
    says = fields.get(SAYS) or ()
    return GlobalPool(fields.node.line, word.text, options, fields.get(FAILS), says)


def options_of(given: Fields) -> PoolOptions:
    """The options in the order in which they were given."""
    return tuple((name, cast("Value | str", value)) for name, value in given.values.items())


def texts(words: tuple[Word, ...]) -> tuple[str, ...]:
    """Names without their places."""
    return tuple(word.text for word in words)
