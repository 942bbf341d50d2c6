"""Whether the expectations of a test's loads can hold, and can fail."""

from collections.abc import Iterator

from poolspec.checks.outline import Outline
from poolspec.errors import expected, shown
from poolspec.expectations import outcomes as e
from poolspec.spec.fields import Fields, Word
from poolspec.spec.tree import Mapping, Scalar
from poolspec.steps.kind import Trait
from poolspec.steps.load import keys as s
from poolspec.steps.load.combinations import kinds_of, takes_time
from poolspec.vocabulary import Hook, Operation, Runner

_WRITES = frozenset((Operation.WRITE, Operation.COMPLEX))
_KINDS = "kinds"
Heads = dict[str, list[Scalar]]


def check_outcomes(outline: Outline, wanted: Fields) -> None:
    """Report outcomes that a load never has, such as lost writes without writes."""
    loads = {word.text: step for step in outline.of("load") if (word := step.get(s.LOAD))}
    for label, heads in _expected(wanted):
        step = loads.get(label)
        if step is None:
            continue
        _check_kinds(outline, step, heads)
        _check_open(outline, step, heads)
        if step.has(s.REQUESTS):
            _refuse_borrowing(outline, heads)
        elif e.LOST_WRITES.name in heads and _WRITES.isdisjoint(_looked_up(step)):
            message = "this load writes nothing, so no write can be lost"
            hint = f"leave it out, or have the load write: {s.MIX.name}: {{write: 1}}"
            if not _WRITES.isdisjoint(kinds_of(step)):
                message = "the rows that a spec's own statements write are not looked up"
                hint = "leave it out, and count the rows in a step query"
            outline.reader.problem(heads[e.LOST_WRITES.name][0], message, hint)


def _refuse_borrowing(outline: Outline, heads: Heads) -> None:
    for key in (e.ERRORS, e.ONLY_ERRORS, e.LOST_WRITES):
        for head in heads.get(key.name, ()):
            message = f"a load of requests borrows no connection, so it has no {key.name!r}"
            outline.reader.problem(head, message, "expect of it: failed: 0")


def _check_kinds(outline: Outline, step: Fields, heads: Heads) -> None:
    requests = [request for request, _ in step.get(s.REQUESTS) or ()]
    kinds = requests if step.has(s.REQUESTS) else list(map(str, kinds_of(step)))
    for head in heads.get(_KINDS, ()):
        if head.text not in kinds:
            message = f"the load has no operations of the kind {shown(head.text)}"
            outline.reader.problem(head, message, expected(kinds, head.text))


def _check_open(outline: Outline, step: Fields, heads: Heads) -> None:
    """Report figures that open loads alone, or closed loads alone, have."""
    is_open = step.has(s.RATE_KEY)
    for head in heads.get(e.NOT_STARTED.name, ()) if not is_open else ():
        message = "without a rate no operation is due, so none is 'not_started'"
        outline.reader.problem(head, message, "leave it out, or give the load a 'rate'")
    any_client = is_open or step.get(s.RUNNER) is Runner.EXECUTOR
    for head in heads.get(e.FAIRNESS.name, ()) if any_client else ():
        message = (
            "any free client takes the next operation, so 'fairness' is no measure of the pool"
        )
        outline.reader.problem(head, message, "leave it out")


def _looked_up(step: Fields) -> set[Operation]:
    """Return the kinds of a load's operations, without those that have the spec's statements."""
    own = {kind for kind, _ in step.get(s.STATEMENTS) or ()}
    return set(kinds_of(step)) - own


def check_times(outline: Outline, wanted: Fields) -> None:
    """Report times of loads that take none: on the virtual clock only waiting takes time."""
    slow = Hook.SLOW in outline.hooks.values()
    if slow or Trait.TAKES_TIME in outline.traits:
        return
    slow_loads = {word.text for step in outline.of("load") if (word := _that_takes_time(step))}
    for label, heads in _expected(wanted):
        for name in ("throughput", e.LATENCY_KEY.name):
            for head in heads.get(name, ()) if label not in slow_loads else ():
                message = (
                    f"on the virtual clock this load takes no time, so its {name} says nothing"
                )
                outline.reader.problem(head, message, "add: time: real; or give the load a 'hold'")


def _that_takes_time(step: Fields) -> Word | None:
    return step.get(s.LOAD) if takes_time(step) else None


def _expected(wanted: Fields) -> Iterator[tuple[str, Heads]]:
    """Yield each load of which something is expected, and the words for that, by name.

    The words of `by_kind` are among them; the names of the kinds are under `_KINDS`.
    """
    for label, node in wanted.others:
        heads: Heads = {}
        for head, value in node.pairs if isinstance(node, Mapping) else ():
            heads.setdefault(head.text, []).append(head)
            if head.text == e.BY_KIND.name and isinstance(value, Mapping):
                _note_kinds(heads, value)
        yield label.text, heads


def _note_kinds(heads: Heads, by_kind: Mapping) -> None:
    for kind, node in by_kind.pairs:
        heads.setdefault(_KINDS, []).append(kind)
        for head, _ in node.pairs if isinstance(node, Mapping) else ():
            heads.setdefault(head.text, []).append(head)
