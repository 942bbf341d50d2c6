"""Most needs of a test follow from its words; `needs` names the rest."""

from collections.abc import Callable, Sequence

import pytest

from poolspec.errors import Problem
from poolspec.expectations.registry import EXPECT
from poolspec.expectations.registry import KINDS as EXPECTATIONS
from poolspec.model import SpecClass, SpecTest
from poolspec.steps.fault_kinds import FAULTS
from poolspec.steps.kind import KINDS
from poolspec.steps.options import POOL
from poolspec.vocabulary import Capability, Fault
from poolspec.vocabulary.rules import OPTIONS, known_options

C = Capability
LoadTest = Callable[[str], SpecTest]
LoadText = Callable[[str], SpecClass]
WrongAt = Callable[[str, str], Problem]
ProblemsOf = Callable[[str], tuple[Problem, ...]]

PASS = "expect: {server: {peak: 1}}"

FOR_EVERY_POOL = {
    "step": """abandon acquire advance cancel check_memory close connect enter expect fault heal
        interrupt_everywhere join leave load make_pool query reenter release start stop use
        wait_until
        with""",
    "option": "listener size timeout",
    "expectation": "calls different from real same served server stats",
    "fault": """account_full close_fails close_slow commit_fails connect_hangs
        connect_interrupted connect_refused connect_slow password_changed ping_fails
        ping_interrupted ping_slow reset_fails reset_slow rollback_fails rollback_hangs
        rollback_slow""",
}
"""Words that every pool and server supports, so they imply nothing."""

FOLLOWING: dict[str, tuple[Capability, ...]] = {
    f"steps: [acquire: a]\n{PASS}": (),
    f"steps: [close_all]\n{PASS}": (C.CLOSE_ALL,),
    f"steps: [fork: [close_all]]\n{PASS}": (C.CLOSE_ALL, C.FORK_SAFETY),
    f"steps: [resize: {{size: 3}}, suspend, resume]\n{PASS}": (C.RESIZE, C.SUSPEND),
    f"steps: [close]\n{PASS}": (),
    f"connections: plain\nsteps: [acquire: a]\n{PASS}": (),
    f"connections: minimal\nsteps: [acquire: a]\n{PASS}": (C.MINIMAL_CONNECTIONS,),
    f"connections: scripted\nsteps: [fault: ping_fails]\n{PASS}": (),
    f"steps: [close: {{drain: 5s}}]\n{PASS}": (C.DRAIN,),
    "steps: [{acquire: a, timeout: 0s, fails: timeout}]": (C.TIMEOUT, C.CALL_TIMEOUT),
    "steps: [{acquire: a, fails: exhausted}]": (C.QUEUE_CAP,),
    "steps: [{with: a, fails: unavailable}]": (C.BREAKER,),
    f"steps: [transaction: t]\n{PASS}": (C.TRANSACTIONS,),
    f"steps: [{{enter: a, by: connection}}, leave: a]\n{PASS}": (C.OWN_BLOCKS,),
    f"steps: [{{enter: a, by: transaction}}, leave: a]\n{PASS}": (C.TRANSACTIONS,),
    f"steps: [enter: a, leave: a]\n{PASS}": (),
    f"steps: [with: c, {{transaction: t, do: [maintain]}}]\n{PASS}": (
        *(C.MAINTENANCE, C.TRANSACTIONS),
    ),
    f"steps: [{{load: l, clients: 1, each: 1, timeout: 1s}}]\n{PASS}": (C.CALL_TIMEOUT,),
    f"steps: [fault: idle_killed]\n{PASS}": (C.KILL,),
    f"steps: [fault: server_paused]\n{PASS}": (C.SERVER_CONTROL,),
    f"steps: [fault: connect_refused]\n{PASS}": (),
    f"steps: [start: {{x: [acquire: a]}}, wait_until: x is holding]\n{PASS}": (),
    f"steps: [start: {{x: [maintain]}}, wait_until: 1 actor is waiting]\n{PASS}": (C.MAINTENANCE,),
    "steps: [expect: {health: healthy}]": (C.HEALTH,),
    "expect: {stats: {created: 1}}": (),
    "expect: {stats: {recycled: 1}}": (C.STATISTICS,),
    "expect: {events: {in_order: [leak_suspected]}}": (C.EVENTS, C.LEAK_DETECTION),
    "steps: [fault: connect_refused]\nexpect: {logs: {recovery: 1}}": (C.LOGS,),
    f"pool: {{max_overflow: 1, order: fifo}}\n{PASS}": (C.OVERFLOW, C.FIFO),
    f"pool: {{max_overflow: 0, recycle: 0, reset: rollback}}\n{PASS}": (),
    f"pool: {{order: lifo}}\n{PASS}": (C.LIFO,),
    "steps: [{acquire: a, fails: timeout}]": (C.TIMEOUT,),
    "steps: [{load: l, clients: 1, each: 1}]\nexpect: {l: {errors: {timeout: 1}}}": (C.TIMEOUT,),
    "steps: [{load: l, clients: 1, each: 1}]\nexpect: {l: {only_errors: [timeout]}}": (),
    f"matrix: {{n: [0, 3]}}\npool: {{max_overflow: $n}}\n{PASS}": (C.OVERFLOW,),
    f"matrix: {{n: [0]}}\npool: {{max_overflow: $n}}\n{PASS}": (),
    "steps: [{global_pool: g, options: {setup: counting}}]\nexpect: {pools: 1}": (
        *(C.GLOBAL_POOL, C.HOOKS),
    ),
    f"steps: [start: {{x: [acquire: a, {{query: SELECT 1, on: a}}]}}, wait_until: x is blocked]\n"
    f"{PASS}": (C.ROW_LOCKS,),
    "steps: [start: {x: [acquire: a]}, {join: x, one_fails: deadlock}]": (C.ROW_LOCKS,),
    "steps: [acquire: a, {query: SELECT 1, on: a, fails: deadlock}]": (C.ROW_LOCKS,),
    f"steps: [acquire: a, {{query: SELECT 1, on: a, may_fail: deadlock}}]\n{PASS}": (C.ROW_LOCKS,),
    "steps: [{acquire: a, took: 0s}]": (C.VIRTUAL_TIME,),
    "steps: [{acquire: a, took: <= 1h}]": (),
    "steps: [{acquire: a, took: 2s ± 1%}]": (),
    "steps: [{acquire: a, took: 20s ± 1%}]": (C.VIRTUAL_TIME,),
    "matrix: {t: [1s, 1h]}\nsteps: [{acquire: a, took: $t..2h}]": (C.VIRTUAL_TIME,),
    f"steps: [advance: 3s]\n{PASS}": (),
    f"deadline: 2s\nsteps: [advance: 3s]\n{PASS}": (C.VIRTUAL_TIME,),
    f"time: real\ndeadline: 4s\nsteps: [advance: 3s]\n{PASS}": (),
    "steps: [{interrupt_everywhere: [acquire: a], after: [advance: 1ms]}]": (C.VIRTUAL_TIME,),
    "time: real\nsteps: [{interrupt_everywhere: [acquire: a], after: [advance: 1ms]}]": (),
    "steps: [acquire: a]\nexpect: {real: [server, socket, driver]}": (C.VIRTUAL_TIME,),
    "steps: [acquire: a]\nexpect: {real: [server, socket, driver, clock]}": (),
    "time: real\nsteps: [acquire: a]\nexpect: {real: [socket]}": (),
    f"needs: [row_locks, fair_queue]\nsteps: [close_all]\n{PASS}": (
        *(C.CLOSE_ALL, C.FAIR_QUEUE, C.ROW_LOCKS),
    ),
}


