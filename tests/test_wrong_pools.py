"""Each wrong pool turns tests red, the one about its fault among them; a sound pool turns none."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.wrong_pools import WRONG, Sound

import steadypool

ROOT = Path(__file__).parent.parent


def verdicts(
    pool: type[steadypool.ConnectionPool], server: str, folder: Path, *modules: str
) -> dict[str, tuple[str, str]]:
    """Run generated tests against a pool; return how each ended, and why."""
    results = folder / "results.json"
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "--server", server),
        *("--pool", f"tests.wrong_pools:adapter_of_{pool.__name__}"),
        *("--results", str(results), *modules),
    ]
    run = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode in (0, 1), run.stdout + run.stderr
    entries = json.loads(results.read_text())["tests"]
    return {entry["id"]: (entry["outcome"], entry["reason"]) for entry in entries}


def test_a_sound_pool_is_found_sound(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    found = verdicts(Sound, pytestconfig.getoption("--server"), tmp_path, "generated_tests")
    assert {outcome for outcome, _ in found.values()} <= {"passed", "not_applicable"}, found


@pytest.mark.parametrize("pool", WRONG, ids=lambda pool: pool.__name__)
def test_a_wrong_pool_is_noticed(
    pool: type[steadypool.ConnectionPool], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    spec, test = WRONG[pool]
    module = f"generated_tests/test_{spec}.py"
    found = verdicts(pool, pytestconfig.getoption("--server"), tmp_path, module)
    assert found[f"{spec}.{test}"][0] == "failed", found
    assert not any("AttributeError" in why for _, why in found.values()), "wrong in another way"
