"""The meaning of a spec: each form of each step and expectation, in the model."""

from collections.abc import Callable

import pytest
from tests.suites import equal

from poolspec.expectations.labels import EventsExpectation
from poolspec.expectations.outcomes import LoadExpectation
from poolspec.expectations.registry import Expectations
from poolspec.expectations.states import LoanExpectation
from poolspec.model import Matrix, SpecClass, SpecTest
from poolspec.spec.formulas import formula, known
from poolspec.spec.values import Check, Formula, Ref, Step
from poolspec.steps.actors import Actor, Cancel, Join, Start
from poolspec.steps.blocks import Transaction, With
from poolspec.steps.borrow import Acquire, Connect, Release
from poolspec.steps.expect import Expect
from poolspec.steps.faults import Heal, Inject
from poolspec.steps.forks import Fork
from poolspec.steps.load import Load, Stop
from poolspec.steps.opening import Open
from poolspec.steps.other_pools import GlobalPool
from poolspec.steps.pool import Close, CloseAll, Maintain, Resize, Resume, Suspend
from poolspec.steps.query import Query
from poolspec.steps.rounds.interruption import InterruptEverywhere
from poolspec.steps.waiting import Advance, Use, WaitUntil
from poolspec.vocabulary import (
    ActorState,
    BodyFailure,
    Capability,
    CheckOp,
    Concurrency,
    Detail,
    ErrorKind,
    EventKind,
    Fault,
    Flaw,
    Given,
    HealthWord,
    Interruption,
    Layer,
    Level,
    Operation,
    Runner,
    Target,
    TimeKind,
    Via,
)

LoadTest = Callable[[str], SpecTest]
LoadText = Callable[[str], SpecClass]

ONE = equal(1)
PASS = "\nexpect: {server: {peak: 1}}"

