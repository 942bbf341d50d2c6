"""A failed test is shown at its own line, with the step of its spec, the events and the state."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.plugin.runs import Run


def test_a_failure_shows_the_line_of_the_spec_and_the_events(run: Run) -> None:
    run.test("a = pool.acquire()  # step 1", "lab.expect_stats(", "    acquired=2,", ")  # step 2")
    assert run.code == 1
    assert "specs/mine.yaml:11: - start:\n    first:\n      - release: a\n" in run.output
    assert "checked_out" in run.output
    assert "acquired: expected 2, was 1" in run.result()["reason"]


def test_a_failure_is_shown_where_the_test_failed_not_inside_the_lab(run: Run) -> None:
    run.test("lab.expect_stats(acquired=2)  # step 2")
    assert "test_mine.py" in run.output
    assert "lab.py" not in run.output


def test_a_failure_of_a_block_is_shown_where_the_block_begins(run: Run) -> None:
    run.test("with lab.took(3.0):  # step 2", "    lab.advance(1.0)")
    assert "took: expected 3.0, was 1.0" in run.output
    assert "contextlib.py" not in run.output
    assert "advance  1 s" in run.output


FORMS = pytest.mark.parametrize("form", ["threads", "asyncio"])
"""Of a test in either form."""


@FORMS
def test_a_test_whose_steps_pass_is_still_checked_for_the_invariants(run: Run, form: str) -> None:
    run.test(
        "a = pool.acquire()  # step 1", "lab.context.pools.meant()._loans._held.clear()", form=form
    )
    assert run.code == 1
    assert "leak: 1 acquired, 0 released" in run.output


@FORMS
def test_each_pool_of_a_test_is_checked_for_the_invariants(run: Run, form: str) -> None:
    run.test(
        "pool = lab.make_pool(size=1, max_overflow=0, timeout=1.0)  # step 1",
        "pool.acquire()  # step 2",
        "lab.expect_stats(in_use=1, of=pool)",
        "lab.expect_stats(in_use=0)",
        "pool._loans._held.clear()",
        form=form,
    )
    assert run.code == 1
    assert "leak: 1 acquired, 0 released" in run.output


@FORMS
@pytest.mark.parametrize(
    ("line", "seen"),
    [
        ("lab.expect_stats(in_use=1)", "in_use: expected 1, was 0"),
        ("lab.expect_server(connections=1)", "connections at the server: expected 1, was 2"),
        ("lab.expect_server(connections=2, of=pool)", "expected 2, was 1"),
        ("lab.expect_server(peak=1)", "most connections at once: expected 1, was 2"),
        ("lab.expect_server(peak=2, of=pool)", "most connections at once: expected 2, was 1"),
    ],
)
def test_an_expectation_is_about_the_pool_that_it_names(
    run: Run, form: str, line: str, seen: str
) -> None:
    run.test(
        "pool = lab.make_pool(size=1, max_overflow=0, timeout=1.0)  # step 1",
        "pool.acquire()  # step 2",
        line,
        form=form,
    )
    assert run.code == 1
    assert seen in run.output


@FORMS
@pytest.mark.parametrize(
    "lines",
    [
        ("lab.expect_stats(acquired=2)  # step 2",),
        ("lab.expect_server(connections=7)  # step 2",),
        ("with lab.took(3.0):  # step 2", "    lab.advance(1.0)"),
        (
            "with lab.within(0.1):  # step 2",
            "    lab.expect_stats(in_use=7)",
        ),
        ("with lab.fails(ErrorKind.TIMEOUT):  # step 2", "    lab.advance(1.0)"),
        ("pool.acquire()  # step 1", "lab.context.pools.meant()._loans._held.clear()"),
    ],
)
def test_a_failure_ends_at_a_line_of_the_test(run: Run, form: str, lines: tuple[str, ...]) -> None:
    run.test(*lines, form=form)
    assert run.code == 1
    failures = run.output.partition("= FAILURES =")[2].partition("- spec -")[0]
    places = re.findall(r"^(\S+\.py):\d+: ", failures, re.MULTILINE)
    assert places
    assert set(places) == {"test_mine.py"}


@FORMS
def test_a_wrong_count_at_the_server_fails_a_within_block_before_the_deadline(
    run: Run, form: str
) -> None:
    run.test("with lab.within(0.3):  # step 2", "    lab.expect_server(connections=7)", form=form)
    assert "connections at the server: expected 7, was 1" in run.output
    assert "of real time" not in run.output


def test_the_properties_of_a_test_in_junit_are_json(run: Run, tmp_path: Path) -> None:
    arguments = ("--junitxml", "junit.xml")
    run.test("lab.expect_stats(acquired=2)  # step 2", arguments=arguments, server="embedded")
    found = ElementTree.parse(tmp_path / "junit.xml").iter("property")
    properties = {one.attrib["name"]: json.loads(one.attrib["value"]) for one in found}
    assert properties["poolspec_test"]["id"] == "mine.it"
    assert properties["poolspec_server"]["kind"] == "embedded"


@FORMS
def test_a_failed_expectation_of_health_shows_the_reasons_of_the_pool(run: Run, form: str) -> None:
    run.test(
        "pool.close()  # step 1",
        'lab.expect_health("healthy")  # step 2',
        form=form,
    )
    assert run.code == 1
    assert "health: expected healthy, was unhealthy: " in run.result()["reason"]
    assert "the pool is closed" in run.result()["reason"]


@FORMS
def test_a_failed_test_is_also_checked_for_the_invariants(run: Run, form: str) -> None:
    run.test(
        "a = pool.acquire()  # step 1",
        "lab.context.pools.meant()._loans._held.clear()",
        "lab.expect_stats(timeouts=2)  # step 2",
        form=form,
    )
    reason = run.result()["reason"]
    assert reason.startswith("leak: 1 acquired, 0 released; and AssertionError: timeouts: expected")
    assert run.result()["findings"][0] == "leak: 1 acquired, 0 released"
    section = run.output.partition("- broken invariants -")[2].partition("- spec -")[0]
    assert "leak: 1 acquired, 0 released\n" in section


@FORMS
def test_what_a_failed_test_has_not_released_is_no_finding(run: Run, form: str) -> None:
    run.test("a = pool.acquire()  # step 1", "lab.expect_stats(timeouts=2)  # step 2", form=form)
    assert run.result()["reason"] == "timeouts: expected 2, was 0"
    assert run.result()["findings"] == []
    assert "broken invariants" not in run.output


def test_an_actor_that_waits_for_what_the_failed_test_holds_is_no_finding(run: Run) -> None:
    run.test(
        "a = pool.acquire()  # step 1",
        "lab.start(actor(lambda: pool.release(pool.acquire()), name='first'))",
        "lab.wait_until_waiting('first')",
        "lab.expect_stats(timeouts=2)  # step 2",
    )
    assert run.result()["findings"] == []
