"""Every rule of the language has a spec that breaks it, and an error at the place of the fault."""

from collections.abc import Callable

import pytest

from poolspec.errors import Problem
from poolspec.steps.kind import PLACES

WrongAt = Callable[[str, str], Problem]
ProblemsOf = Callable[[str], tuple[Problem, ...]]

STEPS: dict[str, tuple[str, str]] = {
    "an unknown step": ("- «aquire: a", "unknown key 'aquire'"),
    "an unknown bare step": ("- «clos", "unknown step 'clos'"),
    "a bare step that needs a value": ("- «acquire", "the step 'acquire' needs a value"),
    "a bare step with a number": ("- close_all: «1", "'1' cannot be a name"),
    "a step that is a list": ("- «[acquire, a]", "expected a step, found a list"),
    "a way to close that is a word": (
        "- close: «now",
        "unknown pool 'now'",
    ),
    "a way to close that says nothing": (
        "- close: «{}",
        "a way to close needs the key 'drain'",
    ),
    "no new limit": ("- resize: «{}", "no new limit is given"),
    "an unknown limit": ("- resize: {«sise: 3}", "unknown key 'sise'"),
    "a resize that is bare": ("- «resize", "the step 'resize' needs a value"),
    "a suspended number": ("- suspend: «5", "'5' cannot be a name"),
    "resize beside a global pool": (
        "- global_pool: g\n- «resize: {size: 3}",
        "a test with 'global_pool' has its own pool only if it describes one",
    ),
    "a transaction beside a global pool": (
        "- global_pool: g\n- «transaction: t",
        "a test with 'global_pool' has its own pool only if it describes one",
    ),
    "a release inside of a transaction": (
        "- transaction: c\n  do: [release: «c]",
        "'c' is released at the end of its block",
    ),
    "a label after its transaction": (
        "- transaction: c\n- query: SELECT 1\n  on: «c",
        "'c' was released in line 10",
    ),
    "an unknown fault": ("- fault: «server_kiled", "'server_kiled' is not a kind of fault"),
    "a killed connection without a name": (
        "- «fault: connection_killed",
        "connection_killed needs the key 'on'",
    ),
    "a killed connection with an unknown name": (
        "- fault: connection_killed\n  on: «a",
        "unknown connection 'a'",
    ),
    "a killed connection that was released": (
        "- acquire: a\n- release: a\n- fault: connection_killed\n  on: «a",
        "'a' was released in line 11",
    ),
    "a slow connect without a time": ("- «fault: connect_slow", "connect_slow needs the key 'for'"),
    "a killed server with a number": (
        "- fault: server_killed\n  «times: 2",
        "server_killed takes no 'times'",
    ),
    "a step of one's own with a bad name": (
        "- use: «os.abort",
        "'os.abort' cannot be a step's name",
    ),
    "says without fails": (
        "- acquire: a\n  «says: late",
        "'says' checks an error, and none is expected",
    ),
    "a number to say": (
        "- acquire: a\n  fails: timeout\n  says: [«5]",
        "expected a text, found '5'",
    ),
    "a body that is never reached": (
        "- with: c\n  fails: closed\n  «do: [close]",
        "'do' is never reached: the borrowing fails",
    ),
    "an error that is never raised": (
        "- transaction: c\n  «raises: error\n  fails: closed",
        "'raises' is never reached: the borrowing fails",
    ),
    "a label that was not lent": (
        "- with: c\n  fails: closed\n- query: SELECT 1\n  on: «c",
        "unknown connection 'c'",
    ),
    "a permanent fault that lasts": (
        "- fault: idle_killed\n  «lasts: 2s",
        "idle_killed is permanent",
    ),
    "a fault healed twice, first by its time": (
        "- fault: server_paused\n  lasts: 2s\n- «heal: server_paused",
        "there is no server_paused to heal",
    ),
    "a fault no times": (
        "- fault: connect_refused\n  times: «0",
        "0 is out of bounds: from 1 to 1,000,000",
    ),
    "nothing to heal": ("- «heal: server_paused", "there is no server_paused to heal"),
    "healed already": (
        "- fault: connect_refused\n- interrupt_everywhere: [acquire: x]\n- «heal: connect_refused",
        "there is no connect_refused to heal",
    ),
    "healed twice": (
        "- fault: server_paused\n- heal: server_paused\n- «heal: server_paused",
        "there is no server_paused to heal",
    ),
    "what cannot be healed": (
        "- fault: idle_killed\n- «heal: idle_killed",
        "idle_killed cannot be healed: it is permanent",
    ),
    "cancel beside an executor": (
        "- load: l\n  clients: 1\n  each: 1\n  runner: executor\n"
        "- start: {w: [close_all]}\n- «cancel: w",
        "'cancel' is for asyncio only, this test is not",
    ),
    "an actor that cancels actors": (
        "- start: {v: [close]}\n- start: {w: [{«cancel: v}]}",
        "an actor cannot cancel actors",
    ),
    "cancel of an unknown actor": ("- cancel: «w", "unknown actor 'w'"),
    "an actor that forks": ("- start: {w: [{«fork: [close]}]}", "an actor cannot fork"),
    "fork beside cancel": (
        "- start: {w: [close_all]}\n- cancel: w\n- «fork: [close]",
        "'fork' is for threads only, this test is not",
    ),
    "threads beyond the limit": (
        "- fork: [close]\n- start: {w: {steps: [close_all], «count: 2001}}",
        "'count above 2,000' is for asyncio only, this test is not",
    ),
    "tasks beyond the limit": (
        "- start: {w: {steps: [close_all], count: «20001}}",
        "20001 is out of bounds: from 1 to 20,000",
    ),
    "a label of a forked child": (
        "- fork: [acquire: c]\n- release: «c",
        "unknown connection 'c'",
    ),
    "nothing to interrupt": (
        "- «interrupt_everywhere: []",
        "there is nothing to interrupt",
    ),
    "an actor that interrupts itself": (
        "- start: {w: [{«interrupt_everywhere: [close]}]}",
        "an actor cannot take the step interrupt_everywhere",
    ),
    "an actor that is started among interrupted steps": (
        "- interrupt_everywhere: [acquire: x, {«start: {w: [close]}}]",
        "'start' is not allowed among repeated, interrupted or re-entered steps",
    ),
    "an expectation among interrupted steps": (
        "- interrupt_everywhere:\n    - with: x\n      do: [{«expect: {server: {peak: 1}}}]",
        "'expect' is not allowed among repeated, interrupted or re-entered steps",
    ),
    "a check of memory in another": (
        "- check_memory: [{«check_memory: [acquire: x]}]",
        "'check_memory' is not allowed among repeated, interrupted or re-entered steps",
    ),
    "a fork before an interrupt": (
        "- interrupt_everywhere: [close]\n  before: [{«fork: [close]}]",
        "'fork' is not allowed among repeated, interrupted or re-entered steps",
    ),
    "a re-entry without steps": (
        "- {reenter: [close], «during: [], by: signal}",
        "'during' has no steps",
    ),
    "a re-entry by an actor": (
        "- start: {w: [{«reenter: [close], during: [close_all], by: signal}]}",
        "an actor cannot take the step reenter",
    ),
    "a load among re-entered steps": (
        "- {reenter: [close], during: [{«load: traffic, clients: 1, each: 1}], by: signal}",
        "'load' is not allowed among repeated, interrupted or re-entered steps",
    ),
    "a release inside a block that a step leaves": (
        "- enter: x\n- release: «x",
        "'x' is released when its block is left",
    ),
    "a block that is left twice": (
        "- enter: x\n- leave: x\n- leave: «x",
        "'x' was released in line 11",
    ),
    "a leave of a connection that is in no block": (
        "- acquire: x\n- leave: «x",
        "'x' is in no block that the step 'enter' entered",
    ),
    "a generator that is not there": (
        "- enter: x\n- abandon: «x",
        "the block of 'x' is not in a generator",
    ),
    "a refusal that must and may happen": (
        "- enter: x\n- leave: x\n  fails: not_borrowed\n  «may_refuse: true",
        "this step must fail, so the pool cannot be free to refuse",
    ),
    "an interrupt in a forked child": (
        "- fork: [{«interrupt_everywhere: [close]}]",
        "'interrupt_everywhere' is not allowed in a forked child",
    ),
    "an interrupt in a block of a forked child": (
        "- fork: [{with: x, do: [{«interrupt_everywhere: [close]}]}]",
        "'interrupt_everywhere' is not allowed in a forked child",
    ),
    "what was borrowed from another pool": (
        "- acquire: a\n- interrupt_everywhere: [release: «a]",
        "unknown connection 'a'",
    ),
    "what may not have been borrowed": (
        "- interrupt_everywhere: [acquire: x]\n  after: [release: «x]",
        "unknown connection 'x'",
    ),
    "released before, and again": (
        "- before: [acquire: x]\n  interrupt_everywhere: [release: x]\n  after: [release: «x]",
        "'x' was released in line 11",
    ),
    "recovery from an interrupt": (
        "- interrupt_everywhere: [close]\n  «may_recover: true",
        "a pool can recover only from a timeout",
    ),
    "another way to interrupt": (
        "- interrupt_everywhere: [close]\n  by: «signal",
        "'signal' is not a way to interrupt",
    ),
    "a child's function as a label": ("- acquire: «forked", "'forked' cannot be a name"),
    "a function's name as a label": ("- acquire: «forked_2", "'forked_2' cannot be a name"),
    "a duration of within without a unit": (
        "- expect: {stats: {in_use: 0}}\n  within: «5",
        "5 has no unit: give a unit, as in 1s",
    ),
    "two verbs": (
        "- acquire: a\n  «release: a",
        "a step has one verb, this has 'acquire' and 'release'",
    ),
    "no verb": ("- «fails: timeout", "a step without a verb"),
    "an unknown modifier": ("- acquire: a\n  «tok: 1s", "unknown key 'tok'"),
    "a modifier of another step": ("- acquire: a\n  «on: b", "unknown key 'on'"),
    "an unknown kind of error": (
        "- acquire: a\n  fails: «timout",
        "'timout' is not a kind of error",
    ),
    "a number as a label": ("- acquire: «1", "'1' cannot be a name"),
    "a capital in a label": ("- acquire: [«A]", "'A' cannot be a name"),
    "a keyword as a label": ("- acquire: «lambda", "'lambda' cannot be a name"),
    "a soft keyword as a label": ("- acquire: «match", "'match' cannot be a name"),
    "a builtin as a label": ("- acquire: «next", "'next' cannot be a name"),
    "a word of the module as a label": ("- acquire: «lab", "'lab' cannot be a name"),
    "a label that is too long": (f"- acquire: «{'a' * 41}", f"'{'a' * 41}' cannot be a name"),
    "an injected label": ('- acquire: «"a=1; b"', "'a=1; b' cannot be a name"),
    "no label": ("- acquire: «[]", "the list is empty"),
    "a label bound twice": (
        "- acquire: a\n- acquire: «a",
        "'a' is already a connection, in line 10",
    ),
    "a label bound again after a release": (
        "- acquire: a\n- release: a\n- acquire: «a",
        "'a' is already a connection, in line 10",
    ),
    "several failing acquires": (
        "- acquire: [a, b]\n  «fails: timeout",
        "'fails' applies to one acquire, not to 2",
    ),
    "a failed acquire binds nothing": (
        "- acquire: a\n  fails: timeout\n- release: «a",
        "unknown connection 'a'",
    ),
    "an unknown label": ("- acquire: held\n- release: «hold", "unknown connection 'hold'"),
    "release without a label": ("- release:«", "release needs a label"),
    "release of null": ("- release: «null", "release needs a label"),
    "a second release": (
        "- acquire: a\n- release: a\n- release: «a",
        "'a' was released in line 11",
    ),
    "the same label twice in a release": (
        "- acquire: a\n- release: [a, «a]",
        "'a' was released in line 11",
    ),
    "several failing releases": (
        "- acquire: [a, b]\n- release: [a, b]\n  «fails: not_borrowed",
        "'fails' applies to one release, not to 2",
    ),
    "a release that must fail and may be refused": (
        "- acquire: a\n- release: a\n  fails: not_borrowed\n  «may_refuse: true",
        "this step must fail, so the pool cannot be free to refuse",
    ),
    "a release inside of with": (
        "- with: c\n  do: [release: «c]",
        "'c' is released at the end of its block",
    ),
    "a with label after its block": (
        "- with: c\n- query: SELECT 1\n  on: «c",
        "'c' was released in line 10",
    ),
    "a query on a released connection": (
        "- acquire: a\n- release: a\n- query: SELECT 1\n  on: «a",
        "'a' was released in line 11",
    ),
    "a query on a released connection that shall fail": (
        "- acquire: a\n- release: a\n- {query: SELECT 1, on: «a, fails: query}",
        "'a' was released in line 11",
    ),
    "a query without a connection": ("- «query: SELECT 1", "the step query needs the key 'on'"),
    "a blank statement": (
        '- acquire: a\n- {query: «" ", on: a}',
        "expected an SQL statement, found a blank one",
    ),
    "returns and rows": (
        "- acquire: a\n- {query: S, on: a, returns: 1, «rows: []}",
        "'returns' and 'rows' are mutually exclusive",
    ),
    "returns and fails": (
        "- acquire: a\n- {query: S, on: a, returns: 1, «fails: query}",
        "'returns' and 'fails' are mutually exclusive",
    ),
    "may_fail and fails": (
        "- acquire: a\n- {query: S, on: a, fails: lost, «may_fail: lost}",
        "'fails' and 'may_fail' are mutually exclusive",
    ),
    "may_fail and took": (
        "- acquire: a\n- {query: S, on: a, may_fail: lost, «took: 0s}",
        "'may_fail' and 'took' are mutually exclusive",
    ),
    "a parameter in params": (
        "- acquire: a\n- {query: S, on: a, params: [«$n]}",
        "a matrix parameter is not allowed here",
    ),
    "a row that is no list": (
        "- acquire: a\n- {query: S, on: a, rows: [«1]}",
        "expected a list of values, found '1'",
    ),
    "a query on a pool": (
        "- global_pool: g\n- query: S\n  on: «g",
        "'g' is a pool, not a connection",
    ),
    "an unknown global pool": ("- acquire: a\n  from: «g", "unknown pool 'g'"),
    "an own pool beside a global one": (
        "- global_pool: g\n- «acquire: a",
        "a test with 'global_pool' has its own pool only if it describes one",
    ),
    "close beside a global pool": (
        "- global_pool: g\n- «close",
        "a test with 'global_pool' has its own pool only if it describes one",
    ),
    "an own pool beside an opened one": (
        "- open: p\n- «acquire: a",
        "a test with 'open' has its own pool only if it describes one",
    ),
    "a step without a pool in a test that makes two": (
        "- make_pool: p\n- open: q\n- «suspend",
        "a test with 'make_pool' has its own pool only if it describes one",
    ),
    "an expectation about one of two pools": (
        "- make_pool: p\n- open: q\n- expect: {«stats: {in_use: 0}}",
        "'stats' is about one pool, and the test has 2: p, q",
    ),
    "an expectation about a pool before there is one": (
        "- expect: {«stats: {in_use: 0}}\n- make_pool: p",
        "'stats' is about one pool, and no pool is open here",
    ),
    "an expectation about a pool that failed to open": (
        "- {open: p, target: unknown_host, fails: connect}\n- expect: {«health: healthy}",
        "'health' is about one pool, and no pool is open here",
    ),
    "an expectation that no pool is asked for": (
        "- make_pool: p\n- expect: {from: p, «logs: {leak: 0}}",
        "'logs' is not about one pool",
    ),
    "an expectation of all pools under one of them": (
        "- make_pool: p\n- expect: {p: {«hooks: {setup: 1}}}",
        "unknown key 'hooks'",
    ),
    "an expectation from an unknown pool": (
        "- make_pool: second\n- expect: {from: «secnd, stats: {in_use: 1}}",
        "unknown pool 'secnd'",
    ),
    "an unknown way for one to fail": (
        "- start: {x: [acquire: a]}\n- {join: x, one_fails: «deadlok}",
        "'deadlok' is not a kind of error",
    ),
    "an actor without a statement that is blocked": (
        "- start: {x: [acquire: a]}\n- wait_until: «x is blocked",
        "'x' runs no statement, so it is never blocked",
    ),
    "a state of an actor in no pool": (
        "- make_pool: p\n- start: {x: [connect: a]}\n- {wait_until: x is done, «from: p}",
        "an actor is done in no pool",
    ),
    "a fault that is not about one pool": (
        "- make_pool: p\n- {fault: connect_refused, «from: p}",
        "connect_refused is not about one pool",
    ),
    "a close of two pools": (
        "- make_pool: p\n- make_pool: q\n- {close: p, «from: q}",
        "the step names two pools",
    ),
    "a resize of a connection": (
        "- acquire: a\n- {resize: {size: 1}, from: «a}",
        "'a' is a connection, not a pool",
    ),
    "a pool with an unknown option": (
        "- make_pool: p\n  options: {«sise: 1}",
        "unknown key 'sise'",
    ),
    "a flaw that a URL cannot have": (
        "- {open: p, given_as: url, «flaw: missing, fails: config}",
        "a configuration given as url cannot be missing",
    ),
    "a flaw that is not refused": (
        "- {open: p, given_as: url, «flaw: foreign}",
        "a flawed configuration must be refused",
    ),
    "invalid options that are not refused": (
        "- {open: p, «invalid_options: {timeout: -1}}",
        "invalid options must be refused",
    ),
    "an option that is given twice": (
        "- {open: p, options: {size: 1}, invalid_options: {«size: -1}, fails: config}",
        "'size' is given twice",
    ),
    "an unknown invalid option": (
        "- {open: p, invalid_options: {«sise: -1}, fails: config}",
        "'sise' cannot be an option",
    ),
    "names without an error": (
        "- {open: p, «names: [user]}",
        "'names' checks an error, and none is expected",
    ),
    "connections of two pools in one release": (
        "- global_pool: g\n- global_pool: h\n- {acquire: a, from: g}\n- {acquire: b, from: h}\n"
        "- «release: [a, b]",
        "these connections come from different pools",
    ),
    "an unknown option of a global pool": (
        "- global_pool: g\n  options: {«sise: 3}",
        "unknown key 'sise'",
    ),
    "an empty start": ("- start: «{}", "expected actors by name, found an empty mapping"),
    "an actor without steps": (
        "- start: {w: «{count: 2}}",
        "an actor needs the key 'steps'",
    ),
    "an actor that starts actors": (
        "- start: {w: [{«start: {v: [close]}}]}",
        "an actor cannot start actors",
    ),
    "an actor that joins actors": (
        "- start: {v: [close]}\n- start: {w: [{«join: v}]}",
        "an actor cannot join actors",
    ),
    "an actor started twice": (
        "- start: {w: [close]}\n- start: {«w: [close]}",
        "'w' is already an actor, in line 10",
    ),
    "an actor named as a label": (
        "- acquire: w\n- start: {«w: [close]}",
        "'w' is already a connection, in line 10",
    ),
    "join of an unknown actor": (
        "- start: {first: [close]}\n- join: «firts",
        "unknown actor 'firts'",
    ),
    "join of a label": ("- acquire: a\n- join: «a", "'a' is a connection, not an actor"),
    "an actor's label in the main body": (
        "- start: {w: [acquire: x]}\n- release: «x",
        "'x' belongs to the actor 'w'",
    ),
    "another actor's label": (
        "- start: {v: [acquire: x]}\n- start: {w: [release: «x]}",
        "'x' belongs to the actor 'v'",
    ),
    "an actor's label that the main body binds too": (
        "- start: {w: [acquire: x]}\n- acquire: «x",
        "'x' is already a connection, in line 10",
    ),
    "no actors": ("- start: {w: {count: «0, steps: []}}", "0 is out of bounds: from 1 to 20,000"),
    "waiting for an unknown actor": (
        "- wait_until: «first is waiting",
        "unknown actor 'first'",
    ),
    "waiting for an unknown state": (
        "- wait_until: 3 actors are «wating",
        "'wating' is not a state",
    ),
    "waiting in quotes for an unknown state": (
        "- wait_until: '3 actors are «wating'",
        "'wating' is not a state",
    ),
    "a condition that is none": ("- wait_until: «soon", "'soon' is not a condition"),
    "advance without a unit": ("- advance: «10", "10 has no unit: give a unit, as in 1s"),
    "advance backwards": ("- advance: «-1s", "'-1s' is not a duration"),
    "a load without an amount": (
        "- «load: l\n  clients: 2",
        "a load needs 'operations', 'each', 'duration', 'until' or 'requests'",
    ),
    "a fault that lasts no time": (
        "- {fault: down, lasts: «0s}",
        "0.0 is out of bounds: from 0.001s to 31,500,000s",
    ),
    "a load with two amounts": (
        "- {load: l, clients: 2, operations: 3, «each: 1}",
        "'operations' and 'each' are mutually exclusive",
    ),
    "a load that ends before its ramp": (
        "- {load: l, clients: 2, rate: 10/s, «ramp: 4s, warm_up: 1s, duration: 2s}",
        "the load ends before its ramp",
    ),
    "a load with operations by kind and a mix": (
        "- {load: l, clients: 2, operations: {read: 3}, «mix: {read: 1}}",
        "'operations' already gives the number of each kind",
    ),
    "a load through with that has a timeout": (
        "- {load: l, clients: 2, each: 3, via: with, «timeout: 1s}",
        "'with' takes no timeout",
    ),
    "a load of an unknown kind": (
        "- {load: l, clients: 2, operations: {«reed: 3}}",
        "'reed' is not a kind of operation",
    ),
    "a load named as a key of expectations": (
        "- {load: «server, clients: 2, each: 3}",
        "'server' is already a key of expectations",
    ),
    "a hold that ends before it starts": (
        "- {load: l, clients: 2, each: 3, hold: «2s..1s}",
        "the shortest time is longer than the longest",
    ),
}


