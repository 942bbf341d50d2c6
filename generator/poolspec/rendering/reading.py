"""Which labels and pools the steps of a test refer to, and which they bind."""

from collections.abc import Iterable, Iterator

from poolspec.model import (
    Acquire,
    Close,
    CloseAll,
    Connect,
    Expect,
    Expectations,
    Fork,
    GlobalPool,
    Inject,
    InterruptEverywhere,
    Load,
    Maintain,
    Open,
    Query,
    Release,
    Resize,
    Resume,
    SpecTest,
    Start,
    Step,
    Stop,
    Suspend,
    Transaction,
    With,
)

_ON_THE_POOL = (
    *(With, Transaction, Load),
    *(Close, CloseAll, Resize, Suspend, Resume, Maintain),
)
"""Steps that are always about the test's own pool."""


def needs_pool(test: SpecTest) -> bool:
    """Tell whether a test is about a pool of its own, not about pools that its steps make."""
    steps = tuple(walk(test.steps))
    return not any(isinstance(step, GlobalPool | Open) for step in steps) or _uses_pool(steps)


def binds_pool(test: SpecTest) -> bool:
    """Tell whether any statement of a test refers to its own pool by name."""
    return _uses_pool(tuple(step for step in walk(test.steps) if not isinstance(step, Load)))


def measures(test: SpecTest) -> bool:
    """Tell whether a test asks what monitoring sees."""
    asked = [step.expectations for step in walk(test.steps) if isinstance(step, Expect)]
    return any(wanted.metrics for wanted in (*asked, test.expect))


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps and the steps inside them."""
    for step in steps:
        yield step
        if isinstance(step, With | Transaction | Fork):
            yield from walk(step.body)
        elif isinstance(step, InterruptEverywhere):
            yield from walk((*step.before, *step.body, *step.after))
        elif isinstance(step, Start):
            for actor in step.actors:
                yield from walk(actor.steps)


def _uses_pool(steps: Iterable[Step]) -> bool:
    return any(
        isinstance(step, _ON_THE_POOL)
        or (isinstance(step, Acquire | Release) and step.pool is None)
        for step in steps
    )


def rebound(steps: tuple[Step, ...]) -> tuple[str, ...]:
    """Return labels that are read before they are bound: Python would call them unbound."""
    bound: set[str] = set()
    early: dict[str, None] = {}
    for step in _same_body(steps):
        early.update((label, None) for label in read_in(step) if label not in bound)
        bound.update(_binds(step))
    return tuple(label for label in early if label in bound)


def _same_body(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, With | Transaction):
            yield from _same_body(step.body)


def _binds(step: Step) -> tuple[str, ...]:
    if isinstance(step, Acquire):
        return step.labels
    if isinstance(step, Connect | With | Transaction | GlobalPool | Open | Load):
        return (step.label,)
    return ()


def read_in(step: Step) -> Iterator[str]:
    """Yield the labels that a step refers to."""
    if isinstance(step, Acquire | Release) and step.pool is not None:
        yield step.pool
    if isinstance(step, Release):
        yield from step.labels
    elif isinstance(step, Query | Inject) and step.on is not None:
        yield step.on
    elif isinstance(step, Stop):
        yield step.label
    elif isinstance(step, Expect):
        yield from read_by(step.expectations)


def read_by(wanted: Expectations) -> Iterator[str]:
    """Yield the labels that an expectation refers to."""
    yield from wanted.same
    yield from wanted.different
    for load in wanted.loads:
        yield load.label
