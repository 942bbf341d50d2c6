"""Coverage pages, without results and with them."""

import json
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest
from tests.suites import a_class, a_suite, a_test, every_step, limit_test, pages

from poolspec.expectations.registry import Expectations
from poolspec.headers import Origin, origin
from poolspec.model import Suite, Table
from poolspec.rendering.render import render_module
from poolspec.report.index import INDEX, render_index
from poolspec.report.results import Results, ResultsError, parse_results
from poolspec.spec.values import Check, Step, numbered
from poolspec.steps.actors import Actor, Cancel, Start
from poolspec.steps.blocks import Transaction, With
from poolspec.steps.borrow import Acquire, Release
from poolspec.steps.expect import Expect
from poolspec.steps.faults import Heal, Inject
from poolspec.steps.pool import Close, Resize
from poolspec.steps.query import Query
from poolspec.vocabulary import CheckOp, Concurrency, Connections, ErrorKind, Fault, HealthWord
from poolspec.vocabulary.outcomes import LOAD_FIGURES, REAL_PARTS, Outcome

PAGE = PurePosixPath("limits.md")
PLANNED = "server, socket, pool's driver; virtual clock"
REAL = {"server": "mariadb", "socket": "unix", "driver": "steadypool", "clock": "virtual"}
LATE = Check(CheckOp.AT_MOST, 1.0)


def results(*tests: dict[str, object]) -> Results:
    return parse_results(results_text(tests=list(tests)))


def results_text(**changes: object) -> str:
    server = {"kind": "mariadb", "description": "MariaDB 10.11, private instance", "version": "10"}
    whole = {"schema": 1, "server": server, "pool": "steadypool", "seconds": 2.31, "tests": []}
    return json.dumps({**whole, **changes})


def result(outcome: str = "passed", **changes: object) -> dict[str, object]:
    base = {"id": "limits.pool_size_limit", "case": "", "seconds": 0.012, "reason": ""}
    return {**base, "outcome": outcome, **changes}


def page(found: Results | None = None) -> str:
    return pages(a_suite(a_class(limit_test(), every_step())), found)[PAGE]


def index(found: Results | None = None) -> str:
    return pages(a_suite(), found)[INDEX]


def test_there_is_an_index_and_a_page_for_each_class() -> None:
    suite = a_suite(a_class(), a_class(stem="basics", name="Basics"))
    assert list(pages(suite)) == [INDEX, PAGE, PurePosixPath("basics.md")]


def test_pages_carry_our_header() -> None:
    assert {origin(text) for text in pages(a_suite()).values()} == {Origin.OURS}


def test_pages_without_results_are_the_same_each_time() -> None:
    assert pages(a_suite()) == pages(a_suite())


def test_a_requirement_names_the_tests_that_prove_it() -> None:
    link = "[limits.pool_size_limit](limits.md#pool_size_limit)"
    assert f"| A06 | ConnectionPoolLimits | the next blocks | {link} |" in index()


def test_a_requirement_without_a_test_is_marked() -> None:
    assert "| B02 | exhaustion | queues in order | **no test** |" in index()


def test_a_section_counts_its_proven_requirements() -> None:
    assert "| A. The contract | 1 of 2 | A07 |\n| B. Resilience | 0 of 1 | B02 |\n" in index()


def test_a_requirement_names_the_hand_written_tests_that_prove_it() -> None:
    suite = a_suite()
    *others, last = suite.requirements
    proven = replace(last, proven_by=("tests/test_a.py::test_one", "tests/test_a.py::test_two"))
    shown = pages(replace(suite, requirements=(*others, proven)))[INDEX]
    proofs = "`tests/test_a.py::test_one`, `tests/test_a.py::test_two`"
    assert f"| B02 | exhaustion | queues in order | {proofs} |" in shown
    assert "| B. Resilience | 1 of 1 | – |\n" in shown
    assert "2 of 3 requirements proven" in shown
    assert "`pytest PATH` runs it, `poolspec run` does not." in shown
    assert "pytest PATH" not in index()


