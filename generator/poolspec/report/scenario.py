"""A test in plain words.

Each step is a sentence, each expectation a statement. The words are Markdown: what comes from a
spec has passed `markdown`. Sentences of steps with steps inside them have those as children.
"""

from functools import singledispatch

from poolspec.model import (
    Acquire,
    Actor,
    Advance,
    Cancel,
    Close,
    CloseAll,
    Connect,
    Expect,
    Fork,
    GlobalPool,
    Heal,
    Inject,
    InterruptEverywhere,
    Join,
    Load,
    Maintain,
    Open,
    Query,
    Release,
    Request,
    Resize,
    Resume,
    SpecTest,
    Start,
    Step,
    Stop,
    Suspend,
    Transaction,
    Use,
    WaitUntil,
    With,
)
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.rendering.reading import needs_pool
from poolspec.report.demands import asked, must
from poolspec.report.faults import HEALED, broken
from poolspec.report.holds import Sentence, expectations
from poolspec.report.loads import carried_out
from poolspec.report.targets import led
from poolspec.vocabulary import ActorState, BodyFailure, Interruption

_STATES = {
    ActorState.WAITING: ("is waiting", "are waiting"),
    ActorState.HOLDING: ("holds a connection", "hold a connection"),
    ActorState.DONE: ("is done", "are done"),
}
_FAILURES = {
    BodyFailure.ERROR: "The body raises an error, which must come out of the block.",
    BodyFailure.INTERRUPT: "The body is interrupted, which must come out of the block.",
}

_CUTS = {
    Interruption.INTERRUPT: "an interrupt, or a cancellation,",
    Interruption.TIMEOUT: "a timeout",
}


def scenario(test: SpecTest) -> tuple[Sentence, ...]:
    """Return what a test does and what must hold at its end, in order."""
    made = amounts.labels(table.name for table in test.tables)
    told = [Sentence(f"Make the tables {made}.")] if made else []
    told += [_pool(test)] if needs_pool(test) else []
    told += [tell(step) for step in test.steps]
    holds = tuple(expectations(test.expect))
    return (*told, Sentence("At the end:", holds)) if holds else tuple(told)


def _pool(test: SpecTest) -> Sentence:
    if test.web_app is not None:
        app = code(test.web_app)
        return Sentence(f"Serve the web application {app} on a pool{amounts.options(test.pool)}.")
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
    return Sentence("".join(parts) + must(step))


@tell.register
def _(step: Connect) -> Sentence:
    return Sentence(f"Open {code(step.label)}, a connection that the pool knows nothing of.")


@tell.register
def _(step: Release) -> Sentence:
    what = amounts.labels(step.labels) if step.labels else "nothing (`None`)"
    whither = f" to {code(step.pool)}" if step.pool is not None else ""
    return Sentence(f"Release {what}{whither}{must(step)}")


@tell.register
def _(step: With) -> Sentence:
    return _block(step, "`with` block")


@tell.register
def _(step: Transaction) -> Sentence:
    return _block(step, "transaction")


def _block(step: With | Transaction, noun: str) -> Sentence:
    if step.fails:
        return Sentence(f"Enter a {noun} that borrows {code(step.label)}{must(step)}")
    body = [tell(inner) for inner in step.body]
    if step.raises:
        body.append(Sentence(_FAILURES[step.raises]))
    if isinstance(step, Transaction) and step.ends_with:
        body.append(Sentence(f"Commit; this must fail with {code(step.ends_with.value)}."))
    if not body:
        return Sentence(f"Enter and leave a {noun} that borrows {code(step.label)}.")
    return Sentence(f"In a {noun} that borrows {code(step.label)}:", tuple(body))


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
    if step.unread:
        text += "; leave its rows unread"
    if step.changes_one:
        text += "; exactly one row must change"
    return Sentence(text + must(step))


@tell.register
def _(step: CloseAll) -> Sentence:
    return Sentence("Empty the pool with `close_all`.")


@tell.register
def _(step: Close) -> Sentence:
    if step.drain is None:
        return Sentence(f"Close the pool{must(step)}")
    patience = amounts.seconds(step.drain)
    return Sentence(f"Close the pool, waiting up to {patience} for connections on loan{must(step)}")


@tell.register
def _(step: Resize) -> Sentence:
    given = (("size", step.size), ("max_overflow", step.max_overflow))
    shown = amounts.options((name, item) for name, item in given if item is not None)
    return Sentence(f"Resize the pool{shown.replace(' with', ' to', 1)}.")


@tell.register
def _(step: Suspend) -> Sentence:
    return Sentence("Suspend the pool: who asks, waits.")


@tell.register
def _(step: Resume) -> Sentence:
    return Sentence("Let the pool hand out connections again.")


@tell.register
def _(step: Maintain) -> Sentence:
    return Sentence("Have the pool do its housekeeping.")


@tell.register
def _(step: GlobalPool) -> Sentence:
    asked = f"Ask for the global pool, {code(step.label)}{amounts.options(step.options)}"
    return Sentence(asked + must(step))


@tell.register
def _(step: Open) -> Sentence:
    made = (
        f"Open the pool {code(step.label)}{amounts.options(step.options)}, configured {led(step)}"
    )
    return Sentence(made + must(step))


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
def _(step: Cancel) -> Sentence:
    return Sentence(f"Cancel {code(step.actor)}.")


@tell.register
def _(step: Fork) -> Sentence:
    return Sentence("In a forked child process:", tuple(tell(inner) for inner in step.body))


@tell.register
def _(step: InterruptEverywhere) -> Sentence:
    points = "" if step.at_least == 1 else f", {amounts.value(step.at_least)} at least"
    body = tuple(tell(inner) for inner in step.body)
    good = ", for which the pool may make good," if step.may_recover else ""
    what = f"{_CUTS[step.by]}{good}"
    cut = Sentence(f"cut short by {what} at one point after the other{points}:", body)
    before = (tell(inner) for inner in step.before)
    after = (tell(inner) for inner in step.after)
    head = "With a pool made anew each time, after which nothing may be missing:"
    return Sentence(head, (*before, cut, *after))


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
def _(step: Inject) -> Sentence:
    return Sentence(f"{broken(step)}.")


@tell.register
def _(step: Heal) -> Sentence:
    return Sentence(HEALED[step.fault])


@tell.register
def _(step: Use) -> Sentence:
    return Sentence(f"Take the step {code(step.name)}.")


@tell.register
def _(step: Request) -> Sentence:
    return Sentence(asked(step))


@tell.register
def _(step: Load) -> Sentence:
    return Sentence(carried_out(step))


@tell.register
def _(step: Stop) -> Sentence:
    return Sentence(f"Stop the load {code(step.label)}.")


@tell.register
def _(step: Expect) -> Sentence:
    soon = "" if step.within is None else f" that within {amounts.seconds(step.within)}"
    return Sentence(f"Check{soon}:", tuple(expectations(step.expectations)))
