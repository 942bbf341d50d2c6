"""The keys of a load: the model that they make, and the errors where they contradict each other."""

import pytest

from poolspec.expectations.outcomes import KindExpectation
from poolspec.python.body import body_of
from poolspec.spec.values import Check, Ref, Step
from poolspec.steps.kind import say, statements
from poolspec.steps.load import Load
from poolspec.vocabulary import Arrivals, CheckOp, Concurrency, Operation

from .conftest import LoadTest, WrongAt

BORROW = ((Operation.BORROW, 1),)
AN_OPEN_LOAD = "steps: [{load: l, clients: 2, rate: 10/s, duration: 1s}]"
LOADS = {
    "rate: 200/s, duration: 10s": Load(9, "l", 2, duration=10.0, rate=200.0),
    "rate: 30/m, operations: 5": Load(9, "l", 2, total=5, rate=0.5),
    "rate: 5/s, arrivals: poisson, seed: 7, operations: 5": Load(
        9, "l", 2, total=5, rate=5.0, arrivals=Arrivals.POISSON, seed=7
    ),
    "each: 5, think: 1ms..2ms, ramp: 2s": Load(9, "l", 2, each=5, think=(0.001, 0.002), ramp=2.0),
    "each: 5, warm_up: 100": Load(9, "l", 2, each=5, warm_up=100),
    "each: 5, warm_up: 2s": Load(9, "l", 2, each=5, warm_up=2.0),
    "each: 5, statements: {read: SELECT 2}": Load(
        9, "l", 2, each=5, statements=((Operation.READ, ("SELECT 2",)),)
    ),
}
STATEMENTS = {
    "rate: 200/s, duration: 10s": 'lab.load("l", clients=2, duration=10.0, rate=200.0)',
    "each: 5, think: 1ms, ramp: 2s, warm_up: 3": (
        'lab.load("l", clients=2, each=5, ramp=2.0, warm_up=3, think=(0.001, 0.001))'
    ),
    "rate: 5/s, arrivals: poisson, seed: 7, until: stopped": (
        'lab.start_load("l", clients=2, rate=5.0, seed=7, arrivals=Arrivals.POISSON)'
    ),
    "each: 1, statements: {read: [S, T]}": (
        "lab.load(\"l\", clients=2, each=1, statements={Operation.READ: ('S', 'T')})"
    ),
}
SENTENCES = {
    "rate: 200/s, duration: 10s, ramp: 5s, warm_up: 2s": (
        "Run the load `l`: 2 clients, operations for 10 s, of the kind read, 200 due per second, "
        "spaced evenly, the rate rising within 5 s, the first 2 s not counted."
    ),
    "each: 5, ramp: 1s, warm_up: 3, think: 1ms, statements: {read: [S, T]}": (
        "Run the load `l`: 2 clients, 5 operations each, of the kind read, each read running `S`, "
        "`T`, pausing for 0.001 s after each, the clients starting within 1 s, after 3 that do not "
        "count."
    ),
}


def steps_of(keys: str, load_test: LoadTest) -> tuple[Step, ...]:
    """Return the steps of a test with a load that has these keys."""
    stop = ", stop: l" if "until" in keys else ""
    text = f"steps: [{{load: l, clients: 2, {keys}}}{stop}]\nexpect: {{stats: {{created: 2}}}}"
    return load_test(text).steps


@pytest.mark.parametrize(("keys", "step"), LOADS.items())
def test_a_load_has_these_keys(keys: str, step: Load, load_test: LoadTest) -> None:
    assert steps_of(keys, load_test) == (step,)


@pytest.mark.parametrize(("keys", "statement"), STATEMENTS.items())
def test_a_load_is_one_statement(keys: str, statement: str, load_test: LoadTest) -> None:
    steps = steps_of(keys, load_test)[:1]
    body = body_of(steps, (), set(), Concurrency.THREADS)
    assert [line.text for line in statements(steps, body)] == [statement.replace('"', "'")]


@pytest.mark.parametrize(("keys", "sentence"), SENTENCES.items())
def test_a_load_is_one_sentence(keys: str, sentence: str, load_test: LoadTest) -> None:
    assert say(steps_of(keys, load_test)[0]).text == sentence


def test_a_rate_may_be_a_parameter_per_second(load_test: LoadTest) -> None:
    test = load_test(
        "matrix: {rate: [10, 20]}\n"
        "steps: [{load: l, clients: 2, rate: $rate/s, operations: 5}]\nexpect: {l: {failed: 0}}"
    )
    assert test.steps == (Load(10, "l", 2, total=5, rate=Ref("rate")),)


def test_each_kind_may_have_its_own_outcome(load_test: LoadTest) -> None:
    test = load_test(
        "steps: [{load: l, clients: 2, each: 5}]\nexpect: {l: {by_kind: {read: {failed: 0}}}}"
    )
    (load,) = test.expect.loads
    outcome = KindExpectation("l", (("failed", Check(CheckOp.EQUAL, 0)),))
    assert load.by_kind == (("read", outcome),)