@pytest.mark.parametrize(("steps", "message"), STEPS.values(), ids=STEPS.keys())
def test_a_wrong_step_is_an_error_at_its_place(
    steps: str, message: str, wrong_test: WrongAt
) -> None:
    indented = steps.replace("\n", "\n  ")
    wrong_test(f"steps:\n  {indented}\nexpect: {{server: {{peak: 1}}}}", message)


EXPECTATIONS: dict[str, tuple[str, str]] = {
    "nothing": ("«{}", "nothing is expected here"),
    "empty stats": ("{stats: «{}}", "stats: nothing is expected"),
    "an unknown key": ("{«serve: [w]}", "unknown key 'serve'"),
    "an unknown counter": ("{stats: {«acquird: 1}}", "unknown key 'acquird'"),
    "an unknown load": ("{«trafic: {failed: 0}}", "unknown key 'trafic'"),
    "a label instead of a load": ("{«a: {failed: 0}}", "'a' is a connection, not a load"),
    "an unknown figure of a load": ("{l: {«fail: 0}}", "unknown key 'fail'"),
    "an unknown percentile": ("{l: {latency: {«p42: 1s}}}", "unknown key 'p42'"),
    "an unknown kind of error": (
        "{l: {errors: {«tmeout: 0}}}",
        "'tmeout' is not a kind of error",
    ),
    "a fraction as a count": ("{stats: {acquired: «1.5}}", "1.5 is not a whole number"),
    "a negative count": (
        "{stats: {acquired: «-1}}",
        "-1 is out of bounds: from 0 to 1e+09",
    ),
    "a truth value as a count": ("{stats: {acquired: «true}}", "'true' is not a whole number"),
    "a ratio above one": ("{l: {success_rate: «1.2}}", "1.2 is out of bounds: from 0 to 1"),
    "a latency without a unit": (
        '{l: {latency: {mean: «"< 100"}}}',
        "100 has no unit: give a unit, as in 1s",
    ),
    "a range that is empty": (
        "{stats: {acquired: «5..2}}",
        "nothing is between 5 and 2; write 2..5",
    ),
    "a tolerance of nothing": (
        '{stats: {acquired: «"5 ± 0%"}}',
        "'0%' is not a tolerance; write 5% or an amount",
    ),
    "an unknown comparison": ('{stats: {acquired: «"=> 5"}}', "'=> 5' is not a whole number"),
    "one label to compare": ("{«same: [a]}", "'same' compares at least two labels"),
    "a label compared with itself": ("{same: [a, «a]}", "'a' is named twice"),
    "a label that is not known": ("{different: [a, «z]}", "unknown connection or pool 'z'"),
    "an actor that is not known": ("{served: [«z]}", "unknown actor 'z'"),
    "an unknown state of health": ("{health: «ill}", "'ill' is not a state of health"),
    "an unknown hook": ("{hooks: {«on_return: 1}}", "unknown key 'on_return'"),
    "no hooks": ("{hooks: «{}}", "hooks: nothing is expected"),
    "an unknown sort of record": ("{logs: {«retries: 1}}", "unknown key 'retries'"),
    "pools without a global pool": ("{«pools: 1}", "no step asks for a global pool"),
    "events without a way to compare": (
        "{events: «{}}",
        "events needs one of 'exactly' and 'in_order'",
    ),
    "an unknown event": (
        "{events: {in_order: [«check_out]}}",
        "'check_out' is not an event",
    ),
}