def test_a_section_that_is_proven_lacks_nothing() -> None:
    suite = a_suite(a_class(a_test(covers=("A06", "A07", "B02"))))
    assert (
        "| A. The contract | 2 of 2 | – |\n| B. Resilience | 1 of 1 | – |\n" in pages(suite)[INDEX]
    )


def test_the_index_has_the_totals() -> None:
    assert "\n1 class, 1 test, 1 of 3 requirements proven.\n" in index()


def test_without_requirements_the_index_explains_how_to_list_them() -> None:
    index = render_index(Suite(classes=(a_class(),), requirements=()))
    assert "1 class, 1 test.\n" in index
    assert "None are listed. A file with `requirements` among the specs lists them" in index


def test_the_index_counts_tests_by_layer() -> None:
    assert "| `integration` | 1 | `pytest -m integration` |" in index()


@pytest.mark.parametrize(
    ("class_name", "test_name", "anchor"),
    [
        ("Limits", "sizes", "sizes"),
        ("Limits", "tests", "tests-1"),
        ("Limits", "limits", "limits-1"),
        ("Tests", "tests", "tests-2"),
    ],
)
def test_a_test_links_to_its_own_scenario_even_if_another_heading_has_its_name(
    class_name: str, test_name: str, anchor: str
) -> None:
    spec = replace(a_class(replace(a_test(), name=test_name)), name=class_name)
    assert f"[{test_name}](#{anchor})" in pages(a_suite(spec))[PAGE]


def test_a_page_lists_its_tests() -> None:
    row = (
        "| [pool_size_limit](#pool_size_limit) | Pool respects its maximum size "
        "| The next acquire blocks until it times out | A06 | integration | must "
        f"| {PLANNED} | threads |\n"
    )
    assert row in page()


def test_a_page_describes_each_test_in_plain_words() -> None:
    assert page().count("\n### ") == 2
    assert (
        "- Make a pool with `size` 2, `max_overflow` 0, `timeout` 1 s.\n"
        "- **1** Acquire `a`, `b`.\n"
        "- **2** Acquire `c`; this must fail with `timeout` and take 1 s ± 5 %.\n"
        "- **3** Release `a`, `b`.\n"
        "- At the end:\n"
        "  - the pool's statistics: `acquired` = 2, `timeouts` = 1\n"
    ) in page()


