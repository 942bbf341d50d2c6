"""Each wrong web service fails the test about its fault in both modes, with the right reason."""

import json
from pathlib import Path

import pytest
from tests.forked_runs import ForkedRuns, modules_of

NOTICED = {
    "says_500": ("web.exhausted_service_answers_503", "status: expected 503, was 500"),
    "breaks_with_the_database": (
        "web.unreachable_database_is_answered_with_503",
        "status: expected 503, was 500",
    ),
    "keeps_connections": ("realworld.fastapi_worker_simulation", "status: expected 200, was 503"),
    "forgets_the_commit": ("realworld.fastapi_worker_simulation", "visits: expected 40, was 0"),
}


@pytest.mark.parametrize(("fault", "noticed"), NOTICED.items())
def test_a_wrong_service_is_noticed(
    fault: str,
    noticed: tuple[str, str],
    forked_runs: ForkedRuns,
    tmp_path: Path,
    pytestconfig: pytest.Config,
) -> None:
    test, complaint = noticed
    results = tmp_path / "results.json"
    code, output = forked_runs.run(
        tmp_path,
        *("-q", "-p", "tests.wrong_apps"),
        *("--server", pytestconfig.getoption("--server"), "--results", str(results)),
        *modules_of([test], "threads"),
        *modules_of([test], "asyncio"),
        *("-k", test.partition(".")[2]),
        WRONG_APP=fault,
    )
    assert code == 1, output
    found = [entry for entry in json.loads(results.read_text())["tests"] if entry["id"] == test]
    assert len(found) == 2
    assert all(entry["outcome"] == "failed" for entry in found), found
    assert all(complaint in entry["reason"] for entry in found), found