STEPS: dict[str, tuple[Step, ...]] = {
    "[acquire: a]": (Acquire(9, ("a",)),),
    "[acquire: [a, b], release: [b, a]]": (Acquire(9, ("a", "b")), Release(9, ("b", "a"))),
    "[{acquire: a, timeout: 2s, fails: timeout, took: 2s ± 50ms}]": (
        Acquire(
            9,
            ("a",),
            timeout=2.0,
            fails=ErrorKind.TIMEOUT,
            took=Check(CheckOp.APPROX, 2.0, abs=0.05),
        ),
    ),
    "[connect: s, {release: s, fails: not_borrowed}]": (
        Connect(9, "s"),
        Release(9, ("s",), fails=ErrorKind.NOT_BORROWED),
    ),
    "[release: nothing]": (Release(9, ()),),
    "[acquire: a, release: a, {release: a, fails: not_borrowed}]": (
        Acquire(9, ("a",)),
        Release(9, ("a",)),
        Release(9, ("a",), fails=ErrorKind.NOT_BORROWED),
    ),
    "[{acquire: a, fails: exhausted, says: [waiting=1, size]}]": (
        Acquire(9, ("a",), fails=ErrorKind.EXHAUSTED, says=("waiting=1", "size")),
    ),
    "[{with: c, fails: closed, says: closed}, {transaction: c, fails: timeout}]": (
        With(9, "c", fails=ErrorKind.CLOSED, says=("closed",)),
        Transaction(9, "c", fails=ErrorKind.TIMEOUT),
    ),
    "[acquire: a, {query: S, on: a, fails: lost}]": (
        Acquire(9, ("a",)),
        Query(9, "S", "a", fails=ErrorKind.LOST),
    ),
    "[{with: c, do: [{query: S, on: c}, with: d], raises: interrupt}]": (
        With(9, "c", (Query(9, "S", "c"), With(9, "d")), BodyFailure.INTERRUPT),
    ),
    "[acquire: a, {query: S, on: a, params: [1, x, null], returns: null}]": (
        Acquire(9, ("a",)),
        Query(9, "S", "a", (1, "x", None), None, expects_value=True),
    ),
    "[acquire: a, {query: S, on: a, rows: [[1, x], []]}]": (
        Acquire(9, ("a",)),
        Query(9, "S", "a", rows=((1, "x"), ())),
    ),
    "[acquire: a, {query: S, on: a, fails: query}]": (
        Acquire(9, ("a",)),
        Query(9, "S", "a", fails=ErrorKind.QUERY),
    ),
    "[close_all, close]": (CloseAll(9), Close(9)),
    "[close: {drain: 5s}]": (Close(9, 5.0),),
    "[{close: {drain: 5s}, took: <= 2s}]": (Close(9, 5.0, Check(CheckOp.AT_MOST, 2.0)),),
    "[suspend, resume, maintain]": (Suspend(9), Resume(9), Maintain(9)),
    "[resize: {size: 3, max_overflow: 0}, resize: {max_overflow: -1}]": (
        Resize(9, 3, 0),
        Resize(9, None, -1),
    ),
    "[{transaction: c, do: [{query: S, on: c}], raises: error}, transaction: d]": (
        Transaction(9, "c", (Query(9, "S", "c"),), BodyFailure.ERROR),
        Transaction(9, "d"),
    ),
    "[acquire: a, {fault: connection_killed, on: a}, fault: idle_killed]": (
        Acquire(9, ("a",)),
        Inject(9, Fault.CONNECTION_KILLED, ("a",)),
        Inject(9, Fault.IDLE_KILLED),
    ),
    "[{fault: connect_interrupted, after: 2}]": (Inject(9, Fault.CONNECT_INTERRUPTED, after=2),),
    "[{fault: connect_refused, times: 3}, heal: connect_refused]": (
        Inject(9, Fault.CONNECT_REFUSED, times=3),
        Heal(9, Fault.CONNECT_REFUSED),
    ),
    "[{fault: connect_slow, for: 2s}, fault: connect_hangs]": (
        Inject(9, Fault.CONNECT_SLOW, seconds=2.0),
        Inject(9, Fault.CONNECT_HANGS),
    ),
    "[{start: {w: [fault: server_paused]}}, heal: server_paused, fault: server_killed]": (
        Start(9, (Actor("w", (Inject(9, Fault.SERVER_PAUSED),), line=9),)),
        Heal(9, Fault.SERVER_PAUSED),
        Inject(9, Fault.SERVER_KILLED),
    ),
    "[{start: {w: [close]}}, cancel: w]": (
        Start(9, (Actor("w", (Close(9),), line=9),)),
        Cancel(9, "w"),
    ),
    "[{before: [acquire: x], interrupt_everywhere: [release: x], after: [maintain]}]": (
        InterruptEverywhere(9, (Release(9, ("x",)),), (Acquire(9, ("x",)),), (Maintain(9),)),
    ),
    "[{interrupt_everywhere: [maintain], by: timeout, at_least: 3}]": (
        InterruptEverywhere(9, (Maintain(9),), by=Interruption.TIMEOUT, at_least=3),
    ),
    "[{interrupt_everywhere: [maintain], by: timeout, may_recover: true}]": (
        InterruptEverywhere(9, (Maintain(9),), by=Interruption.TIMEOUT, may_recover=True),
    ),
    "[acquire: a, fork: [release: a, acquire: b], release: a]": (
        Acquire(9, ("a",)),
        Fork(9, (Release(9, ("a",)), Acquire(9, ("b",)))),
        Release(9, ("a",)),
    ),
    "[{global_pool: g, options: {timeout: 1s, size: 3, config_name: replica}}]": (
        GlobalPool(9, "g", (("timeout", 1.0), ("size", 3), ("config_name", "replica"))),
    ),
    "[global_pool: g, {acquire: a, from: g}, release: a]": (
        GlobalPool(9, "g"),
        Acquire(9, ("a",), pool="g"),
        Release(9, ("a",), pool="g"),
    ),
    "[global_pool: g, connect: s, {release: s, to: g}, {release: nothing, to: g}]": (
        GlobalPool(9, "g"),
        Connect(9, "s"),
        Release(9, ("s",), pool="g"),
        Release(9, (), pool="g"),
    ),
    "[{open: p, options: {size: 2, query_timeout: 1s}, target: silent, took: 1s}]": (
        Open(
            9,
            "p",
            (("size", 2), ("query_timeout", 1.0)),
            Target.SILENT,
            took=equal(1.0),
        ),
    ),
    "[{open: p, given_as: url, flaw: foreign, fails: config, says: x, names: [user]}]": (
        Open(
            9,
            "p",
            given=Given.URL,
            flaw=Flaw.FOREIGN,
            fails=ErrorKind.CONFIG,
            says=("x",),
            names=(Detail.USER,),
        ),
    ),
    "[{open: p, options: {size: 2}, invalid_options: {order: random}, fails: config}]": (
        Open(9, "p", (("size", 2), ("order", "random")), fails=ErrorKind.CONFIG),
    ),
    "[open: p, {acquire: a, from: p}, release: a]": (
        Open(9, "p"),
        Acquire(9, ("a",), pool="p"),
        Release(9, ("a",), pool="p"),
    ),
    "[{start: {v: [acquire: x], w: {count: 2, repeat: 3, steps: [acquire: x]}}}, join: [v, w]]": (
        Start(
            9,
            (
                Actor("v", (Acquire(9, ("x",)),), line=9),
                Actor("w", (Acquire(9, ("x",)),), 2, 3, 9),
            ),
        ),
        Join(9, ("v", "w")),
    ),
    "[acquire: a, {start: {w: [release: a]}}]": (
        Acquire(9, ("a",)),
        Start(9, (Actor("w", (Release(9, ("a",)),), line=9),)),
    ),
    "[{start: {w: [close]}}, wait_until: w is done]": (
        Start(9, (Actor("w", (Close(9),), line=9),)),
        WaitUntil(9, ActorState.DONE, "w"),
    ),
    "[start: {w: {count: 3, steps: [acquire: x]}}, wait_until: 1 actor is holding,"
    " wait_until: 3 actors are waiting]": (
        Start(9, (Actor("w", (Acquire(9, ("x",)),), 3, line=9),)),
        WaitUntil(9, ActorState.HOLDING, count=1),
        WaitUntil(9, ActorState.WAITING, count=3),
    ),
    "[advance: 1h 30m]": (Advance(9, 5400.0),),
    "[{load: l, clients: 2, operations: 9}]": (Load(9, "l", 2, total=9),),
    "[{load: l, clients: 2, operations: {read: 6, write: 4}}]": (
        Load(9, "l", 2, counts=((Operation.READ, 6), (Operation.WRITE, 4)), mix=()),
    ),
    "[{load: l, clients: 2, each: 5, mix: {borrow: 1}, hold: 1ms..2ms, via: with}]": (
        Load(9, "l", 2, each=5, mix=((Operation.BORROW, 1),), hold=(0.001, 0.002), via=Via.WITH),
    ),
    "[{load: l, clients: 2, each: 5, hold: 1ms, timeout: 0, runner: executor}]": (
        Load(9, "l", 2, each=5, hold=(0.001, 0.001), timeout=0.0, runner=Runner.EXECUTOR),
    ),
    "[use: warm_up, use: print]": (Use(9, "warm_up"), Use(9, "print")),
    "[expect: {server: {peak: 1}}]": (
        Expect(9, Expectations(server=(("peak", ONE),), lines={"server": 9})),
    ),
    "[{expect: {server: {peak: 1}}, within: 5s}]": (
        Expect(9, Expectations(server=(("peak", ONE),), lines={"server": 9}), 5.0),
    ),
}