TOLD: list[tuple[Step, str]] = [
    (
        Acquire(1, ("a",), fails=ErrorKind.EXHAUSTED, says=("full", "2"), took=LATE),
        "Acquire `a`; this must fail with `exhausted`, saying `full`, `2`, and take ≤ 1 s.",
    ),
    (
        With(1, "a", fails=ErrorKind.CLOSED, says=("shut",)),
        "Enter a `with` block that borrows `a`; this must fail with `closed`, saying `shut`.",
    ),
    (Release(1, ("a",), may_refuse=True), "Release `a` (the pool may refuse)."),
    (
        Query(1, "SELECT 1", "a", may_fail=ErrorKind.LOST),
        "On `a`, run `SELECT 1`; this may fail with `lost`.",
    ),
    (Transaction(1, "a"), "Enter and leave a transaction that borrows `a`."),
    (Resize(1, 3, 0), "Resize the pool to `size` 3, `max_overflow` 0."),
    (Close(1, 5.0), "Close the pool, waiting up to 5 s for connections on loan."),
    (Cancel(1, "first"), "Cancel `first`."),
    (Inject(1, Fault.CONNECTION_KILLED, on=("a",)), "At the server, kill `a`."),
    (Inject(1, Fault.CONNECT_REFUSED, times=3), "Refuse new connections, 3 times."),
    (Inject(1, Fault.CONNECT_SLOW, seconds=2.0), "Let each new connection take 2 s, until healed."),
    (Inject(1, Fault.CONNECT_INTERRUPTED, times=1), "Interrupt new connections, 1 times."),
    (Inject(1, Fault.ROLLBACK_FAILS, times=1), "Let rollbacks fail, 1 times."),
    (
        Inject(1, Fault.PING_FAILS, times=1, after=2),
        "Let pings fail, 1 times, after 2 that succeed.",
    ),
    (Inject(1, Fault.LISTENER_INTERRUPTED), "Interrupt calls of the listener, until healed."),
    (Inject(1, Fault.ROLLBACK_HANGS), "Let rollbacks hang, until healed."),
    (Inject(1, Fault.CLOSE_SLOW, seconds=2.0), "Let closes take 2 s, until healed."),
    (Inject(1, Fault.SERVER_PAUSED, lasts=30.0), "Pause the server: it answers nothing, for 30 s."),
    (Inject(1, Fault.CONNECT_REFUSED, lasts=2.0), "Refuse new connections, for 2 s."),
    (Heal(1, Fault.SERVER_KILLED), "Start the server again."),
    (Heal(1, Fault.PING_FAILS), "Let pings succeed again."),
    (
        Transaction(1, "a", ends_with=ErrorKind.LOST),
        "In a transaction that borrows `a`:\n  - Commit; this must fail with `lost`.",
    ),
    (
        Expect(1, Expectations(calls=(("ping", Check(CheckOp.EQUAL, 0)),))),
        "Check:\n  - calls of connections: `ping` = 0",
    ),
    (
        Expect(1, Expectations(health=HealthWord.HEALTHY), 5.0),
        "Check that within 5 s:\n  - the pool reports that it is `healthy`",
    ),
]


@pytest.mark.parametrize(("step", "words"), TOLD, ids=[words for _, words in TOLD])
def test_a_step_is_described_in_plain_words(step: Step, words: str) -> None:
    suite = a_suite(a_class(a_test(steps=(step,))))
    assert f"\n- **1** {words}\n" in pages(suite)[PAGE]


def test_a_share_among_the_options_is_no_time() -> None:
    test = replace(a_test(), pool=(("recycle_jitter", 0.1), ("max_idle_time", 60.0)))
    said = "Make a pool with `recycle_jitter` 0.1, `max_idle_time` 60 s."
    assert said in pages(a_suite(a_class(test)))[PAGE]


def test_a_page_names_the_tables_of_a_test() -> None:
    test = a_test(tables=(Table("orders", "CREATE TABLE `orders` (`id` INT)"),))
    assert "- Make the tables `orders`.\n- Make a pool" in pages(a_suite(a_class(test)))[PAGE]


@pytest.mark.parametrize("concurrency", Concurrency)
def test_the_numbers_of_a_page_are_those_of_the_module(concurrency: Concurrency) -> None:
    spec = a_class(every_step((concurrency,)))
    listed = re.findall(r"^ *- \*\*([0-9.]+)\*\* ", pages(a_suite(spec))[PAGE], re.MULTILINE)
    assert listed == [number for number, _ in numbered(spec.tests[0].steps)]
    assert "22.3.1" in listed
    text = render_module(spec, concurrency)
    assert {*re.findall(r"  # step ([0-9.]+)$", text, re.MULTILINE)} == {*listed}