@pytest.mark.parametrize(("expect", "message"), EXPECTATIONS.values(), ids=EXPECTATIONS.keys())
def test_a_wrong_expectation_is_an_error_at_its_place(
    expect: str, message: str, wrong_test: WrongAt
) -> None:
    steps = "[acquire: [a, b], {load: l, clients: 1, each: 1}]"
    wrong_test(f"steps: {steps}\nexpect: {expect}", message)


KEYS: dict[str, tuple[str, str]] = {
    "an unknown key": ("«expects: {}", "unknown key 'expects'"),
    "an unknown layer": ("layer: «integraton", "'integraton' is not a layer"),
    "an unknown capability": ("needs: [«fair]", "'fair' is not a capability"),
    "needs that is no list": (
        "needs: «fair_queue",
        "expected a list of capabilities, found 'fair_queue'",
    ),
    "a setting that is not on the list": (
        "server_settings: {«max_conections: 20}",
        "unknown key 'max_conections'",
    ),
    "fewer connections than MariaDB accepts": (
        "server_settings: {max_connections: «5}",
        "5 is out of bounds: from 10 to 100,000",
    ),
    "a part of a second for the server": (
        "server_settings: {wait_timeout: «1500ms}",
        "'1500ms' is not a whole number of seconds",
    ),
    "a second server of a test that has one": (
        "steps: [acquire: a, {fault: server_killed, «server: second}]",
        "'server' needs two servers",
    ),
    "a target of two servers with one": (
        "steps: [{open: db, «target: both_servers}, {acquire: a, from: db}]",
        "'target: both_servers' needs two servers",
    ),
    "three servers": (
        "servers: «3",
        "3 is out of bounds: from 1 to 2",
    ),
    "settings without a server": (
        "connections: scripted\n«server_settings: {wait_timeout: 1s}",
        "server_settings needs a server, and scripted connections have no server",
    ),
    "idle connections that never time out": (
        "steps: [acquire: a, release: a, {«fault: idle_timed_out}]",
        "idle_timed_out needs a server with wait_timeout",
    ),
    "an unknown clock": ("time: «fast", "'fast' is not a clock"),
    "an unknown concurrency": ("concurrency: [«thread]", "'thread' is not a concurrency mode"),
    "no concurrency": (
        "concurrency: «[]",
        "the list is empty",
    ),
    "a global pool for asyncio": (
        "concurrency: [asyncio]\nsteps: [{«global_pool: g}]",
        "'global_pool' is for threads only, this test is not",
    ),
    "a load without end in virtual time": (
        "steps: [{load: l, clients: 1, «until: stopped}, stop: l]",
        "a load that runs until it is stopped works in real time",
    ),
    "a load that is never stopped": (
        "time: real\nsteps: [{load: «l, clients: 1, until: stopped}]",
        "the load 'l' is never stopped",
    ),
    "a load that is stopped twice": (
        "time: real\nsteps: [{load: l, clients: 1, until: stopped}, stop: l, stop: «l]",
        "'l' is not running here",
    ),
    "a load without end that has one": (
        "time: real\nsteps: [{load: l, clients: 1, until: stopped, «each: 5}, stop: l]",
        "'until' and 'each' are mutually exclusive",
    ),
    "an expectation of a load that goes on": (
        "time: real\nsteps: [{load: l, clients: 1, until: stopped}, {expect: {«l: {failed: 0}}},"
        " stop: l]",
        "the load 'l' still runs",
    ),
    "a load without end by an actor": (
        "time: real\nsteps: [start: {a: [{load: l, clients: 1, «until: stopped}, stop: l]}]",
        "an actor cannot start a load that runs until it is stopped",
    ),
    "a housekeeper in virtual time": (
        "«pool: {housekeeping: 50ms}\nsteps: []",
        "a housekeeper works in real time",
    ),
    "a housekeeper without rest": (
        "time: real\npool: {housekeeping: «0s}\nsteps: []",
        "0.0 is out of bounds: from 0.001s to 3,600s",
    ),
    "an executor for asyncio": (
        "concurrency: [asyncio]\nsteps: [{load: l, clients: 1, each: 1, «runner: executor}]",
        "'runner: executor' is for threads only, this test is not",
    ),
    "a deadline without a unit": ("deadline: «5", "5 has no unit: give a unit, as in 20s"),
    "a deadline of a parameter": ("deadline: «$n", "a matrix parameter is not allowed here"),
    "a deadline of nothing": ("deadline: «0", "0.0 is out of bounds: from 0.001s to 3,600s"),
    "an unknown profile": ("profile: «fast", "unknown profile 'fast'"),
    "an unknown pool option": ("pool: {«sise: 2}", "unknown key 'sise'"),
    "a size that is a text": ("pool: {size: «two}", "'two' is not a whole number"),
    "a size below zero": ("pool: {size: «-1}", "-1 is out of bounds: from 0 to 10,000"),
    "an unknown hook": ("pool: {setup: «count}", "'count' is not a hook"),
    "an unknown order": ("pool: {order: «random}", "'random' is not an order"),
    "an unknown reset": ("pool: {reset: «all}", "'all' is not a reset"),
    "more jitter than all": (
        "pool: {recycle_jitter: «1.5}",
        "1.5 is out of bounds: from 0 to 1",
    ),
    "no use at all": ("pool: {max_uses: «0}", "0 is out of bounds: from 1 to 1,000,000"),
    "a timeout without a unit": (
        "pool: {timeout: «30}",
        "30 has no unit: give a unit, as in 1s",
    ),
    "steps that are a mapping": (
        "steps: «{acquire: a}",
        "expected a list of steps, found a mapping",
    ),
    "a parameter without a matrix": (
        "pool: {size: «$n}",
        "unknown matrix parameter $n",
    ),
    "an unknown parameter": (
        "matrix: {n: [1]}\npool: {size: $n, min_size: «$m}",
        "unknown matrix parameter $m",
    ),
    "a parameter that is never used": (
        "matrix: {«n: [1]}",
        "the parameter 'n' is never used",
    ),
    "a parameter that does not fit": (
        "matrix: {n: [1, 1.5]}\npool: {size: «$n}",
        "$n is not allowed here: 1.5 is not a whole number",
    ),
    "a parameter without a unit": (
        "matrix: {n: [1s, 2]}\npool: {timeout: «$n}",
        "$n is not allowed here: 2 has no unit: give a unit, as in 1s",
    ),
    "a formula with another operator": (
        "matrix: {n: [4]}\npool: {size: «$n / 2}",
        "'$n / 2' is not a formula: write $names, whole numbers and durations, with +, - or * "
        "between them",
    ),
    "a formula with parentheses": (
        "matrix: {n: [4]}\npool: {size: «($n + 1) * 2}",
        "'($n + 1) * 2' is not a formula: write $names, whole numbers and durations, with +, - or "
        "* between them",
    ),
    "a formula with an unknown parameter": (
        "matrix: {n: [4]}\npool: {size: «$n + $m}",
        "unknown matrix parameter $m",
    ),
    "a formula below its bounds": (
        "matrix: {n: [4, 1]}\npool: {size: «$n - 2}",
        "$n - 2 is not allowed here: -1 is out of bounds: from 0 to 10,000",
    ),
    "a duration added to a number": (
        "matrix: {n: [4], t: [1s]}\npool: {timeout: «$n + $t}",
        "$n + $t is not allowed here: a duration and a number cannot be added",
    ),
    "a product of durations": (
        "matrix: {t: [1s]}\npool: {timeout: «$t * 2s}",
        "$t * 2s is not allowed here: a duration times a duration is not a duration",
    ),
    "a number for a duration": (
        "matrix: {n: [4]}\npool: {timeout: «$n * 2}",
        "$n * 2 is not allowed here: it is not a duration: give one of them a unit",
    ),
    "a formula of a truth value": (
        "matrix: {n: [true]}\npool: {size: «$n + 1}",
        "$n + 1 is not allowed here: $n is not a number",
    ),
    "a comparison with a formula that can never hold": (
        "matrix: {n: [2]}\npool: {size: $n}\nsteps: [expect: {stats: {in_use: «$n..$n - 1}}]",
        "$n is not allowed here: can never hold: the range is empty",
    ),
    "a figure beyond the sum of size and overflow": (
        "matrix: {n: [2]}\npool: {size: $n, max_overflow: 1}\n"
        "steps: [expect: {stats: {in_use: «$n + 2}}]",
        "'in_use' is out of reach: the pool has a limit of 3",
    ),
    "a parameter named as a label": (
        "matrix: {n: [1]}\npool: {size: $n}\nsteps: [acquire: «n]",
        "'n' is already a matrix parameter, in line 9",
    ),
    "a parameter that is a keyword": (
        "matrix: {«in: [1]}\npool: {size: $in}",
        "'in' cannot name a parameter",
    ),
    "an empty matrix": (
        "matrix: «{}",
        "expected names with lists of values, or a list of rows, found a mapping",
    ),
    "a matrix without rows": ("matrix: «[]", "the list is empty"),
    "a truth value in place of capabilities": (
        "needs: «yes",
        "expected a list of capabilities, found the truth value yes",
    ),
    "a word in place of capabilities": (
        "needs: «fair_queue",
        "expected a list of capabilities, found 'fair_queue'",
    ),
    "a parameter without values": ("matrix: {n: «[]}", "the list is empty"),
    "rows with different names": (
        "matrix: [{n: 1}, «{m: 1}]\npool: {size: 1}",
        "a row with other names than the first",
    ),
    "a value that is a text": (
        "matrix: {n: [«many]}",
        "expected a number, true, false or a duration, found 'many'",
    ),
    "the same row twice": (
        "matrix: «{n: [1, 1]}\npool: {size: $n}",
        "the same row twice",
    ),
}