@pytest.mark.parametrize(("steps", "meaning"), STEPS.items())
def test_a_step_means(steps: str, meaning: tuple[Step, ...], load_test: LoadTest) -> None:
    assert load_test(f"steps: {steps}{PASS}").steps == meaning


def test_a_load_until_stopped_has_a_stop(load_test: LoadTest) -> None:
    load = "{load: l, clients: 2, mix: {write: 1}, until: stopped}"
    test = load_test(f"time: real\nsteps: [{load}, stop: l]{PASS}")
    assert test.steps == (
        Load(10, "l", 2, mix=((Operation.WRITE, 1),), until_stopped=True),
        Stop(10, "l"),
    )


EXPECTATIONS: dict[str, Expectations] = {
    '{stats: {acquired: 2, timeouts: ">= 1"}}': Expectations(
        stats=(("acquired", equal(2)), ("timeouts", Check(CheckOp.AT_LEAST, 1))),
        lines={"stats": 10},
    ),
    "{served: [w, w]}": Expectations(served=("w", "w"), lines={"served": 10}),
    "{same: [a, b], different: [b, a]}": Expectations(
        same=("a", "b"), different=("b", "a"), lines={"same": 10, "different": 10}
    ),
    "{events: {exactly: [checked_out, checked_in]}}": Expectations(
        events=EventsExpectation((EventKind.CHECKED_OUT, EventKind.CHECKED_IN), True),
        lines={"events": 10},
    ),
    '{metrics: {used: 1, idle.max: 2, wait_time: {count: 3, max: "<= 1s"}}}': Expectations(
        metrics=(
            ("used", ONE),
            ("idle.max", equal(2)),
            ("wait_time.count", equal(3)),
            ("wait_time.max", Check(CheckOp.AT_MOST, 1.0)),
        ),
        lines={"metrics": 10},
    ),
    "{loans: [{by: main, for: 2m, where: true}, {by: w}]}": Expectations(
        loans=(
            LoanExpectation("main", equal(120.0), True),
            LoanExpectation("w"),
        ),
        lines={"loans": 10},
    ),
    "{loans: []}": Expectations(loans=(), lines={"loans": 10}),
    "{l: {only_errors: [lost, timeout]}}": Expectations(
        loads=(LoadExpectation("l", only_errors=(ErrorKind.LOST, ErrorKind.TIMEOUT)),),
        lines={"l": 10},
    ),
    "{remaining_timeout: 10s ± 5%}": Expectations(
        remaining_timeout=Check(CheckOp.APPROX, 10.0, rel=0.05), lines={"remaining_timeout": 10}
    ),
    '{health: degraded, hooks: {setup: 2, on_acquire: "> 1"}, logs: {retry: 1}}': Expectations(
        health=HealthWord.DEGRADED,
        hooks=(("setup", equal(2)), ("on_acquire", Check(CheckOp.MORE, 1))),
        logs=(("retry", ONE),),
        lines={"health": 10, "hooks": 10, "logs": 10},
    ),
    "{events: {in_order: [pool_closed]}}": Expectations(
        events=EventsExpectation((EventKind.POOL_CLOSED,), False), lines={"events": 10}
    ),
    '{l: {failed: 0, success_rate: ">= 95%", errors: {timeout: 1}, latency: {p99.9: < 1s}}}': (
        Expectations(
            loads=(
                LoadExpectation(
                    "l",
                    (
                        ("failed", equal(0)),
                        ("success_rate", Check(CheckOp.AT_LEAST, 0.95)),
                    ),
                    ((ErrorKind.TIMEOUT, ONE),),
                    (("p99.9", Check(CheckOp.LESS, 1.0)),),
                ),
            ),
            lines={"l": 10},
        )
    ),
}


