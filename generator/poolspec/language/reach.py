"""Whether what a test expects can come true at all, and can fail to.

A test as a whole is looked at, after each of its parts was found to be right. An expectation that
nothing in the test can bring about would be red for ever; one on a clock that stands still would be
green for ever. What a step of the user's own does is not known, so it may bring about anything.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from poolspec.errors import shown
from poolspec.language import grammar_expect as e
from poolspec.language import grammar_steps as s
from poolspec.language.kinds import Fields, Reader, Word
from poolspec.language.quantities import allows_none
from poolspec.language.scope import Names
from poolspec.language.steplist import StepList
from poolspec.language.tree import Mapping, Node
from poolspec.model import Check, Value
from poolspec.vocabulary import ActorState, CheckOp, EventKind, Hook, TimeKind

_BORROWS_NOTHING = frozenset(
    (
        *("advance", "cancel", "close", "close_all", "connect", "expect", "fault", "heal"),
        *("maintain", "query", "release", "resize", "resume", "suspend"),
    )
)
_TAKES_NO_TIME = _BORROWS_NOTHING - {"advance", "fault", "suspend"} | {
    *("join", "load", "start", "transaction", "wait_until", "with")
}
"""On the virtual clock, where nobody is made to wait and nothing is broken."""
_CAN_FAIL = frozenset(("fault", "open"))

_BROUGHT_ABOUT_BY = {
    EventKind.POOL_CLOSED: "close",
    EventKind.POOL_SUSPENDED: "suspend",
    EventKind.POOL_RESUMED: "resume",
    EventKind.POOL_RESIZED: "resize",
}


@dataclass(frozen=True, slots=True)
class _Story:
    """All that happens in a test, wherever it is written."""

    reader: Reader
    steps: tuple[tuple[str, str, Fields], ...]
    """Who does it (empty: the main body), the verb, and its fields."""
    actors: dict[str, Fields | StepList]
    expectations: tuple[Fields, ...]
    hooks: dict[str, str]
    """The hooks that the test's pools are given, by place."""

    @property
    def verbs(self) -> frozenset[str]:
        return frozenset(verb for _, verb, _ in self.steps)

    def of(self, verb: str) -> Iterable[Fields]:
        return (fields for _, found, fields in self.steps if found == verb)

    def borrows(self, actor: str) -> bool:
        """Whether an actor may ever ask for a connection."""
        own = {verb for owner, verb, _ in self.steps if owner == actor}
        return not own <= _BORROWS_NOTHING


def check_reach(
    reader: Reader, fields: Fields, names: Names, time: TimeKind, deadline: float
) -> None:
    """Report what a test expects in vain, unless some part of it could not be read."""
    if names.incomplete:
        return
    story = _story(reader, fields, names)
    for wanted in story.expectations:
        _check_served(story, wanted)
        _check_hooks(story, wanted)
        if "use" not in story.verbs:
            _check_events(story, wanted)
            _check_logs(story, wanted)
            if time is TimeKind.VIRTUAL:
                _check_loads(story, wanted)
    for step in story.of("wait_until"):
        _check_condition(story, step)
    if time is TimeKind.REAL:
        _check_real_time(story, deadline)


def _story(reader: Reader, fields: Fields, names: Names) -> _Story:
    found = [(owner, inner) for owner, inner in _walk(fields, "")]
    steps = tuple(
        (owner, inner.place.name.removeprefix("the step "), inner)
        for owner, inner in found
        if inner.place.name.startswith("the step ")
    )
    starts = (inner.get(s.START) or () for _, verb, inner in steps if verb == "start")
    actors = {word.text: actor for given in starts for word, actor in given}
    expectations = tuple(inner for _, inner in found if inner.place is e.EXPECT)
    options = {name: value for given, _ in names.options for name, value in given}
    hooks = {name: str(options[name]) for name in e.HOOKS.names if name in options}
    return _Story(reader, steps, actors, expectations, hooks)