@pytest.mark.parametrize("text", FOLLOWING)
def test_needs_follow_from_the_words_of_a_test(text: str, load_test: LoadTest) -> None:
    assert load_test(text).needs == FOLLOWING[text]


def test_needs_follow_from_the_options_of_the_class(load_text: LoadText) -> None:
    spec = load_text(
        "spec: 1\nclass: Example\npurpose: p\npool: {max_uses: 3, max_overflow: 2}\ntests:\n"
        "  one: {purpose: p, validates: v, covers: [], pool: {max_overflow: 0}, "
        "expect: {server: {peak: 1}}}\n"
        "  other: {purpose: p, validates: v, covers: [], steps: [global_pool: g], "
        "expect: {pools: 1}}\n"
    )
    assert [test.needs for test in spec.tests] == [(C.MAX_USES,), (C.GLOBAL_POOL,)]


def test_a_need_that_follows_is_redundant(wrong_test: WrongAt) -> None:
    problem = wrong_test(
        f"needs: [fair_queue, «close_all]\nsteps:\n- close_all\n{PASS}",
        "'close_all' is redundant: it follows from the step 'close_all' in line 11",
    )
    assert problem.hint == "leave it out of 'needs'"


def test_a_need_is_named_once(wrong_test: WrongAt) -> None:
    wrong_test(f"needs: [prefill, «prefill]\n{PASS}", "'prefill' is named twice")


def test_a_need_of_a_class_that_follows_from_each_test_is_redundant(
    find_problems: ProblemsOf,
) -> None:
    head = "spec: 1\nclass: Example\npurpose: p\nneeds: [resize, prefill]\ntests:\n"
    keys = f"purpose: p, validates: v, covers: [], {PASS}"
    resizing = f"  one: {{{keys}, steps: [resize: {{size: 1}}]}}\n"
    other = f"  other: {{{keys}}}\n"
    assert find_problems(head + resizing + other) == ()
    (problem,) = find_problems(head + resizing)
    assert (problem.place, problem.message) == (
        "specs/example.yaml:4:9",
        "'resize' is redundant: it follows from each of the tests",
    )


@pytest.mark.parametrize(
    ("sort", "words", "known"),
    [
        ("step", tuple(KINDS), [verb for verb, row in KINDS.items() if row.needs]),
        ("option", POOL.names, tuple(OPTIONS)),
        ("expectation", EXPECT.names, [row.name for row in EXPECTATIONS if row.needs]),
        ("fault", tuple(Fault), [fault for fault, row in FAULTS.items() if row.needs]),
    ],
)
def test_every_word_implies_something_or_is_for_every_pool(
    sort: str, words: tuple[str, ...], known: Sequence[str]
) -> None:
    anybody = set(FOR_EVERY_POOL[sort].split())
    assert set(words) - set(known) == anybody


def test_a_pool_receives_no_options_that_it_does_not_know() -> None:
    options = {"size": 2, "max_overflow": 0, "recycle": 0, "order": "lifo"}
    able = frozenset({C.RECYCLE_BY_AGE})
    assert known_options(options, able) == {"size": 2, "recycle": 0}
