"""Each wrong web service turns the test about its fault red, in both modes, and says why."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
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
    fault: str, noticed: tuple[str, str], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    test, complaint = noticed
    results = tmp_path / "results.json"
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "tests.wrong_apps"),
        *("--server", pytestconfig.getoption("--server"), "--results", str(results)),
        *("generated_tests/test_web.py", "generated_tests/test_realworld.py"),
        *("-k", test.partition(".")[2]),
    ]
    examples = os.pathsep.join(filter(None, (str(ROOT / "examples"), os.getenv("PYTHONPATH"))))
    environment = os.environ | {"WRONG_APP": fault, "PYTHONPATH": examples}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 1, run.stdout + run.stderr
    found = [entry for entry in json.loads(results.read_text())["tests"] if entry["id"] == test]
    assert len(found) == 2
    assert all(entry["outcome"] == "failed" for entry in found), found
    assert all(complaint in entry["reason"] for entry in found), found
