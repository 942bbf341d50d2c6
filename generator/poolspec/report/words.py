"""A test in plain words.

Each step is a sentence, each expectation a statement. The words are Markdown: what comes from a
spec has passed `markdown`. Sentences of steps with steps inside them have those as children.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import singledispatch

from poolspec.model import (
    Acquire,
    Actor,
    Advance,
    Check,
    Close,
    CloseAll,
    Connect,
    Expect,
    Expectations,
    GlobalPool,
    Join,
    Load,
    LoadExpectation,
    Query,
    Release,
    SpecTest,
    Start,
    Step,
    WaitUntil,
    With,
)
from poolspec.rendering.scope import needs_pool
from poolspec.report import amounts
from poolspec.report.markdown import code
from poolspec.vocabulary import ActorState, BodyFailure, ErrorKind, Runner, Via

_STATES = {
    ActorState.WAITING: ("is waiting", "are waiting"),
    ActorState.HOLDING: ("holds a connection", "hold a connection"),
    ActorState.DONE: ("is done", "are done"),
}
_FAILURES = {
    BodyFailure.ERROR: "The body raises an error, which must come out of the block.",
    BodyFailure.INTERRUPT: "The body is interrupted, which must come out of the block.",
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One item of a list, and the items under it."""

    text: str
    children: tuple["Sentence", ...] = ()


def scenario(test: SpecTest) -> tuple[Sentence, ...]:
    """Return what a test does and what must hold at its end, in order."""
    told = [_pool(test)] if needs_pool(test) else []
    told += [tell(step) for step in test.steps]
    holds = tuple(_expectations(test.expect))
    return (*told, Sentence("At the end:", holds)) if holds else tuple(told)


def _pool(test: SpecTest) -> Sentence:
    return Sentence(f"Make a pool{amounts.options(test.pool)}.")


@singledispatch
def tell(step: Step) -> Sentence:
    """Return a step as a sentence."""
    raise TypeError(f"no words for {type(step).__name__}")


@tell.register
def _(step: Acquire) -> Sentence:
    parts = [f"Acquire {amounts.labels(step.labels)}"]
    if step.pool is not None:
        parts.append(f" from {code(step.pool)}")
    if step.timeout is not None:
        parts.append(f", waiting {amounts.seconds(step.timeout)} at most")
    return Sentence("".join(parts) + _must(step.fails, step.took))


@tell.register
def _(step: Connect) -> Sentence:
    return Sentence(f"Open {code(step.label)}, a connection that the pool knows nothing of.")


@tell.register
def _(step: Release) -> Sentence:
    what = amounts.labels(step.labels) if step.labels else "nothing (`None`)"
    whither = f" to {code(step.pool)}" if step.pool is not None else ""
    return Sentence(f"Release {what}{whither}{_must(step.fails)}")


@tell.register
def _(step: With) -> Sentence:
    body = [tell(inner) for inner in step.body]
    if step.raises:
        body.append(Sentence(_FAILURES[step.raises]))
    if not body:
        return Sentence(f"Enter and leave a `with` block that borrows {code(step.label)}.")
    return Sentence(f"In a `with` block that borrows {code(step.label)}:", tuple(body))


@tell.register
def _(step: Query) -> Sentence:
    text = f"On {code(step.on)}, run {code(step.sql)}"
    if step.params:
        text += f" with {amounts.scalars(step.params)}"
    if step.expects_value:
        text += f"; it must return {amounts.scalar(step.returns)}"
    if step.rows is not None:
        rows = "; ".join(amounts.scalars(row) for row in step.rows) or "none"
        text += f"; its rows must be: {rows}"
    return Sentence(text + _must(step.fails))


@tell.register
def _(step: CloseAll) -> Sentence:
    return Sentence("Empty the pool with `close_all`.")


@tell.register
def _(step: Close) -> Sentence:
    return Sentence("Close the pool.")


@tell.register
def _(step: GlobalPool) -> Sentence:
    asked = f"Ask for the global pool, {code(step.label)}{amounts.options(step.options)}"
    return Sentence(asked + _must(step.fails))


@tell.register
def _(step: Start) -> Sentence:
    return Sentence("Start at the same moment:", tuple(_actor(actor) for actor in step.actors))


