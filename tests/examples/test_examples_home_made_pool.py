"""The guide's bare adapter with a home-made pool, as a team would use it.

The pool has about fifty lines and is correct. Two variants contain the most common mistakes of such
pools, and the specs must detect both.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ADAPTER = re.compile(r"^## A bare adapter\n+```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
SPECS = ("hygiene", "limits", "no_listeners", "units_of_work")
POOL = """\
from contextlib import contextmanager
from queue import Empty, LifoQueue
from threading import Event, Lock


class PoolTimeout(Exception):
    pass


class Pool:
    def __init__(self, connect, size, overflow, timeout):
        self._connect, self._timeout = connect, timeout
        self._idle, self._lock = LifoQueue(), Lock()
        self._left = size + overflow

    def get(self):
        try:
            return self._idle.get_nowait()
        except Empty:
            return self._another() or self._wait()

    def _another(self):
        with self._lock:
            if not self._left:
                return None
            self._left -= 1
        try:
            connection = self._connect()
        except BaseException:
            with self._lock:
                self._left += 1
            raise
        return connection

    def _wait(self):
        try:
            return self._idle.get(timeout=self._timeout)
        except Empty:
            raise PoolTimeout("no connection came free") from None

    def put(self, connection):
        connection.rollback()
        self._idle.put(connection)

    @contextmanager
    def borrowed(self):
        connection = self.get()
        try:
            yield connection
        finally:
            self.put(connection)

    def close(self):
        while not self._idle.empty():
            self._idle.get_nowait().close()
"""
UNLOCKED = POOL.replace(
    "            self._left -= 1\n        try:\n            connection = self._connect()",
    "        try:\n            connection = self._connect()\n"
    "            Event().wait(0.05)  # as long as a connect across a network takes\n"
    "            self._left -= 1",
)
UNCLEAN = POOL.replace("        connection.rollback()\n", "")


def run(folder: Path, pool: str) -> dict[str, list[str]]:
    """Run some of the bundled specs on a pool; return the ids of the tests by outcome."""
    guide = (ROOT / "docs" / "adapters.md").read_text(encoding="utf-8")
    (adapter,) = ADAPTER.findall(guide)
    package = folder / "my_package"
    package.mkdir()
    (package / "__init__.py").write_text(pool)
    (package / "my_adapter.py").write_text(adapter)
    modules = [str(ROOT / "generated_tests" / f"test_{name}.py") for name in SPECS]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    chosen = ["--pool", "my_package.my_adapter:MyAdapter", "--results", "results.json"]
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


def test_a_correct_pool_passes_all_applicable_tests(tmp_path: Path) -> None:
    found = run(tmp_path, POOL)
    assert (found["failed"], found["errored"]) == ([], [])
    assert len(found["passed"]) >= 5


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
