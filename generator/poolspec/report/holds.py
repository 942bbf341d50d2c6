"""What must hold, in plain words: a statement for each part of an expectation."""

from collections.abc import Iterator
from dataclasses import dataclass

from poolspec.model import Checks, Expectations, LoadExpectation, LoanExpectation
from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.vocabulary import MetricName


@dataclass(frozen=True, slots=True)
class Sentence:
    """One item of a list, and the items under it."""

    text: str
    children: tuple["Sentence", ...] = ()


def expectations(wanted: Expectations) -> Iterator[Sentence]:
    """Yield what must hold, part by part."""
    if wanted.stats:
        yield Sentence(f"the pool's statistics: {amounts.checks(wanted.stats)}")
    if wanted.server:
        yield Sentence(f"connections: {amounts.checks(wanted.server)}")
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
    if wanted.health is not None:
        yield Sentence(f"the pool says that it is {code(wanted.health.value)}")
    if wanted.remaining_timeout is not None:
        limit = amounts.check(wanted.remaining_timeout, " s").removeprefix("= ")
        yield Sentence(f"who waits for the database still waits for {limit}")
    if wanted.hooks:
        yield Sentence(f"hooks were called so often: {amounts.checks(wanted.hooks)}")
    if wanted.real is not None:
        real = amounts.labels(part.value for part in wanted.real) or "nothing"
        yield Sentence(f"just this is real in the test: {real}")
    if wanted.calls:
        yield Sentence(f"connections were asked so often: {amounts.checks(wanted.calls)}")
    if wanted.logs:
        yield Sentence(f"records in the pool's log: {amounts.checks(wanted.logs)}")
    if wanted.loans is not None:
        yield Sentence(
            "on loan, the longest first: " + ("; ".join(map(_loan, wanted.loans)) or "none")
        )
    if wanted.metrics:
        yield Sentence(f"what monitoring sees: {_metrics(wanted.metrics)}")
    for load in wanted.loads:
        yield from _load_expectations(load)


def _loan(wanted: LoanExpectation) -> str:
    parts = [] if wanted.by is None else [f"by {code(wanted.by)}"]
    if wanted.seconds is not None:
        parts.append(f"for {amounts.check(wanted.seconds, ' s').removeprefix('= ')}")
    if wanted.where is not None:
        parts.append("the place is known" if wanted.where else "the place is not known")
    return ", ".join(parts)


def _metrics(wanted: Checks) -> str:
    """Return figures; those of times are in seconds, save for how many there are."""
    counts = tuple(name.value for name in MetricName)
    return ", ".join(
        amounts.checks(((name, check),), "" if name in counts or name.endswith(".count") else " s")
        for name, check in wanted
    )


def _load_expectations(wanted: LoadExpectation) -> Iterator[Sentence]:
    name = code(wanted.label)
    if wanted.checks:
        yield Sentence(f"of {name}: {amounts.checks(wanted.checks)}")
    if wanted.errors:
        kinds = tuple((kind.value, check) for kind, check in wanted.errors)
        yield Sentence(f"errors of {name}: {amounts.checks(kinds)}")
    if wanted.only_errors:
        kinds_only = amounts.labels(kind.value for kind in wanted.only_errors)
        yield Sentence(f"errors of {name}, if any: {kinds_only}")
    if wanted.latency:
        yield Sentence(f"latency of {name}: {amounts.checks(wanted.latency, ' s')}")
