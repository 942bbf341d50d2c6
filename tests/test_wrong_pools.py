"""Each wrong pool fails the test about its fault; a sound pool built the same way passes it."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from tests.forked_runs import ForkedRuns, modules_of
from tests.wrong_pools import SOUND, WRONG, WrongPool
from tests.wrong_pools.named import named

from poolspec.vocabulary import Concurrency, Defect

MISTAKES = ("AttributeError", "NameError", "TypeError")
"""Errors that a mistake in a wrong pool would raise; a pool must be wrong in no other way."""


@pytest.fixture
def outcomes(forked_runs: ForkedRuns, tmp_path: Path, pytestconfig: pytest.Config) -> "Outcomes":
    return Outcomes(forked_runs, tmp_path, pytestconfig.getoption("--server"))


class Outcomes:
    """Runs generated tests on wrong pools."""

    def __init__(self, runs: ForkedRuns, folder: Path, server: str) -> None:
        self._runs = runs
        self._folder = folder
        self._server = server

    def of(self, wrong: WrongPool, tests: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """Run tests on a pool, in its concurrency; return the results of every test."""
        results = self._folder / "results.json"
        chosen = sorted(set(tests))
        code, output = self._runs.run(
            self._folder,
            *("-q", "-p", "tests.wrong_pools.selection"),
            *("--server", self._server, "--results", str(results)),
            *("--pool", f"tests.wrong_pools.adapters:{wrong}"),
            *(f"--only={test}" for test in chosen),
            *modules_of(chosen, wrong.concurrency.value),
        )
        assert code in (0, 1), output
        found: dict[str, list[dict[str, Any]]] = {test: [] for test in chosen}
        for result in json.loads(results.read_text())["tests"]:
            found[result["id"]].append(result)
        return found


@pytest.mark.parametrize("sound", SOUND, ids=str)
def test_a_sound_pool_passes_every_test_that_a_wrong_pool_fails(
    sound: WrongPool, outcomes: Outcomes
) -> None:
    tests = {wrong.test for wrong in WRONG if wrong.concurrency is sound.concurrency}
    found = outcomes.of(sound, tests)
    for test, results in found.items():
        assert results, test
        assert {result["outcome"] for result in results} <= {"passed", "not_applicable"}, results


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_wrong_pool_is_noticed(wrong: WrongPool, outcomes: Outcomes) -> None:
    results = outcomes.of(wrong, [wrong.test])[wrong.test]
    assert results, f"{wrong.test} has no form for {wrong.concurrency.value}"
    assert any(result["outcome"] == "failed" for result in results), results
    assert not any(mistake in str(results) for mistake in MISTAKES), results


@pytest.mark.parametrize(("defect", "wrong"), named(), ids=str)
def test_the_report_begins_with_the_name_of_the_defect(
    defect: Defect, wrong: WrongPool, outcomes: Outcomes
) -> None:
    results = outcomes.of(wrong, [wrong.test])[wrong.test]
    failed = [result for result in results if result["outcome"] == "failed"]
    assert failed, results
    for result in failed:
        assert result["reason"].startswith(f"{defect}: "), result
        assert result["findings"][0].startswith(f"{defect}: "), result


@pytest.mark.parametrize("concurrency", Concurrency)
def test_a_wrong_pool_shows_each_defect(concurrency: Concurrency) -> None:
    shown = {defect for defect, wrong in named() if wrong.concurrency is concurrency}
    others = {Defect.WRONG_COUNT, Defect.SWALLOWED_INTERRUPT}
    assert shown == set(Defect) - others