@pytest.mark.parametrize(("keys", "message"), KEYS.values(), ids=KEYS.keys())
def test_a_wrong_key_of_a_test_is_an_error_at_its_place(
    keys: str, message: str, wrong_test: WrongAt
) -> None:
    wrong_test(f"{keys}\nexpect: {{server: {{peak: 1}}}}", message)


FILES: dict[str, tuple[str, str]] = {
    "no version": ("«class: C", "the version of the language is missing"),
    "another version": (
        "spec: «2\nclass: C\npurpose: p\ntests: {t: T}",
        "this version of the language is not known",
    ),
    "a version that is a text": (
        'spec: «"1"\nclass: C\npurpose: p\ntests: {t: T}',
        "this version of the language is not known",
    ),
    "no kind": ("spec: 1\n«colour: C", "the file has no key that decides its kind"),
    "a misspelt kind": ("spec: 1\n«clas: C", "unknown key 'clas'"),
    "a misspelt kind after other keys": (
        "spec: 1\npurpose: p\n«clas: C",
        "unknown key 'clas'",
    ),
    "two kinds": ("spec: 1\nclass: C\n«profiles: {}", "'class' and 'profiles' in one file"),
    "a list": ("«- spec: 1", "a spec file is a mapping"),
    "a word": ("«spec", "a spec file is a mapping"),
    "no purpose": ("«spec: 1\nclass: C\ntests: {t: T}", "a test class needs the key 'purpose'"),
    "a blank purpose": (
        'spec: 1\nclass: C\npurpose: «" "\ntests: {t: T}',
        "expected a text, found a blank one",
    ),
    "a number as a purpose": (
        "spec: 1\nclass: C\npurpose: «42\ntests: {t: T}",
        "expected a text, found '42'",
    ),
    "a purpose that is too long": (
        f"spec: 1\nclass: C\npurpose: «{'a' * 2001}\ntests: {{t: T}}",
        "2,001 characters; at most 2,000 are allowed",
    ),
    "a small class name": (
        "spec: 1\nclass: «limits\npurpose: p\ntests: {t: T}",
        "'limits' cannot be a class's name",
    ),
    "a class name with Test": (
        "spec: 1\nclass: «TestLimits\npurpose: p\ntests: {t: T}",
        "'TestLimits' cannot be a class's name",
    ),
    "a class name with Asyncio": (
        "spec: 1\nclass: «LimitsAsyncio\npurpose: p\ntests: {t: T}",
        "'LimitsAsyncio' cannot be a class's name",
    ),
    "a test name with a capital": (
        "spec: 1\nclass: C\npurpose: p\ntests: {«Two: T}",
        "'Two' cannot be a test's name",
    ),
    "no tests": (
        "spec: 1\nclass: C\npurpose: p\ntests: «{}",
        "expected tests by name, found an empty mapping",
    ),
    "a parameter outside of a test": (
        "spec: 1\nclass: C\npurpose: p\npool: {size: «$n}\ntests: {t: T}",
        "the matrix parameter $n is outside of a test",
    ),
    "a test that is a word": (
        "spec: 1\nclass: C\npurpose: p\ntests: {t: «x}",
        "a test must be a mapping, not 'x'",
    ),
    "the options of a pool that are a word": (
        "spec: 1\nclass: C\npurpose: p\npool: «none\ntests: {t: T}",
        "the options of a pool must be a mapping, not 'none'",
    ),
    "a test without covers": (
        "spec: 1\nclass: C\npurpose: p\n"
        "tests: {t: «{purpose: p, validates: v, expect: {server: {peak: 1}}}}",
        "a test needs the key 'covers'",
    ),
    "a key that is none": (
        "spec: 1\nclass: C\npurpose: p\n"
        "tests: {t: {purpose: p, validates: v, covers: [«a6], expect: {server: {peak: 1}}}}",
        "'a6' cannot be a requirement's key",
    ),
    "a key named twice": (
        "spec: 1\nclass: C\npurpose: p\n"
        "tests: {t: {purpose: p, validates: v, covers: [A06, «A06], expect: {server: {peak: 1}}}}",
        "'A06' is named twice",
    ),
    "a test that expects nothing": (
        "spec: 1\nclass: C\npurpose: p\n"
        "tests: {«t: {purpose: p, validates: v, covers: [], steps: [acquire: a]}}",
        "nothing is expected of 't'",
    ),
}
GOOD_TEST = "{purpose: p, validates: v, covers: [], expect: {server: {peak: 1}}}"


