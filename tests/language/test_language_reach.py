"""Expectations that can never hold, or never fail, are refused."""

import re
from collections.abc import Callable

import pytest

from poolspec.errors import Problem
from poolspec.model import SpecTest
from poolspec.spec.quantities import COUNT, DURATION, RATE, RATIO, Quantity, check

LoadTest = Callable[[str], SpecTest]
WrongAt = Callable[[str, str], Problem]

ALWAYS = "always holds, for any measured value; leave it out, or expect more"
HOLLOW = [
    (COUNT, ">= 0", ALWAYS),
    (COUNT, "< 0", "can never hold: nothing is below 0; write 0 for none"),
    (COUNT, "< $n", ""),
    (COUNT, ">= $n", ""),
    (DURATION, ">= 0s", ALWAYS),
    (DURATION, "< 0", "can never hold: nothing is below 0; write 0 for none"),
    (RATE, ">= 0", ALWAYS),
    (RATIO, "<= 100%", ALWAYS),
    (RATIO, "0..1", ALWAYS),
    (RATIO, "50% ± 50%", ALWAYS),
    (RATIO, ">= 0%", ALWAYS),
    (RATIO, "> 1", "can never hold: no ratio is above 1"),
]
MEANT = [
    *((COUNT, text) for text in ("0", "> 0", "<= 0", "!= 0", "0..2", "1 ± 100%")),
    *((DURATION, text) for text in ("0", "1s ± 1s", "> 0", "<= 1h")),
    *((RATIO, text) for text in ("1", "0", ">= 100%", "<= 0", "< 1", "> 0", "0.5 ± 10%")),
    *((RATE, text) for text in ("> 0", "< 1")),
]


@pytest.mark.parametrize(("quantity", "text", "fault"), HOLLOW)
def test_a_comparison_can_hold_and_can_fail(quantity: Quantity, text: str, fault: str) -> None:
    if not fault:
        check(quantity, text)
        return
    with pytest.raises(ValueError, match=f"^{re.escape(repr(text))} {re.escape(fault)}$"):
        check(quantity, text)


@pytest.mark.parametrize(("quantity", "text"), MEANT)
def test_a_comparison_at_the_border_may_be_meant(quantity: Quantity, text: str) -> None:
    check(quantity, text)