def test_a_step_has_the_same_number_on_the_page_and_in_the_module() -> None:
    actor = Actor("helper", (Release(3, ("a",)), With(4, "b", (Query(5, "SELECT 7", "b"),))))
    spec = a_class(a_test(steps=(Acquire(1, ("a",)), Start(2, (actor,)), Resize(6, 3, 0))))
    assert (
        "- **1** Acquire `a`.\n"
        "- **2** Start at the same moment:\n"
        "  - `helper`:\n"
        "    - **2.1** Release `a`.\n"
        "    - **2.2** In a `with` block that borrows `b`:\n"
        "      - **2.2.1** On `b`, run `SELECT 7`.\n"
        "- **3** Resize the pool to `size` 3, `max_overflow` 0.\n"
    ) in pages(a_suite(spec))[PAGE]
    text = render_module(spec, Concurrency.THREADS)
    assert "a = pool.acquire()  # step 1\n" in text
    assert "pool.release(a)  # step 2.1\n" in text
    assert "with pool as b:  # step 2.2\n" in text
    assert "b.query('SELECT 7')  # step 2.2.1\n" in text
    assert "lab.start(helper)  # step 2\n" in text
    assert "pool.resize(size=3, max_overflow=0)  # step 3\n" in text


@pytest.mark.parametrize(
    ("modes", "files"),
    [
        ((Concurrency.THREADS,), "generated_tests/test_limits.py"),
        ((Concurrency.ASYNCIO,), "generated_tests/test_limits_asyncio.py"),
        (
            tuple(Concurrency),
            "generated_tests/test_limits.py generated_tests/test_limits_asyncio.py",
        ),
    ],
)
def test_a_page_shows_how_to_run_its_tests(modes: tuple[Concurrency, ...], files: str) -> None:
    text = pages(a_suite(a_class(limit_test(concurrency=modes))))[PAGE]
    assert f"```sh\npytest {files}\npytest {files} -k pool_size_limit\n```\n" in text


def test_a_test_without_words_leaves_its_cells_empty() -> None:
    suite = a_suite(a_class(a_test(purpose="", validates="", covers=())))
    assert "(#pool_size_limit) | – | – | – | integration |" in pages(suite)[PAGE]


def test_a_page_with_results_names_the_server_and_the_pool() -> None:
    said = "Last run: pool steadypool, on MariaDB 10.11, private instance, 2.3 s."
    assert said in page(results())
    assert said in index(results())


def test_a_page_with_partial_results_says_so_in_one_paragraph() -> None:
    found = parse_results(
        results_text(partial="stopped after 1 of 2 tests: no room\nThe test: a*b")
    )
    said = (
        "**These results are partial.** The run was stopped after 1 of 2 tests: no room The test: "
        "a\\*b.\n"
    )
    assert said in page(found)
    assert said in index(found)
    assert "partial" not in index(results())


def test_a_page_with_results_names_the_tests_that_were_run_again() -> None:
    why = "The private mariadb server, process 1, ended."
    found = results(result(run_again=why), result(run_again=why, concurrency="asyncio"))
    assert index(found).count(f"limits.pool_size_limit was run again. {why}\n") == 1


def test_a_page_with_results_shows_outcome_and_time() -> None:
    assert "| – | threads | ✅ passed | 12 ms |" in page(results(result()))


def test_a_test_that_was_not_run_is_shown_as_such() -> None:
    assert "| – | threads | not run | – |" in page(results(result()))


def test_a_reason_is_shown() -> None:
    found = results(result("not_applicable", reason="needs overflow | <b>"))
    assert "➖ not applicable: needs overflow \\| &lt;b&gt; |" in page(found)


BOTH = a_suite(a_class(limit_test(concurrency=tuple(Concurrency))))


def test_two_modes_with_one_outcome_share_a_cell() -> None:
    found = results(result(), result(concurrency="asyncio", seconds=0.02))
    assert "| – | threads, asyncio | ✅ passed | 12 ms, 20 ms |" in pages(BOTH, found)[PAGE]


def test_two_modes_with_different_outcomes_are_named() -> None:
    found = results(result(), result("failed", concurrency="asyncio", reason="late"))
    said = "| threads ✅ passed, asyncio ❌ must-failed: late | 12 ms, 12 ms |"
    assert said in pages(BOTH, found)[PAGE]


def test_a_test_of_two_modes_counts_once_and_its_results_twice() -> None:
    found = results(result(), result("failed", concurrency="asyncio"))
    assert "| 1 | 1 | 1 | 0 | 0 | 0 | 0 | 0.02 s |" in pages(BOTH, found)[INDEX]


