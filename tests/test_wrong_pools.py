"""Each of ten wrong pools turns generated tests red, the one that is about its fault among them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.wrong_pools import WRONG

import steadypool

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("pool", WRONG, ids=lambda pool: pool.__name__)
def test_a_wrong_pool_is_noticed(
    pool: type[steadypool.ConnectionPool], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    spec, test = WRONG[pool]
    results = tmp_path / "results.json"
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:xdist"),
        *("--server", pytestconfig.getoption("--server")),
        *("--pool", f"tests.wrong_pools:adapter_of_{pool.__name__}"),
        *("--results", str(results), f"generated_tests/test_{spec}.py"),
    ]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 1, run.stdout + run.stderr
    said = [entry for entry in json.loads(results.read_text())["tests"] if entry["reason"]]
    verdicts = {entry["id"]: entry["outcome"] for entry in said}
    assert verdicts[f"{spec}.{test}"] == "failed", run.stdout
    assert not any("AttributeError" in entry["reason"] for entry in said), "wrong in another way"