ACTORS = "steps: [acquire: a, {start: {idle: [release: a], busy: {count: 2, steps: [acquire: x]}}}"
LOAD = "steps: [{load: l, clients: 1, each: 1}]"
VISITS = "web_app: shop\nsteps: [{load: l, clients: 2, requests: {GET /: 3}}]"
IN_VAIN = {
    "an empty range in a row": (
        "matrix: [{low: 1, high: 2}, {low: 3, high: 2}]\nexpect: {stats: {created: «$low..$high}}",
        "$low is not allowed here: can never hold: the range is empty",
    ),
    "less than nothing in a row": (
        'matrix: {n: [1, 0]}\nexpect: {stats: {created: «"< $n"}}',
        "$n is not allowed here: can never hold: nothing is below 0; write 0 for none",
    ),
    "one who never acquires is served": (
        f"{ACTORS}]\nexpect: {{served: [«idle]}}",
        "'idle' never acquires, so it is never served",
    ),
    "many are served under one name": (
        f"{ACTORS}]\nexpect: {{served: [«busy]}}",
        "'busy' stands for many actors, and each is served separately",
    ),
    "one who never acquires is waited for": (
        f"{ACTORS}, wait_until: «idle is waiting]\nexpect: {{server: {{peak: 1}}}}",
        "'idle' never acquires, so it is never waiting",
    ),
    "more are waited for than there are": (
        f"{ACTORS}, wait_until: «4 actors are holding]\nexpect: {{server: {{peak: 1}}}}",
        "the test starts 3 actors, so 4 are never holding",
    ),
    "a hook that is not given": (
        "pool: {on_acquire: counting}\nexpect: {hooks: {on_acquire: 1, «setup: 0}}",
        "no 'setup' is given to the pool, so it is never called",
    ),
    "a suspension without a step": (
        "steps: [resume]\nexpect: {events: {«in_order: [pool_suspended, pool_resumed]}}",
        "'pool_suspended' never happens in this test",
    ),
    "a failed connect where nothing fails": (
        'steps: [acquire: a]\nexpect: {logs: {«failure: ">= 1"}}',
        "no connect fails in this test, so there is no failure to log",
    ),
    "throughput in no time": (
        f'{LOAD}\nexpect: {{l: {{«throughput: "> 1"}}}}',
        "on the virtual clock this load takes no time, so its throughput says nothing",
    ),
    "latency in no time": (
        f"{LOAD}\nexpect: {{l: {{«latency: {{p99: < 1s}}}}}}",
        "on the virtual clock this load takes no time, so its latency says nothing",
    ),
    "lost writes of a load that only reads": (
        f"{LOAD}\nexpect: {{l: {{succeeded: 1, «lost_writes: 0}}}}",
        "this load writes nothing, so no write can be lost",
    ),
    "lost writes of requests": (
        f"{VISITS}\nexpect: {{l: {{«lost_writes: 0}}}}",
        "a load of requests borrows no connection, so it has no 'lost_writes'",
    ),
    "errors of requests": (
        f"{VISITS}\nexpect: {{l: {{failed: 0, «errors: {{timeout: 0}}}}}}",
        "a load of requests borrows no connection, so it has no 'errors'",
    ),
    "only such errors of requests": (
        f"{VISITS}\nexpect: {{l: {{«only_errors: [timeout]}}}}",
        "a load of requests borrows no connection, so it has no 'only_errors'",
    ),
    "more on loan than there may be": (
        "pool: {size: 2, max_overflow: 1}\nexpect: {stats: {in_use: «77}}",
        "'in_use' is out of reach: the pool has a limit of 3",
    ),
    "more at the server than there may be": (
        'pool: {size: 2, max_overflow: 0}\nexpect: {server: {connections: 2, peak: «"> 2"}}',
        "'peak' is out of reach: the pool has a limit of 2",
    ),
    "another limit than there is": (
        "pool: {size: 2, max_overflow: 1}\nexpect: {stats: {max_size: «2}}",
        "'max_size' is out of reach: the pool has a limit of 3",
    ),
    "more than a row allows": (
        "matrix: {n: [1, 4]}\npool: {size: $n, max_overflow: 0}\nexpect: {stats: {pool_size: «4}}",
        "'pool_size' is out of reach: the pool has a limit of 1",
    ),
    "a parameter that is more than its row allows": (
        "matrix: [{n: 1, most: 3}, {n: 4, most: 4}]\npool: {size: $n, max_overflow: 1}\n"
        "expect: {stats: {total_connections: «$most}}",
        "'total_connections' is out of reach: the pool has a limit of 2",
    ),
    "more hold one than there are": (
        "pool: {size: 1, max_overflow: 1}\n"
        f"{ACTORS}, wait_until: «3 actors are holding]\nexpect: {{server: {{peak: 1}}}}",
        "3 actors holding is out of reach: the pool has a limit of 2",
    ),
    "an exact time that is real": (
        "time: real\nsteps: [{acquire: a, took: «0s}]",
        "no two times are exactly the same in real time",
    ),
    "a fault that lasts beyond the deadline": (
        "time: real\nsteps: [{fault: server_paused, lasts: «1m}]\nexpect: {server: {peak: 1}}",
        "the test is aborted first: its deadline is 20 s",
    ),
    "a wait beyond the deadline": (
        "time: real\ndeadline: 2s\nsteps: [advance: «2s]\nexpect: {server: {peak: 1}}",
        "the test is aborted first: its deadline is 2 s",
    ),
}
FINE = [
    f"{ACTORS}, wait_until: idle is done]\nexpect: {{server: {{peak: 1}}}}",
    "steps: [start: {a: [use: borrow]}, wait_until: a is waiting]\nexpect: {served: [a]}",
    "steps: [use: suspend]\nexpect: {events: {in_order: [pool_suspended]}, logs: {failure: 1}}",
    "steps: [acquire: a]\nexpect: {logs: {failure: 0, retry: 0, leak: 1}}",
    "pool: {setup: failing}\nsteps: [acquire: a]\nexpect: {logs: {failure: 1}}",
    "steps: [{load: l, clients: 1, each: 1, hold: 1s}]\nexpect: {l: {latency: {max: 1s}}}",
    f'time: real\n{LOAD}\nexpect: {{l: {{latency: {{max: < 1s}}, throughput: ">= 5"}}}}',
    f"pool: {{on_acquire: slow}}\n{LOAD}\nexpect: {{l: {{latency: {{max: < 1s}}}}}}",
    "steps: [{load: l, clients: 1, each: 2, mix: {complex: 1}}]\nexpect: {l: {lost_writes: 0}}",
    "steps: [{load: l, clients: 1, operations: {write: 2}}]\nexpect: {l: {lost_writes: 0}}",
    f"{VISITS}\nexpect: {{l: {{success_rate: 1, failed: 0}}}}",
    "steps: [advance: 1d, {acquire: a, took: 0s}]",
    'pool: {size: 2, max_overflow: 1}\nexpect: {stats: {in_use: 3, pool_size: "!= 3"}}',
    'pool: {size: 2, max_overflow: 1}\nexpect: {stats: {max_size: 3, in_use: "2..5"}}',
    "pool: {size: 2, max_overflow: -1}\nexpect: {stats: {in_use: 77}}",
    "pool: {size: 2}\nexpect: {stats: {in_use: 77}}",
    "pool: {size: 2, max_overflow: 0}\nsteps: [resize: {size: 9}]\nexpect: {stats: {in_use: 9}}",
    "pool: {size: 2, max_overflow: 0}\nsteps: [use: grow]\nexpect: {stats: {in_use: 9}}",
    "pool: {size: 2, max_overflow: 0}\nexpect: {stats: {created: 77, waiting: 77}}",
    "pool: {size: 2, max_overflow: 0}\nsteps: [fork: [acquire: x]]\nexpect: {server: {peak: 3}}",
    "matrix: {n: [1, 4]}\npool: {size: $n, max_overflow: 0}\nexpect: {stats: {in_use: $n}}",
    "matrix: {n: [0, 2]}\nexpect: {stats: {created: <= $n}}",
]


@pytest.mark.parametrize(("keys", "message"), IN_VAIN.values(), ids=IN_VAIN)
def test_an_expectation_out_of_reach_is_an_error(
    keys: str, message: str, wrong_test: WrongAt
) -> None:
    assert wrong_test(keys, message).hint


@pytest.mark.parametrize("keys", FINE)
def test_an_expectation_within_reach_is_accepted(keys: str, load_test: LoadTest) -> None:
    load_test(keys)