def _actor(actor: Actor) -> Sentence:
    times = "" if actor.count == 1 else f"{amounts.value(actor.count)} × "
    again = "" if actor.repeat == 1 else f", {amounts.value(actor.repeat)} times each"
    steps = tuple(tell(step) for step in actor.steps)
    return Sentence(
        f"{times}{code(actor.name)}{again}{':' if steps else ', doing nothing.'}", steps
    )


@tell.register
def _(step: Join) -> Sentence:
    return Sentence(f"Wait for {amounts.labels(step.actors)} to end.")


@tell.register
def _(step: WaitUntil) -> Sentence:
    one, several = _STATES[step.state]
    if step.actor is not None:
        return Sentence(f"Wait until {code(step.actor)} {one}.")
    noun = f"actor {one}" if step.count == 1 else f"actors {several}"
    return Sentence(f"Wait until {amounts.value(step.count or 0)} {noun}.")


@tell.register
def _(step: Advance) -> Sentence:
    return Sentence(f"Let {amounts.seconds(step.seconds)} pass.")


@tell.register
def _(step: Load) -> Sentence:
    parts = [f"{amounts.value(step.clients)} clients", *_operations(step)]
    if step.hold is not None:
        shortest, longest = (amounts.seconds(item) for item in step.hold)
        parts.append(f"each holding its connection for {shortest} to {longest}")
    if step.timeout is not None:
        parts.append(f"waiting {amounts.seconds(step.timeout)} at most")
    if step.via is Via.WITH:
        parts.append("through `with`")
    if step.runner is Runner.EXECUTOR:
        parts.append("under `concurrent.futures`")
    return Sentence(f"Run the load {code(step.label)}: {', '.join(parts)}.")


def _operations(step: Load) -> Iterator[str]:
    if step.counts:
        yield " and ".join(f"{count} {kind.value} operations" for kind, count in step.counts)
        return
    if step.total is not None:
        yield f"{amounts.value(step.total)} operations in all"
    if step.each is not None:
        yield f"{amounts.value(step.each)} operations each"
    shares = [
        f"{share} {kind.value}" if len(step.mix) > 1 else kind.value for kind, share in step.mix
    ]
    yield f"of the kind {shares[0]}" if len(shares) == 1 else f"mixed {' : '.join(shares)}"


@tell.register
def _(step: Expect) -> Sentence:
    return Sentence("Check:", tuple(_expectations(step.expectations)))


def _expectations(wanted: Expectations) -> Iterator[Sentence]:
    if wanted.stats:
        yield Sentence(f"the pool's statistics: {amounts.checks(wanted.stats)}")
    if wanted.server:
        yield Sentence(f"the server's own count: {amounts.checks(wanted.server)}")
    if wanted.served:
        yield Sentence(f"served in this order: {amounts.labels(wanted.served)}")
    if wanted.same:
        yield Sentence(f"one and the same: {amounts.labels(wanted.same)}")
    if wanted.different:
        yield Sentence(f"all different: {amounts.labels(wanted.different)}")
    if wanted.pools is not None:
        yield Sentence(f"different pools handed out {amounts.check(wanted.pools)}")
    if wanted.events is not None:
        how = "just these events" if wanted.events.exactly else "these events, among others"
        yield Sentence(
            f"{how}, in order: {amounts.labels(kind.value for kind in wanted.events.kinds)}"
        )
    for load in wanted.loads:
        yield from _load_expectations(load)


def _load_expectations(wanted: LoadExpectation) -> Iterator[Sentence]:
    name = code(wanted.label)
    if wanted.checks:
        yield Sentence(f"of {name}: {amounts.checks(wanted.checks)}")
    if wanted.errors:
        kinds = tuple((kind.value, check) for kind, check in wanted.errors)
        yield Sentence(f"errors of {name}: {amounts.checks(kinds)}")
    if wanted.latency:
        yield Sentence(f"latency of {name}: {amounts.checks(wanted.latency, ' s')}")


def _must(fails: ErrorKind | None, took: Check | None = None) -> str:
    """Return how a step must fail or how long it must take, and the end of its sentence."""
    demands = [f"fail with {code(fails.value)}"] if fails else []
    if took is not None:
        demands.append(f"take {amounts.check(took, ' s').removeprefix('= ')}")
    return f"; this must {' and '.join(demands)}." if demands else "."