@pytest.mark.parametrize(("text", "message"), FILES.values(), ids=FILES.keys())
def test_a_wrong_file_is_an_error_at_its_place(
    text: str, message: str, wrong_file: WrongAt
) -> None:
    wrong_file(text.replace("T}", f"{GOOD_TEST}}}"), message)


def test_an_error_shows_place_line_marks_and_the_nearest_word(
    find_test_problems: ProblemsOf,
) -> None:
    (problem,) = find_test_problems("steps:\n  - aquire: [a, b]")
    assert str(problem) == (
        "specs/example.yaml:10:9: tests.one.steps[0]: unknown key 'aquire'\n"
        "    10 |       - aquire: [a, b]\n"
        "       |         ^^^^^^\n"
        f"  did you mean 'acquire'? expected one of: {', '.join(PLACES)}"
    )


def test_a_misspelt_kind_of_file_is_shown_with_the_nearest(find_problems: ProblemsOf) -> None:
    (problem,) = find_problems("spec: 1\nclas: C\n")
    assert problem.hint == (
        "did you mean 'class'? expected one of: class, profiles, requirements, tables"
    )


def test_a_misspelt_setting_is_shown_with_the_nearest(find_test_problems: ProblemsOf) -> None:
    problems = find_test_problems("server_settings: {max_conections: 20}\nsteps: [acquire: a]")
    assert problems[-1].hint.startswith("did you mean 'max_connections'? expected one of: max_conn")


