"""Whether what a test expects can come true at all, and can fail to.

A test as a whole is looked at, after each of its parts was found to be right. An expectation that
nothing in the test can bring about would be red for ever; one on a clock that stands still would be
green for ever. What a step of the user's own does is not known, so it may bring about anything.
"""

from poolspec.checks.limits import check_limits
from poolspec.checks.loads import check_outcomes, check_times
from poolspec.checks.outline import Story, told
from poolspec.errors import shown
from poolspec.language import grammar_expect as e
from poolspec.language import grammar_steps as s
from poolspec.language.grammar_common import TOOK
from poolspec.model import Check, Matrix, Value
from poolspec.spec.fields import Fields, Reader
from poolspec.spec.quantities import allows_none
from poolspec.spec.scope import Names
from poolspec.steps.steplist import StepList
from poolspec.vocabulary import ActorState, CheckOp, EventKind, Hook, TimeKind

_CAN_FAIL = frozenset(("fault", "open"))

_BROUGHT_ABOUT_BY = {
    EventKind.POOL_CLOSED: "close",
    EventKind.POOL_SUSPENDED: "suspend",
    EventKind.POOL_RESUMED: "resume",
    EventKind.POOL_RESIZED: "resize",
}


def check_reach(
    reader: Reader,
    fields: Fields,
    names: Names,
    matrix: Matrix | None,
    time: TimeKind,
    deadline: float,
) -> None:
    """Report what a test expects in vain, unless some part of it could not be read."""
    if names.incomplete:
        return
    story = told(reader, fields, names)
    for wanted in story.expectations:
        _check_served(story, wanted)
        _check_hooks(story, wanted)
        check_outcomes(story, wanted)
        if "use" not in story.verbs:
            _check_events(story, wanted)
            _check_logs(story, wanted)
            if time is TimeKind.VIRTUAL:
                check_times(story, wanted)
    for step in story.of("wait_until"):
        _check_condition(story, step)
    check_limits(story, names, matrix)
    if time is TimeKind.REAL:
        _check_real_time(story, deadline)


# --- who is served, and who waits ----------------------------------------------------------------


def _check_served(story: Story, wanted: Fields) -> None:
    for word in wanted.get(e.SERVED) or ():
        actor = story.actors.get(word.text)
        if actor is not None and not story.borrows(word.text):
            message = f"{shown(word.text)} never acquires, so it is never served"
            story.reader.problem(word.node, message, "name actors that acquire")
        elif actor is not None and _count(actor) != 1:
            message = f"{shown(word.text)} is many, and each of them is served by itself"
            story.reader.problem(word.node, message, "start actors with names of their own")


def _check_condition(story: Story, step: Fields) -> None:
    condition = step.get(s.WAIT_UNTIL)
    if condition is None or condition.state is ActorState.DONE:
        return
    node = step.nodes[s.WAIT_UNTIL.name]
    actor = condition.actor.text if condition.actor else ""
    if actor in story.actors and not story.borrows(actor):
        message = f"{shown(actor)} never acquires, so it is never {condition.state}"
        story.reader.problem(node, message, "wait for another actor, or until it is done")
    counts = [_count(one) for one in story.actors.values()]
    known = "load" not in story.verbs and all(isinstance(count, int) for count in counts)
    most = sum(count for count in counts if isinstance(count, int))
    if known and isinstance(condition.count, int) and condition.count > most:
        message = f"the test starts {most} actors, so {condition.count} are never {condition.state}"
        story.reader.problem(node, message, "start more of them, or wait for fewer")


def _count(actor: Fields | StepList) -> Value:
    return (actor.get(s.COUNT_KEY) or 1) if isinstance(actor, Fields) else 1


# --- hooks, events and logs ----------------------------------------------------------------------


def _check_hooks(story: Story, wanted: Fields) -> None:
    given = wanted.get(e.HOOKS_KEY)
    for name, head in given.heads.items() if given else ():
        if name not in story.hooks:
            message = f"no {name!r} is given to the pool, so it is never called"
            story.reader.problem(head, message, f"add to 'pool': {name}: {Hook.COUNTING}")


def _check_events(story: Story, wanted: Fields) -> None:
    given = wanted.get(e.EVENTS_KEY)
    for key in (e.EXACTLY, e.IN_ORDER):
        for kind in (given and given.get(key)) or ():
            verb = _BROUGHT_ABOUT_BY.get(kind)
            if given and verb and verb not in story.verbs:
                message = f"{shown(kind.value)} never happens in this test"
                story.reader.problem(given.at(key), message, f"add the step: {verb}")


def _check_logs(story: Story, wanted: Fields) -> None:
    given = wanted.get(e.LOGS_KEY)
    failing = {Hook.FAILING, Hook.FAILING_ONCE} & set(story.hooks.values())
    if given is None or failing or story.verbs & _CAN_FAIL:
        return
    for name in ("failure", "retry", "recovery"):
        check = given.values.get(name)
        if isinstance(check, Check) and not allows_none(check):
            message = f"no connect fails in this test, so there is no {name} to log"
            story.reader.problem(given.heads[name], message, "break something first: fault: …")


# --- time ----------------------------------------------------------------------------------------


def _check_real_time(story: Story, deadline: float) -> None:
    for _, _, step in story.steps:
        took = step.get(TOOK)
        if took and took.op is CheckOp.EQUAL:
            message = "no two times are just the same in real time"
            hint = 'allow for some: 1s ± 10%, or "<= 1s"'
            story.reader.problem(step.nodes[TOOK.name], message, hint)
    for step in story.of("advance"):
        seconds = step.get(s.ADVANCE)
        if isinstance(seconds, float) and seconds >= deadline:
            message = f"the test is given up before, for its deadline is {deadline:,g} s"
            hint = "wait for less, give the test a later 'deadline', or leave out 'time: real'"
            story.reader.problem(step.nodes[s.ADVANCE.name], message, hint)