@pytest.mark.parametrize(("expect", "meaning"), EXPECTATIONS.items())
def test_an_expectation_means(expect: str, meaning: Expectations, load_test: LoadTest) -> None:
    steps = (
        "[fault: connect_refused, acquire: [a, b], {start: {w: [acquire: x, close]}},"
        " {load: l, clients: 1, each: 1}]"
    )
    pool = "{setup: counting, on_acquire: counting}"
    assert load_test(f"steps: {steps}\nexpect: {expect}\npool: {pool}").expect == meaning


def test_global_pools_are_counted_and_compared(load_test: LoadTest) -> None:
    test = load_test("steps: [global_pool: g, global_pool: h]\nexpect: {pools: 1, same: [g, h]}")
    assert test.expect.pools == ONE
    assert test.expect.same == ("g", "h")


def test_labels_can_be_compared_after_their_release(load_test: LoadTest) -> None:
    steps = "[acquire: a, release: a, {with: c}]"
    assert load_test(f"steps: {steps}\nexpect: {{same: [a, c]}}").expect.same == ("a", "c")


CHECKS: dict[str, Check] = {
    "2": equal(2),
    "<= 20": Check(CheckOp.AT_MOST, 20),
    "<=20": Check(CheckOp.AT_MOST, 20),
    '">= 3"': Check(CheckOp.AT_LEAST, 3),
    '"> 5"': Check(CheckOp.MORE, 5),
    "< 5": Check(CheckOp.LESS, 5),
    '"!= 3"': Check(CheckOp.NOT_EQUAL, 3),
    "2..5": Check(CheckOp.BETWEEN, 2, upper=5),
    "2 .. 5": Check(CheckOp.BETWEEN, 2, upper=5),
    "10 ± 5%": Check(CheckOp.APPROX, 10, rel=0.05),
    "10 +- 2": Check(CheckOp.APPROX, 10, abs=2.0),
    "$n": equal(Ref("n")),
    "<= $n": Check(CheckOp.AT_MOST, Ref("n")),
    "$n ± 1": Check(CheckOp.APPROX, Ref("n"), abs=1.0),
    "1..$n": Check(CheckOp.BETWEEN, 1, upper=Ref("n")),
}


@pytest.mark.parametrize(("text", "check"), CHECKS.items())
def test_a_comparison_means(text: str, check: Check, load_test: LoadTest) -> None:
    test = load_test(
        f"matrix: {{n: [4]}}\npool: {{size: $n}}\nexpect:\n  server:\n    peak: {text}"
    )
    assert test.expect.server == (("peak", check),)


