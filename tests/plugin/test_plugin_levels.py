"""The outcome of a failed test depends on its level, and on whether the pool keeps all levels."""

from pathlib import Path

import pytest
from tests.plugin.runs import Run

from poolspec.invariants.defects import Defect, Finding
from poolspec.plugin.levels import broken_level
from poolspec.vocabulary import Level

ADAPTER = """\
from poolspec.adapters.steady import SteadypoolAdapter


class Choosy(SteadypoolAdapter):
    name = "choosy"
    keeps_all = False
"""
WRONG = "lab.expect_stats(acquired=5)  # step 1"
SHOULD, MAY = ', level="should"', ', level="may"'
SOFTENED = {SHOULD: "should_failed", MAY: "otherwise"}


@pytest.fixture
def choosy(tmp_path: Path) -> tuple[str, ...]:
    """The options of a run on a pool that need not keep all levels."""
    (tmp_path / "choosy.py").write_text(ADAPTER)
    return ("--pool", "choosy:Choosy", "-p", "no:randomly")


@pytest.mark.parametrize("form", ["threads", "asyncio"])
@pytest.mark.parametrize("options", SOFTENED)
def test_another_pool_that_fails_a_lower_level_leaves_the_run_green(
    run: Run, choosy: tuple[str, ...], options: str, form: str
) -> None:
    run.test(WRONG, options=options, arguments=choosy, form=form)
    assert run.code == 0, run.output
    found = run.result()
    assert found["outcome"] == SOFTENED[options]
    assert found["reason"].endswith("acquired: expected 5, was 0")
    assert f"1 {SOFTENED[options].replace('_', '-')}" in run.output.splitlines()[-1]


FEW_POINTS = (
    "def check(point):",
    "    with point:",
    "        pool.acquire()",
    "lab.interrupt_everywhere(check, at_least=1000)",
)


def test_another_pool_with_few_interruption_points_is_not_judged_by_them(
    run: Run, choosy: tuple[str, ...]
) -> None:
    run.test(*FEW_POINTS, arguments=choosy)
    assert run.code == 0, run.output
    found = run.result()
    assert found["outcome"] == "not_applicable"
    assert found["reason"].endswith("points, expected at least 1000")


def test_steadypool_with_few_interruption_points_fails(run: Run) -> None:
    run.test(*FEW_POINTS)
    assert run.result()["outcome"] == "failed"


@pytest.mark.parametrize("options", SOFTENED)
def test_steadypool_that_fails_a_lower_level_fails_the_run(run: Run, options: str) -> None:
    run.test(WRONG, options=options)
    assert run.code == 1
    assert run.result()["outcome"] == "failed"


def test_another_pool_that_fails_a_must_fails_the_run(run: Run, choosy: tuple[str, ...]) -> None:
    run.test(WRONG, arguments=choosy)
    assert run.code == 1
    assert run.result()["outcome"] == "failed"


@pytest.mark.parametrize(
    ("options", "least", "outcome"),
    [
        (SHOULD, "should", "failed"),
        (MAY, "may", "failed"),
        (MAY, "should", "otherwise"),
        (SHOULD, "must", "should_failed"),
    ],
)
def test_the_level_that_fails_the_run_can_be_chosen(
    run: Run, choosy: tuple[str, ...], options: str, least: str, outcome: str
) -> None:
    run.test(WRONG, options=options, arguments=(*choosy, "--fail-on", least))
    assert run.code == (1 if outcome == "failed" else 0)
    assert run.result()["outcome"] == outcome


def test_even_steadypool_may_be_held_to_musts_alone(run: Run) -> None:
    run.test(WRONG, options=MAY, arguments=("--fail-on", "must"))
    assert run.code == 0
    assert run.result()["outcome"] == "otherwise"


@pytest.mark.parametrize("options", SOFTENED)
def test_a_broken_invariant_is_a_failure_at_any_level(
    run: Run, choosy: tuple[str, ...], options: str
) -> None:
    run.test(
        "lab.kept = lab.context.server.connect(lab.context.tenant)  # the server counts it",
        options=options,
        arguments=choosy,
    )
    assert run.code == 1
    assert run.result()["outcome"] == "failed"
    assert "leak: the server counts" in run.output


@pytest.mark.parametrize("options", SOFTENED)
def test_a_test_that_hangs_is_a_failure_at_any_level(
    run: Run, choosy: tuple[str, ...], options: str
) -> None:
    run.test("threading.Event().wait()", options=f"{options}, deadline=1.0", arguments=choosy)
    assert run.code == 1
    assert run.result()["outcome"] == "failed"


@pytest.mark.parametrize("form", ["threads", "asyncio"])
def test_a_pool_may_refuse_a_second_release(run: Run, form: str) -> None:
    run.test(
        "a = pool.acquire()",
        "pool.release(a)",
        "pool.release(a, may_refuse=True)  # step 1",
        form=form,
    )
    assert run.code == 0, run.output


@pytest.mark.parametrize("form", ["threads", "asyncio"])
@pytest.mark.parametrize(("may_fail", "code"), [("QUERY", 0), ("LOST", 1)])
def test_a_statement_may_fail_in_the_way_that_its_spec_names(
    run: Run, may_fail: str, code: int, form: str
) -> None:
    wait = "await " if form == "asyncio" else ""
    run.test(
        "a = pool.acquire()",
        f"with lab.may_fail(ErrorKind.{may_fail}):  # step 1",
        f"    {wait}a.query('SELECT nonsense')",
        form=form,
    )
    assert run.code == code, run.output


LEAK, STARVATION, BLOCKING = (
    Finding(defect, "shown by two events")
    for defect in (Defect.LEAK, Defect.STARVATION, Defect.HEAD_OF_LINE_BLOCKING)
)


@pytest.mark.parametrize(
    ("test", "findings", "at_the_end", "level"),
    [
        (Level.MUST, [STARVATION], True, Level.SHOULD),
        (Level.MUST, [BLOCKING], True, Level.SHOULD),
        (Level.MUST, [BLOCKING, LEAK], True, Level.MUST),
        (Level.MUST, [], True, Level.MUST),
        (Level.MUST, [BLOCKING], False, Level.MUST),
        (Level.SHOULD, [STARVATION], False, Level.SHOULD),
        (Level.MAY, [STARVATION], False, Level.SHOULD),
        (Level.MAY, [LEAK], False, Level.MUST),
        (Level.MAY, [], False, Level.MAY),
    ],
)
def test_a_failure_breaks_the_most_binding_level_of_its_test_and_its_findings(
    test: Level, findings: list[Finding], at_the_end: bool, level: Level
) -> None:
    assert broken_level(test, AssertionError("wrong"), findings, at_the_end) is level


@pytest.mark.parametrize(("word", "chosen"), [("may", 1), ("should", 0)])
def test_a_choice_can_be_chosen_by_its_mark(run: Run, word: str, chosen: int) -> None:
    run.test("pool.release(pool.acquire())", options=MAY, arguments=("-m", word))
    assert ("1 passed" if chosen else "1 deselected") in run.output
