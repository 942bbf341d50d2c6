"""The kinds of a pool's connections, and the steps that each can do."""

from collections.abc import Callable

import pytest

from poolspec.errors import Problem
from poolspec.model import SpecClass, SpecTest
from poolspec.steps.blocks import Transaction
from poolspec.steps.faults import Inject
from poolspec.vocabulary import CALL_FAULTS, Call, Connections, ErrorKind, Fault, Manner

LoadTest = Callable[[str], SpecTest]
LoadText = Callable[[str], SpecClass]
WrongAt = Callable[[str, str], Problem]

PASS = "expect: {server: {peak: 1}}"
SCRIPTED = f"connections: scripted\n{PASS}\nsteps:\n- acquire: a\n"
DRIVER = f"{PASS}\nsteps:\n- acquire: a\n"


def test_connections_are_the_drivers_by_default(load_test: LoadTest) -> None:
    assert load_test(PASS).connections is Connections.DRIVER
    assert load_test(f"connections: minimal\n{PASS}").connections is Connections.MINIMAL


def test_a_test_has_the_connections_of_its_class(load_text: LoadText) -> None:
    spec = load_text(
        "spec: 1\nclass: Example\npurpose: p\nconnections: scripted\ntests:\n"
        "  one: {purpose: p, validates: v, covers: [], expect: {calls: {ping: 0}}}\n"
        "  other: {purpose: p, validates: v, covers: [], connections: plain, "
        "expect: {server: {peak: 1}}}\n"
    )
    assert [test.connections for test in spec.tests] == [Connections.SCRIPTED, Connections.PLAIN]


@pytest.mark.parametrize(
    "fault", [fault for fault, (call, _) in CALL_FAULTS.items() if call is not Call.NAME_LOOKUP]
)
def test_every_fault_of_a_call_can_be_stated_of_scripted_connections(
    fault: Fault, load_test: LoadTest
) -> None:
    slow = CALL_FAULTS[fault][1] is Manner.SLOW
    more = "\n  for: 2s" if slow else ""
    _, step = load_test(f"{SCRIPTED}- fault: {fault}\n  times: 3{more}").steps
    assert isinstance(step, Inject)
    assert (step.fault, step.seconds, step.times) == (fault, 2.0 if slow else None, 3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            f"{SCRIPTED}- query: SELECT 1\n  on: a\n  «returns: 1",
            "'returns' wants an answer, and scripted connections have no server",
        ),
        (
            f"{SCRIPTED}- query: SELECT 1\n  on: a\n  «rows: [[1]]",
            "'rows' wants an answer, and scripted connections have no server",
        ),
        (
            f"{SCRIPTED}- «fault: server_killed",
            "server_killed needs a server, and scripted connections have no server",
        ),
        (
            f"{SCRIPTED}- «load: l\n  clients: 1\n  each: 1",
            "the load runs statements, and scripted connections have no server",
        ),
        (
            f"{SCRIPTED}- «reconnect: a",
            "'reconnect' connects to a server, and scripted connections have no server",
        ),
        (
            f"{PASS}\nsteps:\n- connect: stray\n- reconnect: «stray",
            "'stray' is not on loan: 'connect' opened it",
        ),
        (
            f"{DRIVER}- «fault: rollback_fails",
            "rollback_fails needs scripted connections, and the test has the driver's",
        ),
        (
            "connections: plain\nexpect:\n  calls: {connect: 1, «ping: 1}",
            "calls of ping are counted on scripted connections, and the test has plain ones",
        ),
        (
            f"{SCRIPTED}- transaction: t\n  «ends_with: lost\n  raises: error",
            "a block with 'raises' commits nothing",
        ),
    ],
)
def test_a_step_that_the_connections_cannot_do_is_an_error(
    text: str, message: str, wrong_test: WrongAt
) -> None:
    wrong_test(text, message)


def test_a_key_for_scripted_connections_is_refused_with_the_remedy(wrong_test: WrongAt) -> None:
    text = f"{DRIVER}- «fault: close_fails"
    message = "close_fails needs scripted connections, and the test has the driver's"
    assert wrong_test(text, message).hint == "add to the test: connections: scripted"


def test_a_commit_can_be_expected_to_fail(load_test: LoadTest) -> None:
    (step,) = load_test("steps:\n- transaction: t\n  ends_with: lost").steps
    assert isinstance(step, Transaction)
    assert step.ends_with is ErrorKind.LOST


def test_a_pool_without_listeners_has_no_events_to_expect(wrong_test: WrongAt) -> None:
    wrong_test(
        "«pool: {listener: none}\nsteps: [acquire: a]\nexpect: {events: {in_order: [checked_out]}}",
        "the pool has no listener, and 'events' in line 11 needs one",
    )


def test_a_pool_without_listener_needs_no_events(load_test: LoadTest) -> None:
    assert load_test(f"pool: {{listener: none}}\n{PASS}").needs == ()


def test_connects_are_counted_for_every_kind_of_connections(load_test: LoadTest) -> None:
    (check,) = load_test("expect: {calls: {connect: 1}}").expect.calls
    assert check[0] == "connect"