def _walk(value: object, owner: str) -> Iterator[tuple[str, Fields]]:
    """All fields inside a value, with the actor whose they are."""
    if isinstance(value, Fields):
        yield owner, value
        for inner in value.values.values():
            yield from _walk(inner, owner)
    elif isinstance(value, StepList):
        for step in value.steps:
            yield from _walk(step, owner)
    elif isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Word):
        yield from _walk(value[1], value[0].text)
    elif isinstance(value, tuple):
        for item in value:
            if isinstance(item, tuple):
                yield from _walk(item, owner)


# --- who is served, and who waits ----------------------------------------------------------------


def _check_served(story: _Story, wanted: Fields) -> None:
    for word in wanted.get(e.SERVED) or ():
        actor = story.actors.get(word.text)
        if actor is not None and not story.borrows(word.text):
            message = f"{shown(word.text)} never acquires, so it is never served"
            story.reader.problem(word.node, message, "name actors that acquire")
        elif actor is not None and _count(actor) != 1:
            message = f"{shown(word.text)} is many, and each of them is served by itself"
            story.reader.problem(word.node, message, "start actors with names of their own")


def _check_condition(story: _Story, step: Fields) -> None:
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


def _check_hooks(story: _Story, wanted: Fields) -> None:
    given = wanted.get(e.HOOKS_KEY)
    for name, head in given.heads.items() if given else ():
        if name not in story.hooks:
            message = f"no {name!r} is given to the pool, so it is never called"
            story.reader.problem(head, message, f"add to 'pool': {name}: {Hook.COUNTING}")


def _check_events(story: _Story, wanted: Fields) -> None:
    given = wanted.get(e.EVENTS_KEY)
    for key in (e.EXACTLY, e.IN_ORDER):
        for kind in (given and given.get(key)) or ():
            verb = _BROUGHT_ABOUT_BY.get(kind)
            if given and verb and verb not in story.verbs:
                message = f"{shown(kind.value)} never happens in this test"
                story.reader.problem(given.at(key), message, f"add the step: {verb}")


def _check_logs(story: _Story, wanted: Fields) -> None:
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


def _check_loads(story: _Story, wanted: Fields) -> None:
    """On the virtual clock only waiting takes time: a load in which nobody waits takes none."""
    slow = Hook.SLOW in story.hooks.values()
    if slow or not story.verbs <= _TAKES_NO_TIME:
        return
    held = {word.text for step in story.of("load") if (word := _held(step))}
    for head, node in wanted.others:
        for name in ("throughput", e.LATENCY_KEY.name):
            at = _head(node, name)
            if at and head.text not in held:
                message = (
                    f"on the virtual clock this load takes no time, so its {name} says nothing"
                )
                story.reader.problem(at, message, "add: time: real; or give the load a 'hold'")


def _held(step: Fields) -> Word | None:
    return step.get(s.LOAD) if step.has(s.HOLD_KEY) else None


def _head(node: Node, name: str) -> Node | None:
    pairs = node.pairs if isinstance(node, Mapping) else []
    return next((head for head, _ in pairs if head.text == name), None)


def _check_real_time(story: _Story, deadline: float) -> None:
    for _, _, step in story.steps:
        took = step.get(s.TOOK)
        if took and took.op is CheckOp.EQUAL:
            message = "no two times are just the same in real time"
            hint = 'allow for some: 1s ± 10%, or "<= 1s"'
            story.reader.problem(step.nodes[s.TOOK.name], message, hint)
    for step in story.of("advance"):
        seconds = step.get(s.ADVANCE)
        if isinstance(seconds, float) and seconds >= deadline:
            message = f"the test is given up before, for its deadline is {deadline:,g} s"
            hint = "wait for less, give the test a later 'deadline', or leave out 'time: real'"
            story.reader.problem(step.nodes[s.ADVANCE.name], message, hint)