def test_a_page_with_results_shows_how_real_a_test_was() -> None:
    seen = "| MariaDB, unix socket, steadypool; virtual clock | threads |"
    assert seen in page(results(result(real=REAL)))


def test_a_test_that_did_not_run_has_no_grade() -> None:
    assert "| – | threads | ➖ not applicable |" in page(results(result("not_applicable")))


def test_modes_with_different_grades_are_named() -> None:
    other = {"server": "none", "socket": "none", "driver": "scripted", "clock": "real"}
    found = results(result(real=REAL), result(concurrency="asyncio", real=other))
    assert (
        "virtual clock or no server, no socket, scripted connections; real clock |"
        in (pages(BOTH, found)[PAGE])
    )


@pytest.mark.parametrize(
    ("connections", "words"),
    [
        (Connections.PLAIN, "server, socket, plain driver; virtual clock"),
        (Connections.SCRIPTED, "scripted connections; virtual clock"),
        (Connections.MINIMAL, "minimal scripted connections; virtual clock"),
    ],
)
def test_a_page_without_results_shows_the_grade_of_the_spec(
    connections: Connections, words: str
) -> None:
    suite = a_suite(a_class(a_test(connections=connections)))
    assert f"| {words} | threads |" in pages(suite)[PAGE]
    assert f"| {words} | 1 |" in pages(suite)[INDEX]


def test_the_index_counts_tests_by_how_real_they_were() -> None:
    assert f"| how real | tests by concurrency |\n| --- | --- |\n| {PLANNED} | 1 |" in index()
    assert "| MariaDB, unix socket, steadypool; virtual clock | 1 |" in (
        index(results(result(real=REAL)))
    )


def test_the_index_tallies_the_results_of_a_class() -> None:
    shown = index(results(result("failed"), result("otherwise", id="limits.other")))
    assert (
        "| tests | ✅ passed | ❌ must-failed | ❌ errored | ⚠️ should-failed "
        "| 🔀 does it otherwise | ➖ not applicable | time |"
    ) in shown
    assert "| 1 | 0 | 1 | 0 | 0 | 0 | 0 | 0.01 s |" in shown
    assert "| total |  |  | 0 | 1 | 0 | 0 | 1 | 0 | 0.02 s |" in shown


def test_the_index_leads_with_the_faults_and_their_tests() -> None:
    leak = ["leak: 2 sockets are open", "leak: 1 thread is left", "wrong count: 1, not 2"]
    found = results(
        result("failed", findings=leak),
        result("failed", id="limits.other", findings=leak[:1]),
        result("otherwise", id="limits.third", reason="closed: expected 0, was 1"),
    )
    shown = index(found)
    assert (
        "| ❌ must-failed | leak | limits.pool_size_limit (threads), limits.other (threads) |"
        in (shown)
    )
    assert "| ❌ must-failed | wrong count | limits.pool_size_limit (threads) |" in shown
    assert "| 🔀 does it otherwise | closed: expected 0, was 1 | limits.third (threads) |" in shown
    assert shown.index("## Faults") < shown.index("## Classes")
    assert "## Faults" not in index(results(result()))


def test_the_index_lists_every_reason_why_tests_do_not_apply() -> None:
    found = results(
        result("not_applicable", reason="not applicable: needs prefill"),
        result("not_applicable", id="a.b", reason="not applicable: needs hooks, prefill"),
        result("not_applicable", id="a.c", reason="not applicable: 2 points, expected 4"),
    )
    rows = "| `prefill` | 2 | 1 |\n| `2 points, expected 4` | 1 | 1 |\n| `hooks` | 1 | 0 |\n"
    assert rows in index(found)


def test_a_concurrency_that_the_pool_has_not_is_left_out() -> None:
    assert "| ✅ passed | 12 ms |" in pages(BOTH, results(result()))[PAGE]


