"""The home-made pool of the examples, as a team would judge its own.

The specs find the weakness that the guide shows. Two variants of the pool contain the most common
mistakes of such pools, and the specs must detect both.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
POOL = (EXAMPLES / "home_made_pool.py").read_text(encoding="utf-8")
SPECS = ("hygiene", "limits", "no_listeners", "units_of_work")
UNLOCKED = POOL.replace(
    "            self._room -= 1\n        try:\n            return self._connect()",
    "        try:\n            connection = self._connect()\n"
    "            Event().wait(0.05)  # as long as a connect across a network takes\n"
    "            self._room -= 1\n"
    "            return connection",
).replace("import Lock", "import Event, Lock")
UNCLEAN = POOL.replace("        connection.rollback()\n", "")


def run(folder: Path, pool: str) -> dict[str, list[str]]:
    """Run some of the bundled specs on a pool; return the ids of the tests by outcome."""
    (folder / "my_pool.py").write_text(pool)
    adapter = (EXAMPLES / "home_made_adapter.py").read_text(encoding="utf-8")
    (folder / "my_adapter.py").write_text(adapter.replace("home_made_pool", "my_pool"))
    modules = [str(ROOT / "generated_tests" / f"test_{name}.py") for name in SPECS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    chosen = ["--pool", "my_adapter:HomeMadeAdapter", "--results", "results.json"]
    done = subprocess.run(
        [*command, *chosen, "-k", "not Asyncio", *modules],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "not applicable:\n" in done.stdout, done.stdout + done.stderr
    tests: list[dict[str, Any]] = json.loads((folder / "results.json").read_text())["tests"]
    outcomes = ("passed", "failed", "errored")
    return {key: sorted(one["id"] for one in tests if one["outcome"] == key) for key in outcomes}


def test_a_correct_pool_passes_all_applicable_tests_of_these_specs(tmp_path: Path) -> None:
    found = run(tmp_path, POOL)
    assert (found["failed"], found["errored"]) == ([], [])
    assert len(found["passed"]) >= 12


@pytest.mark.parametrize(
    ("pool", "caught"),
    [
        pytest.param(
            UNLOCKED,
            "no_listeners.many_clients_share_few_connections",
            id="counts after it has connected",
        ),
        pytest.param(UNCLEAN, "hygiene.a_read_leaves_no_snapshot_behind", id="never rolls back"),
    ],
)
def test_common_mistakes_are_detected(tmp_path: Path, pool: str, caught: str) -> None:
    assert pool != POOL
    assert caught in run(tmp_path, pool)["failed"]
