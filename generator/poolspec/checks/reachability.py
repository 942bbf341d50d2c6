"""Whether the expectations of a test can hold at all, and can fail.

A test as a whole is looked at, after each of its parts was found to be right. An expectation that
nothing in the test can bring about would be red for ever; one on a clock that stands still would be
green for ever. The effect of a `use` step is unknown, so it may bring about anything.
"""

from poolspec.checks.limits import check_limits
from poolspec.checks.loads import check_outcomes, check_times
from poolspec.checks.outline import Outline, outline_of
from poolspec.errors import shown
from poolspec.expectations.figures import HOOKS_KEY, LOGS_KEY
from poolspec.expectations.labels import EVENTS_KEY, EXACTLY, IN_ORDER, SERVED
from poolspec.model import Matrix
from poolspec.spec.common import TOOK
from poolspec.spec.fields import Fields, Reader
from poolspec.spec.quantities import allows_none
from poolspec.spec.scope import Names
from poolspec.spec.steplist import StepList
from poolspec.spec.values import Check, Value
from poolspec.steps.actors import COUNT_KEY
from poolspec.steps.fault_kinds.keys import LASTS
from poolspec.steps.kind import KINDS, Trait
from poolspec.steps.load.keys import DURATION_KEY
from poolspec.steps.waiting import ADVANCE, WAIT_UNTIL
from poolspec.vocabulary import ActorState, CheckOp, Hook, TimeKind

_BROUGHT_ABOUT_BY = {kind.brings: kind.verb for kind in KINDS.values() if kind.brings}


def check_reach(
    reader: Reader,
    fields: Fields,
    names: Names,
    matrix: Matrix | None,
    time: TimeKind,
    deadline: float,
) -> None:
    """Report expectations out of reach, unless some part of the test could not be read."""
    if names.incomplete:
        return
    outline = outline_of(reader, fields, names)
    for wanted in outline.expectations:
        _check_served(outline, wanted)
        _check_hooks(outline, wanted)
        check_outcomes(outline, wanted)
        if Trait.UNKNOWN not in outline.traits:
            _check_events(outline, wanted)
            _check_logs(outline, wanted)
            if time is TimeKind.VIRTUAL:
                check_times(outline, wanted)
    for step in outline.of("wait_until"):
        _check_condition(outline, step)
    check_limits(outline, names, matrix)
    if time is TimeKind.REAL:
        _check_real_time(outline, deadline)


# --- actors that are served, and actors that wait ------------------------------------------------


def _check_served(outline: Outline, wanted: Fields) -> None:
    for word in wanted.get(SERVED) or ():
        actor = outline.actors.get(word.text)
        if actor is not None and not outline.borrows(word.text):
            message = f"{shown(word.text)} never acquires, so it is never served"
            outline.reader.problem(word.node, message, "name actors that acquire")
        elif actor is not None and _count(actor) != 1:
            message = f"{shown(word.text)} stands for many actors, and each is served separately"
            outline.reader.problem(word.node, message, "start an actor for each name")


def _check_condition(outline: Outline, step: Fields) -> None:
    condition = step.get(WAIT_UNTIL)
    if condition is None or condition.state is ActorState.DONE:
        return
    node = step.nodes[WAIT_UNTIL.name]
    actor = condition.actor.text if condition.actor else ""
    blocked = condition.state is ActorState.BLOCKED
    if actor in outline.actors and not (blocked or outline.borrows(actor)):
        message = f"{shown(actor)} never acquires, so it is never {condition.state}"
        outline.reader.problem(node, message, "wait for another actor, or until it is done")
    if blocked and actor in outline.actors and not outline.does(actor, "query", "use"):
        message = f"{shown(actor)} runs no statement, so it is never blocked"
        outline.reader.problem(node, message, "wait for an actor with a step query")
    counts = [_count(one) for one in outline.actors.values()]
    known = "load" not in outline.verbs and all(isinstance(count, int) for count in counts)
    most = sum(count for count in counts if isinstance(count, int))
    if known and isinstance(condition.count, int) and condition.count > most:
        message = f"the test starts {most} actors, so {condition.count} are never {condition.state}"
        outline.reader.problem(node, message, "start more of them, or wait for fewer")


def _count(actor: Fields | StepList) -> Value:
    return (actor.get(COUNT_KEY) or 1) if isinstance(actor, Fields) else 1


# --- hooks, events and logs ----------------------------------------------------------------------


def _check_hooks(outline: Outline, wanted: Fields) -> None:
    given = wanted.get(HOOKS_KEY)
    for name, head in given.heads.items() if given else ():
        if name not in outline.hooks:
            message = f"no {name!r} is given to the pool, so it is never called"
            outline.reader.problem(head, message, f"add to 'pool': {name}: {Hook.COUNTING}")


def _check_events(outline: Outline, wanted: Fields) -> None:
    given = wanted.get(EVENTS_KEY)
    for key in (EXACTLY, IN_ORDER):
        for kind in (given and given.get(key)) or ():
            verb = _BROUGHT_ABOUT_BY.get(kind)
            if given and verb and verb not in outline.verbs:
                message = f"{shown(kind.value)} never happens in this test"
                outline.reader.problem(given.at(key), message, f"add the step: {verb}")


def _check_logs(outline: Outline, wanted: Fields) -> None:
    given = wanted.get(LOGS_KEY)
    failing = {Hook.FAILING, Hook.FAILING_ONCE} & set(outline.hooks.values())
    if given is None or failing or Trait.BREAKS_CONNECTS in outline.traits:
        return
    for name in ("failure", "retry", "recovery"):
        check = given.values.get(name)
        if isinstance(check, Check) and not allows_none(check):
            message = f"no connect fails in this test, so there is no {name} to log"
            outline.reader.problem(given.heads[name], message, "break something first: fault: …")


# --- time ----------------------------------------------------------------------------------------


def _check_real_time(outline: Outline, deadline: float) -> None:
    for _, _, step in outline.steps:
        took = step.get(TOOK)
        if took and took.op is CheckOp.EQUAL:
            message = "no two times are exactly the same in real time"
            hint = 'allow for some: 1s ± 10%, or "<= 1s"'
            outline.reader.problem(step.nodes[TOOK.name], message, hint)
    for verb, key in (("advance", ADVANCE), ("fault", LASTS), ("load", DURATION_KEY)):
        for step in outline.of(verb):
            seconds = step.get(key)
            if isinstance(seconds, float) and seconds >= deadline:
                message = f"the test is aborted first: its deadline is {deadline:,g} s"
                hint = "wait for less, give the test a later 'deadline', or leave out 'time: real'"
                outline.reader.problem(step.nodes[key.name], message, hint)