WRONG = {
    "a rate without a time": ("rate: «200, operations: 1", "'200' is not a number per time"),
    "a rate per day": ("rate: «5/d, operations: 1", "'5/d' is not a number per time"),
    "no rate at all": ("rate: «0/s, operations: 1", "0 is out of bounds: from 0.001 to 1,000,000"),
    "a rate for each client": ("rate: 5/s, «each: 1", "'rate' and 'each' are mutually exclusive"),
    "a rate and think times": (
        "rate: 5/s, operations: 1, «think: 1s",
        "'rate' and 'think' are mutually exclusive",
    ),
    "a rate in an executor": (
        "«rate: 5/s, operations: 1, runner: executor",
        "'runner' and 'rate' are mutually exclusive",
    ),
    "think times in an executor": (
        "each: 1, runner: executor, «think: 1s",
        "'runner' and 'think' are mutually exclusive",
    ),
    "a duration and a number of operations": (
        "operations: 5, hold: 1s, «duration: 1s",
        "'operations' and 'duration' are mutually exclusive",
    ),
    "arrivals without a rate": (
        "each: 1, «arrivals: poisson",
        "'arrivals' describes the operations of a 'rate'",
    ),
    "a seed of even arrivals": (
        "rate: 5/s, operations: 1, «seed: 2",
        "'seed' is only for random arrivals",
    ),
    "a statement of a kind that is not in the mix": (
        "each: 1, mix: {read: 1}, «statements: {write: S}",
        "the load has no operations of the kind 'write'",
    ),
    "a statement of an operation that runs none": (
        "each: 1, mix: {borrow: 1}, «statements: {borrow: S}",
        "an operation of the kind 'borrow' runs no statement",
    ),
    "a duration that no time passes in": (
        "«duration: 1s",
        "a load with a duration, but without a rate, hold or think time, works in real time",
    ),
    "a load on an unknown pool": ("each: 1, from: «second", "unknown pool 'second'"),
    "a warm-up of nothing": ("each: 1, warm_up: «0", "0 is out of bounds: from 1 to 1,000,000"),
}


@pytest.mark.parametrize(("keys", "message"), WRONG.values(), ids=WRONG)
def test_keys_that_contradict_each_other_are_an_error(
    keys: str, message: str, wrong_test: WrongAt
) -> None:
    expect = "expect: {server: {peak: 2}}"
    wrong_test(f"steps: [{{load: l, clients: 2, {keys}}}]\n{expect}", message)


IN_VAIN = {
    "a kind that the load does not have": (
        f"{AN_OPEN_LOAD}\nexpect: {{l: {{by_kind: {{«write: {{failed: 0}}}}}}}}",
        "the load has no operations of the kind 'write'",
    ),
    "operations of a closed load that were not started": (
        "steps: [{load: l, clients: 2, each: 5}]\nexpect: {l: {«not_started: 0}}",
        "without a rate no operation is due, so none is 'not_started'",
    ),
    "fairness of an open load": (
        f'{AN_OPEN_LOAD}\nexpect: {{l: {{«fairness: ">= 0.9"}}}}',
        "any free client takes the next operation, so 'fairness' is no measure of the pool",
    ),
    "lost rows of the spec's own statements": (
        "steps: [{load: l, clients: 2, each: 5, mix: {write: 1}, statements: {write: S}}]\n"
        "expect: {l: {«lost_writes: 0}}",
        "the rows that a spec's own statements write are not looked up",
    ),
    "latency of a kind in no time": (
        "steps: [{load: l, clients: 2, each: 5}]\n"
        "expect: {l: {by_kind: {read: {«latency: {p99: < 1s}}}}}",
        "on the virtual clock this load takes no time, so its latency says nothing",
    ),
    "a load that is longer than its test": (
        "time: real\ndeadline: 2s\n"
        "steps: [{load: l, clients: 2, duration: «2s}]\nexpect: {l: {failed: 0}}",
        "the test is aborted first: its deadline is 2 s",
    ),
}


@pytest.mark.parametrize(("keys", "message"), IN_VAIN.values(), ids=IN_VAIN)
def test_an_outcome_that_a_load_never_has_is_an_error(
    keys: str, message: str, wrong_test: WrongAt
) -> None:
    assert wrong_test(keys, message).hint


@pytest.mark.parametrize(
    "keys",
    [
        f"{AN_OPEN_LOAD}\nexpect: {{l: {{not_started: 0, latency: {{p99: < 1s}}}}}}",
        "steps: [{load: l, clients: 2, each: 5}]\nexpect: {l: {fairness: 1}}",
        "steps: [{load: l, clients: 2, until: stopped, rate: 5/s}, advance: 1s, stop: l]\n"
        "expect: {l: {failed: 0}}",
        "steps: [{load: l, clients: 2, duration: 1s, think: 0ms..5ms}]\nexpect: {l: {failed: 0}}",
        "web_app: shop\nsteps: [{load: l, clients: 2, requests: {GET /: 3}, rate: 5/s}]\n"
        "expect: {l: {by_kind: {GET /: {failed: 0}}}}",
    ],
)
def test_a_load_within_reach_is_accepted(keys: str, load_test: LoadTest) -> None:
    load_test(keys)
