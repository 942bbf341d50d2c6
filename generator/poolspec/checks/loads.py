"""Whether the expectations of a test's loads can hold, and can fail."""

from collections.abc import Iterator

from poolspec.checks.outline import Outline
from poolspec.expectations import outcomes as e
from poolspec.spec.fields import Fields, Word
from poolspec.spec.tree import Mapping, Scalar
from poolspec.steps.kind import Trait
from poolspec.steps.load import keys as s
from poolspec.vocabulary import Hook, Operation

_WRITES = frozenset((Operation.WRITE, Operation.COMPLEX))


def check_outcomes(outline: Outline, wanted: Fields) -> None:
    """Report outcomes that a load never has: errors of requests, lost writes without writes."""
    loads = {word.text: step for step in outline.of("load") if (word := step.get(s.LOAD))}
    for label, heads in _expected(wanted):
        step = loads.get(label)
        if step is None:
            continue
        if step.has(s.REQUESTS):
            _refuse_borrowing(outline, heads)
        elif e.LOST_WRITES.name in heads and _WRITES.isdisjoint(_kinds(step)):
            message = "this load writes nothing, so no write can be lost"
            hint = f"leave it out, or have the load write: {s.MIX.name}: {{write: 1}}"
            outline.reader.problem(heads[e.LOST_WRITES.name], message, hint)


def _refuse_borrowing(outline: Outline, heads: dict[str, Scalar]) -> None:
    for key in (e.ERRORS, e.ONLY_ERRORS, e.LOST_WRITES):
        if key.name in heads:
            message = f"a load of requests borrows no connection, so it has no {key.name!r}"
            outline.reader.problem(heads[key.name], message, "expect of it: failed: 0")


def _kinds(step: Fields) -> set[Operation]:
    """The effect of a load on the database, as far as its kinds of operations show it."""
    operations = step.get(s.OPERATIONS)
    counts = operations if isinstance(operations, tuple) else ()
    return {kind for kind, _ in (*(step.get(s.MIX) or ()), *counts)}


def check_times(outline: Outline, wanted: Fields) -> None:
    """Report times of loads that take none: on the virtual clock only waiting takes time."""
    slow = Hook.SLOW in outline.hooks.values()
    if slow or Trait.TAKES_TIME in outline.traits:
        return
    held = {word.text for step in outline.of("load") if (word := _held(step))}
    for label, heads in _expected(wanted):
        for name in ("throughput", e.LATENCY_KEY.name):
            if name in heads and label not in held:
                message = (
                    f"on the virtual clock this load takes no time, so its {name} says nothing"
                )
                outline.reader.problem(
                    heads[name], message, "add: time: real; or give the load a 'hold'"
                )


def _held(step: Fields) -> Word | None:
    return step.get(s.LOAD) if step.has(s.HOLD_KEY) else None


def _expected(wanted: Fields) -> Iterator[tuple[str, dict[str, Scalar]]]:
    """Each load of which something is expected, and the words for that."""
    for label, node in wanted.others:
        pairs = node.pairs if isinstance(node, Mapping) else []
        yield label.text, {head.text: head for head, _ in pairs}