DURATIONS: dict[str, float] = {
    "0": 0.0,
    "250us": 0.00025,
    "100ms": 0.1,
    "1s": 1.0,
    "1.5s": 1.5,
    "2m": 120.0,
    "2min": 120.0,
    "1h": 3600.0,
    "1h 30m": 5400.0,
    "1d": 86400.0,
    "1 s": 1.0,
}


@pytest.mark.parametrize(("text", "seconds"), DURATIONS.items())
def test_a_duration_means(text: str, seconds: float, load_test: LoadTest) -> None:
    assert load_test(f"steps: [advance: {text}]{PASS}").steps == (Advance(9, seconds),)


@pytest.mark.parametrize("text", ["1x", "s", "1s1s", "30m 1h", "1s 1s", "-1s", "1,5s", "1e3s"])
def test_a_text_that_is_no_duration_is_refused(
    text: str, find_test_problems: Callable[[str], tuple[object, ...]]
) -> None:
    assert len(find_test_problems(f'steps: [advance: "{text}"]{PASS}')) == 1


def test_a_matrix_of_names_gives_every_combination_in_order(load_test: LoadTest) -> None:
    test = load_test("matrix: {n: [1, 2], t: [1s, 50ms]}\npool: {size: $n, timeout: $t}" + PASS)
    assert test.matrix == Matrix(("n", "t"), ((1, 1.0), (1, 0.05), (2, 1.0), (2, 0.05)))
    assert test.pool == (("size", Ref("n")), ("timeout", Ref("t")))


def test_a_formula_keeps_its_operands_and_operators(load_test: LoadTest) -> None:
    test = load_test("matrix: {n: [1], t: [1s]}\npool: {size: 2*$n+1, timeout: $t - 250ms}" + PASS)
    size = Formula((2, Ref("n"), 1), ("*", "+"))
    assert test.pool == (("size", size), ("timeout", Formula((Ref("t"), 0.25), ("-",))))
    assert str(size) == "2 * $n + 1"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("$n + $m * 3", 11),
        ("$n * $m - 1", 5),
        ("10 - $n - $m", 5),
        ("$t * 3", 0.3),
        ("$n + $x", None),
    ],
)
def test_a_formula_has_the_usual_precedence(text: str, result: float | None) -> None:
    made = formula(text)
    assert made is not None
    assert known(made, {"n": 2, "m": 3, "t": 0.1}) == result


def test_a_matrix_of_rows_is_taken_row_by_row(load_test: LoadTest) -> None:
    test = load_test("matrix: [{n: 1, m: 5}, {m: 6, n: 2}]\npool: {size: $n, min_size: $m}" + PASS)
    assert test.matrix == Matrix(("n", "m"), ((1, 5), (2, 6)))


def test_parameters_stand_for_counts_answers_and_conditions(load_test: LoadTest) -> None:
    test = load_test(
        "matrix: {n: [2]}\nsteps:\n"
        "  - start: {w: {count: $n, steps: [close]}}\n"
        "  - wait_until: $n actors are done\n"
        "  - acquire: a\n"
        "  - {query: S, on: a, returns: $n}\n"
        "  - {load: l, clients: $n, operations: $n}"
    )
    start, wait, _, query, load = test.steps
    assert isinstance(start, Start)
    assert isinstance(wait, WaitUntil)
    assert isinstance(query, Query)
    assert isinstance(load, Load)
    values = (start.actors[0].count, wait.count, query.returns, load.clients, load.total)
    assert values == (Ref("n"),) * 5


OPTIONS: dict[str, tuple[str, object]] = {
    "max_uses: 100": ("max_uses", 100),
    "max_idle_time: 10m": ("max_idle_time", 600.0),
    "recycle_jitter: 10%": ("recycle_jitter", 0.1),
    "check_after: 0": ("check_after", 0.0),
    "validate_after: 30s": ("validate_after", 30.0),
    "order: fifo": ("order", "fifo"),
    "reset: none": ("reset", "none"),
    "setup: counting": ("setup", "counting"),
    "on_acquire: failing_once": ("on_acquire", "failing_once"),
    "max_connecting: 2": ("max_connecting", 2),
    "connect_attempts: 1": ("connect_attempts", 1),
    "breaker_failures: 5": ("breaker_failures", 5),
    "breaker_cooldown: 1s": ("breaker_cooldown", 1.0),
    "leak_after: 1m": ("leak_after", 60.0),
    "max_waiting: 0": ("max_waiting", 0),
}