def test_an_unknown_actor_of_a_condition_is_underlined(find_test_problems: ProblemsOf) -> None:
    steps = "- start: {first: [acquire: a, release: a]}\n- join: first\n"
    _, problem = find_test_problems(f"steps:\n{steps}- wait_until: 'frist  is waiting'")
    assert str(problem).splitlines()[:3] == [
        "specs/example.yaml:12:20: tests.one.steps[2].wait_until: unknown actor 'frist'",
        "    12 |     - wait_until: 'frist  is waiting'",
        "       |                    ^^^^^",
    ]


@pytest.mark.parametrize("text", ["1s +/- 5%", "1s+/-5%", "$n +/- 1s"])
def test_a_wrong_plus_minus_is_explained(find_test_problems: ProblemsOf, text: str) -> None:
    (problem, *_) = find_test_problems(f"steps:\n  - acquire: a\n    took: {text}")
    assert problem.message == "'+/-' is not an operator; write '±' or '+-'"


def test_a_truth_value_in_place_of_a_list_is_explained(find_test_problems: ProblemsOf) -> None:
    (problem,) = find_test_problems("needs: yes\nexpect: {stats: {created: 2}}")
    assert problem.hint == "name them, such as [overflow], or leave the key out"


def test_a_missing_key_is_shown_with_an_example(find_problems: ProblemsOf) -> None:
    (problem,) = find_problems(f"spec: 1\nclass: C\ntests: {{t: {GOOD_TEST}}}\n")
    assert str(problem) == (
        "specs/example.yaml:1:1: a test class needs the key 'purpose'\n"
        "    1 | spec: 1\n"
        "      | ^\n"
        "  add it: purpose: Pool respects its maximum size (the purpose in one sentence)"
    )


