"""A sound pool with other choices breaks no must and no should, and does some mays otherwise."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.forked_runs import ForkedRuns

ROOT = Path(__file__).parents[1]
SPECS = (
    *("basics", "blocks", "cancellation", "connection_faults", "emptying", "errors", "fairness"),
    *("hygiene", "limits", "minimal_connections", "no_listeners", "no_wait", "options"),
    *("plain_connections", "recycling", "resilience", "sessions", "shutdown", "statistics"),
    "timeout",
)
OTHERWISE = {
    "threads": {
        "connection_faults.an_open_transaction_is_rolled_back_once",
        "errors.a_second_release_is_refused",
        "hygiene.a_connection_with_uncommitted_work_is_kept",
        "options.a_timeout_error_reports_the_state_of_the_pool",
        "resilience.dead_idle_connections_are_replaced",
    },
    "asyncio": {
        "connection_faults.closing_an_expired_connection_counts_against_the_timeout",
        "errors.a_second_release_is_refused",
        "options.a_timeout_error_reports_the_state_of_the_pool",
        "resilience.dead_idle_connections_are_replaced",
    },
}
"""Some of the tests that the pool does otherwise."""


@pytest.mark.parametrize("concurrency", OTHERWISE)
def test_other_choices_break_no_must_and_no_should(
    concurrency: str, tmp_path: Path, forked_runs: ForkedRuns, pytestconfig: pytest.Config
) -> None:
    ending = "_asyncio" if concurrency == "asyncio" else ""
    modules = [ROOT / "generated_tests" / f"test_{name}{ending}.py" for name in SPECS]
    code, output = forked_runs.run(
        tmp_path,
        *("-q", "-p", "no:cacheprovider", "--server", pytestconfig.getoption("--server")),
        *("--pool", "tests.other_choices.adapters:OtherAdapter"),
        *("--results", str(tmp_path / "results.json")),
        *(str(module) for module in modules if module.exists()),
    )
    assert code == 0, output
    tests: list[dict[str, Any]] = json.loads((tmp_path / "results.json").read_text())["tests"]
    known = ("passed", "otherwise", "not_applicable")
    assert [test for test in tests if test["outcome"] not in known] == []
    assert OTHERWISE[concurrency] <= {t["id"] for t in tests if t["outcome"] == "otherwise"}
    assert sum(test["outcome"] == "passed" for test in tests) > 100