@pytest.mark.parametrize(("text", "option"), OPTIONS.items())
def test_an_option_of_the_pool_means(
    text: str, option: tuple[str, object], load_test: LoadTest
) -> None:
    (given,) = load_test(f"pool: {{{text}}}{PASS}").pool
    assert given == option
    assert type(given[1]) is type(option[1])


MODES: dict[str, tuple[Concurrency, ...]] = {
    "": (Concurrency.THREADS, Concurrency.ASYNCIO),
    "concurrency: [asyncio, threads]": (Concurrency.THREADS, Concurrency.ASYNCIO),
    "concurrency: [asyncio, asyncio]": (Concurrency.ASYNCIO,),
    "steps: [{start: {w: [close]}}, cancel: w]": (Concurrency.ASYNCIO,),
    "steps: [global_pool: g]": (Concurrency.THREADS,),
    "steps: [fork: [close]]": (Concurrency.THREADS,),
    "steps: [{load: l, clients: 1, each: 1, runner: executor}]": (Concurrency.THREADS,),
    "concurrency: [threads, asyncio]\nsteps: [global_pool: g]": (Concurrency.THREADS,),
    "steps: [{start: {w: {count: 2000, steps: [close]}}}]": tuple(Concurrency),
    "steps: [{start: {w: {count: 2001, steps: [close]}}}]": (Concurrency.ASYNCIO,),
    "steps: [{load: l, clients: 2001, each: 1}]": (Concurrency.ASYNCIO,),
    "matrix: {n: [1, 2001]}\nsteps: [{start: {w: {count: $n, steps: [close]}}}]": (
        Concurrency.ASYNCIO,
    ),
}


@pytest.mark.parametrize(("keys", "modes"), MODES.items())
def test_a_test_has_a_form_for_each_concurrency_that_can_do_its_steps(
    keys: str, modes: tuple[Concurrency, ...], load_test: LoadTest
) -> None:
    assert load_test(f"{keys}{PASS}").concurrency == modes


def test_a_test_has_the_modes_of_its_class_unless_it_names_others(load_text: LoadText) -> None:
    test = "{purpose: p, validates: v, covers: [], expect: {server: {peak: 1}}"
    spec = load_text(
        "spec: 1\nclass: C\npurpose: p\nconcurrency: [asyncio]\n"
        f"tests:\n  a: {test}}}\n  b: {test}, concurrency: [threads]}}\n"
    )
    assert [test.concurrency for test in spec.tests] == [
        (Concurrency.ASYNCIO,),
        (Concurrency.THREADS,),
    ]
    assert [test.name for test in spec.tests_for(Concurrency.ASYNCIO)] == ["a"]


def test_a_test_inherits_the_keys_of_its_class(load_text: LoadText) -> None:
    spec = load_text(
        "spec: 1\nclass: C\npurpose: p\nlayer: chaos\nlevel: should\nneeds: [overflow]\n"
        "time: real\npool: {timeout: 1s, size: 2}\ntests:\n  a:\n"
        "    {purpose: p, validates: v, covers: [], expect: {server: {peak: 1}}}\n"
        "  b:\n    purpose: p\n    validates: v\n    covers: [A01]\n    layer: unit\n"
        "    level: must\n    needs: [events, overflow]\n    time: virtual\n    deadline: 1m\n"
        "    pool: {size: 0}\n    expect: {server: {peak: 1}}\n"
    )
    a, b = spec.tests
    assert (a.layer, a.level, a.time, a.deadline) == (
        Layer.CHAOS,
        Level.SHOULD,
        TimeKind.REAL,
        20.0,
    )
    assert (a.needs, a.pool) == ((Capability.OVERFLOW,), (("size", 2), ("timeout", 1.0)))
    assert (b.layer, b.level, b.time, b.deadline) == (
        Layer.UNIT,
        Level.MUST,
        TimeKind.VIRTUAL,
        60.0,
    )
    assert b.needs == (Capability.OVERFLOW, Capability.EVENTS)
    assert (b.pool, b.covers) == ((("size", 0), ("timeout", 1.0)), ("A01",))


def test_texts_may_have_several_lines(load_text: LoadText) -> None:
    spec = load_text(
        "spec: 1\nclass: C\npurpose: >-\n  one\n  line\ndescription: |\n  two\n  lines\ntests:\n"
        "  t: {purpose: p, validates: v, covers: [], expect: {server: {peak: 1}}}\n"
    )
    assert (spec.purpose, spec.description) == ("one line", "two\nlines")