@pytest.mark.parametrize("missing", ["query: SELECT 1", "fault: connection_killed"])
@pytest.mark.parametrize(
    ("before", "hint"),
    [
        ("- acquire: first", "add it: on: first"),
        ("- acquire: [first, second]", "add one of: on: first, on: second"),
        ("- acquire: [gone, left]\n- release: gone", "add it: on: left"),
        ("- connect: stray", "add it: on: stray"),
        (
            "- acquire: gone\n- release: gone",
            "borrow one before, as in: - acquire: a; then add: on: a",
        ),
        ("- fork: [acquire: its]", "borrow one before, as in: - acquire: a; then add: on: a"),
    ],
)
def test_a_query_without_a_connection_is_refused_with_the_choices(
    missing: str, before: str, hint: str, find_test_problems: ProblemsOf
) -> None:
    steps = f"{before}\n- {missing}"
    (problem,) = find_test_problems(f"steps:\n{steps}\nexpect: {{server: {{peak: 1}}}}")
    assert problem.message.endswith("needs the key 'on'")
    assert problem.hint == hint


def test_a_query_without_a_connection_in_a_block_is_refused_with_the_name(
    find_test_problems: ProblemsOf,
) -> None:
    (problem,) = find_test_problems("steps:\n- with: lent\n  do:\n  - query: SELECT 1")
    assert problem.hint == "add it: on: lent"