def test_cases_of_a_matrix_count_as_one_test_with_the_gravest_outcome() -> None:
    cases = (result("passed", case="1"), result("failed", case="2"), result("passed", case="3"))
    verdict = results(*cases).verdicts["limits.pool_size_limit", Concurrency.THREADS]
    assert (verdict.outcome, round(verdict.seconds, 3)) == (Outcome.FAILED, 0.036)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not JSON"),
        ("[]", "the file: expected a mapping, found a list"),
        (results_text(schema=2), "schema is 2, expected 1"),
        (results_text(server=None), "server: expected a mapping, found nothing"),
        (results_text(tests={}), "tests: expected a list, found a mapping"),
        (results_text(seconds="2"), "seconds: expected a number, found the text '2'"),
        (results_text(tests=[{"id": "a.b"}]), r"tests\[0\]: the key 'outcome' is missing"),
        (results_text(tests=[result(id=1)]), r"tests\[0\]\.id: expected a text, found 1"),
        (
            results_text(tests=[result("fine")]),
            r"tests\[0\]\.outcome: the text 'fine' is none of .*passed",
        ),
        (
            results_text(tests=[result(concurrency="fish")]),
            r"tests\[0\]\.concurrency: the text 'fish' is none of threads",
        ),
        (
            results_text(tests=[result(real=[1])]),
            r"tests\[0\]\.real: expected a mapping, found a list",
        ),
        (
            results_text(tests=[result(real={"server": "mariadb"})]),
            r"tests\[0\]\.real: the key 'socket' is missing",
        ),
        (
            results_text(tests=[result(real={**dict.fromkeys(REAL_PARTS, "x"), "server": 1})]),
            r"real\.server: expected a text, found 1",
        ),
        (
            results_text(tests=[result(seconds=True)]),
            r"tests\[0\]\.seconds: expected a number, found true",
        ),
    ],
)
def test_an_invalid_results_file_is_refused_with_the_place(text: str, complaint: str) -> None:
    with pytest.raises(ResultsError, match=complaint):
        parse_results(text)


LOAD: dict[str, Any] = dict(
    zip(LOAD_FIGURES, (2500, 1249.6, 0.01234, 0.01, 0.02, 0.03, 0.04, 0.05, 1.5), strict=True)
)


def test_loads_of_a_run_are_shown_with_their_figures_case_by_case() -> None:
    load = {**LOAD, "load": "traffic", "failed": 3}
    text = page(results(result(case="10", loads=[load]), result(case="25", concurrency="asyncio")))
    row = (
        "| traffic | 2,500 | 3 | 1,250 | 12.3 ms | 10.0 ms | 20.0 ms | 30.0 ms | 40.0 ms | 50.0 ms "
        "| 1,500.0 ms |"
    )
    assert f"| pool_size_limit\\[10\\] | threads {row}" in text
    assert text.count("pool_size_limit\\[") == 1


def test_each_kind_of_operation_of_a_load_has_its_row() -> None:
    failed = {"operations": 0, "failed": 2, "throughput": 0}
    read = {**LOAD, "failed": 0}
    load = {**LOAD, "load": "traffic", "kinds": {"read": read, "write": failed}}
    text = page(results(result(loads=[load])))
    assert "| traffic: read | 2,500 | 0 | 1,250 | 12.3 ms |" in text
    assert "| traffic: write | 0 | 2 | 0 |  |" in text


def test_without_loads_the_page_has_no_section_of_loads() -> None:
    assert "Loads" not in page(results(result()))
    assert "Loads" not in page()


@pytest.mark.parametrize("loads", [7, [7], [{**LOAD, "p99": "slow"}], [{"operations": 1}]])
def test_loads_that_a_run_does_not_write_are_refused(loads: object) -> None:
    with pytest.raises(ResultsError, match=r"tests\[0\]\.loads"):
        results(result(loads=loads))
