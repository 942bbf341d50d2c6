"""Steps and loads of a web application, and the errors in them."""

from collections.abc import Callable

import pytest
from tests.suites import equal

from poolspec.errors import Problem
from poolspec.model import SpecClass, SpecTest
from poolspec.spec.values import Check
from poolspec.steps.load import Load
from poolspec.steps.web import Request
from poolspec.vocabulary import Capability, CheckOp

LoadText = Callable[[str], SpecClass]
LoadTest = Callable[[str], SpecTest]
WrongAt = Callable[[str, str], Problem]

OK = equal(200)
PASS = "\nexpect: {server: {peak: 1}}"
APP = "web_app: shop\n"


def test_a_request_holds_the_demands_on_its_answer(load_test: LoadTest) -> None:
    test = load_test(f"{APP}steps: [{{request: GET /a/b?c=d, status: 200..299, took: <= 1s}}]")
    status = Check(CheckOp.BETWEEN, 200, 299)
    took = Check(CheckOp.AT_MOST, 1.0)
    assert test.steps == (Request(10, "GET /a/b?c=d", status, took),)
    assert (test.web_app, test.needs) == ("shop", (Capability.WEB_APP,))


def test_an_answer_has_headers_and_values(load_test: LoadTest) -> None:
    answer = '{headers: {Retry-After: "1"}, json: {count: 2, ok: true, name: x, gone: null}}'
    test = load_test(f"{APP}steps: [{{request: POST /, status: 200, {answer[1:-1]}}}]")
    (step,) = test.steps
    assert isinstance(step, Request)
    assert step.headers == (("Retry-After", "1"),)
    assert step.json == (("count", 2), ("ok", True), ("name", "x"), ("gone", None))


def test_a_load_of_requests(load_test: LoadTest) -> None:
    test = load_test(f"{APP}steps: [{{load: l, clients: 2, requests: {{GET /: 3}}}}]{PASS}")
    assert test.steps == (Load(10, "l", 2, mix=(), requests=(("GET /", 3),)),)


def test_a_class_may_name_the_application_of_its_tests(load_text: LoadText) -> None:
    head = f"spec: 1\nclass: C\npurpose: p\nneeds: [events]\n{APP}tests:\n"
    step = "{request: GET /, status: 200}"
    of_class = f"  one: {{purpose: p, validates: v, covers: [], steps: [{step}]}}\n"
    own = f"  two: {{purpose: p, validates: v, covers: [], web_app: own, steps: [{step}]}}\n"
    one, two = load_text(head + of_class + own).tests
    assert (one.web_app, two.web_app) == ("shop", "own")
    assert one.needs == (Capability.EVENTS, Capability.WEB_APP)


LINE = "expected a request such as 'GET /visits'"
WRONG: dict[str, tuple[str, str]] = {
    "a request without an application": (
        "steps:\n  - «request: GET /\n    status: 200",
        "the test has no web application to ask",
    ),
    "a load of requests without an application": (
        f"steps:\n  - «load: l\n    clients: 2\n    requests: {{GET /: 1}}{PASS}",
        "the test has no web application to ask",
    ),
    "a path alone": (f"{APP}steps:\n  - request: «/\n    status: 200", LINE),
    "another method": (f"{APP}steps:\n  - request: «TRACE /\n    status: 200", LINE),
    "an address": (f"{APP}steps:\n  - request: «GET http://a/\n    status: 200", LINE),
    "a space in a path": (f"{APP}steps:\n  - request: «GET / X\n    status: 200", LINE),
    "no status": (
        f"{APP}steps:\n  - «request: GET /",
        "the step request needs the key 'status'",
    ),
    "no status of HTTP": (
        f"{APP}steps:\n  - request: GET /\n    status: «42",
        "42 is out of bounds: from 100 to 599",
    ),
    "a header with a colon": (
        f'{APP}steps:\n  - request: GET /\n    status: 200\n    headers: {{«"A:": b}}',
        "'A:' cannot be a header's name",
    ),
    "a list of values": (
        f"{APP}steps:\n  - request: GET /\n    status: 200\n    json: {{a: «[1]}}",
        "expected a single value, found a list",
    ),
    "operations beside requests": (
        f"{APP}steps:\n  - load: l\n    clients: 2\n    requests: {{GET /: 1}}\n    «each: 2{PASS}",
        "'requests' and 'each' are mutually exclusive",
    ),
    "a runner of requests": (
        f"{APP}steps:\n  - load: l\n    clients: 2\n    requests: {{GET /: 1}}\n"
        f"    «runner: executor{PASS}",
        "'requests' and 'runner' are mutually exclusive",
    ),
    "a body of a GET request": (
        "web_app: shop\nsteps:\n- request: GET /\n  status: 200\n"
        f"  send: {{«json: {{a: 1}}}}{PASS}",
        "a GET request has no body",
    ),
    "two bodies": (
        "web_app: shop\nsteps:\n- request: POST /\n  status: 200\n"
        f"  send: {{json: {{a: 1}}, «text: a}}{PASS}",
        "'json' and 'text' are mutually exclusive",
    ),
    "a request that sends nothing": (
        f"web_app: shop\nsteps:\n- request: POST /\n  status: 200\n  send: «{{}}{PASS}",
        "nothing is sent",
    ),
    "a header that the lab sends": (
        "web_app: shop\nsteps:\n- request: POST /\n  status: 200\n"
        f'  send: {{headers: {{«Content-Length: "1"}}}}{PASS}',
        "'Content-Length' cannot be a header of a request",
    ),
    "a header that is not ASCII": (
        "web_app: shop\nsteps:\n- request: POST /\n  status: 200\n"
        f"  send: {{headers: {{X-A: «ä}}}}{PASS}",
        "a header has printable ASCII characters only",
    ),
    "a path for a name": (
        f"web_app: «../shop\nsteps: [acquire: a]{PASS}",
        "'../shop' cannot be a web application's name",
    ),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_each_fault_of_a_web_test_is_reported(text: str, message: str, wrong_test: WrongAt) -> None:
    wrong_test(text, message)