def test_a_wrong_value_is_marked_with_its_quotes(find_test_problems: ProblemsOf) -> None:
    (problem,) = find_test_problems('expect: {server: {peak: ">> 3"}}')
    assert str(problem) == (
        "specs/example.yaml:9:29: tests.one.expect.server.peak: '>> 3' is not a whole number\n"
        '    9 |     expect: {server: {peak: ">> 3"}}\n'
        "      |                             ^^^^^^\n"
        '  write 3, "<= 20", "> 5", "!= 3", 2..5 or "10 ± 5%"'
    )


@pytest.mark.parametrize(
    ("test", "hint"),
    [
        ("deadline: 5 secs\nexpect: {health: healthy}", "write a number and its unit (us, ms, s,"),
        ("steps: [acquire: a]\nexpect: {remaining_timeout: around 1s}", 'write 3s, "<= 20s"'),
        ("steps: {acquire: a}\nexpect: {health: healthy}", "begin each of them with '- '"),
    ],
)
def test_an_error_shows_a_valid_form(find_test_problems: ProblemsOf, test: str, hint: str) -> None:
    (problem,) = find_test_problems(test)
    assert problem.hint.startswith(hint)


@pytest.mark.parametrize(
    ("tests", "hint"),
    [
        ("\n- one: {}\n", "write NAME: in place of each '- '"),
        (
            "\n  one:\n    steps:\n      - acquire: a\n       b: 1\n",
            "begin each item of a list with",
        ),
    ],
)
def test_an_error_explains_indentation(find_problems: ProblemsOf, tests: str, hint: str) -> None:
    (problem,) = find_problems(f"spec: 1\nclass: C\npurpose: p\ntests:{tests}")
    assert problem.hint.startswith(hint)


def test_a_misspelt_key_is_not_missing_as_well(find_problems: ProblemsOf) -> None:
    test = "{purpose: p, validates: v, covers: [], expect: {health: healthy}}"
    problems = find_problems(f"spec: 1\nclass: C\npurpos: p\ntests: {{one: {test}}}")
    assert [problem.message for problem in problems] == ["unknown key 'purpos'"]


def test_one_wrong_step_does_not_hide_the_next(find_test_problems: ProblemsOf) -> None:
    steps = "steps:\n  - aquire: a\n  - {acquire: b, fails: late}\n  - release: c\n"
    text = f"{steps}expect: {{stats: {{a: 1}}}}"
    assert [problem.line for problem in find_test_problems(text)] == [10, 11, 13]


def test_a_step_that_could_not_be_read_may_have_bound_a_label(
    find_test_problems: ProblemsOf,
) -> None:
    problems = find_test_problems("steps: [aquire: a, release: a]")
    assert [problem.message for problem in problems] == ["unknown key 'aquire'"]


def test_a_long_line_is_cut_around_the_fault(find_test_problems: ProblemsOf) -> None:
    (problem,) = find_test_problems(f"steps: [acquire: a, {' ' * 300}aquire: b]")
    _, line, marks, *_ = str(problem).split("\n")
    assert len(line) < 120
    assert line[marks.index("^") :].startswith("aquire: b")


def test_control_characters_of_a_file_never_reach_the_terminal(find_problems: ProblemsOf) -> None:
    (problem,) = find_problems("spec: 1\nclass: \x1b[2JExample\n")
    assert "\x1b" not in str(problem)


def test_the_rest_of_too_many_problems_is_not_listed(find_problems: ProblemsOf) -> None:
    problems = find_problems("spec: 1\nclass: C\n" + "".join(f"key{n}: 1\n" for n in range(500)))
    assert len(problems) == 101
    assert problems[0].message == "more than 100 problems; the rest is not listed"
