"""A timeout of a query reaches the caller, at each point where the query waits.

The specs let a pool recover from it, as one may that runs the query again on another connection.
"""

from pathlib import Path

import pytest
from tests.forked_runs import ForkedRuns
from tests.plugin.runs import Run

INTERRUPTED = (
    "from poolspec.lab import Interruption",
    "def interrupted(point):",
    "    x = pool.acquire()",
    "    with point:",
    "        x.query('SELECT 1')",
    "    pool.release(x)",
    "    after = pool.acquire()",
    "    after.query(\"SELECT 'mine'\", returns='mine')",
    "lab.interrupt_everywhere(interrupted, by=Interruption.TIMEOUT)",
)


@pytest.fixture
def run(tmp_path: Path, forked_runs: ForkedRuns) -> Run:
    return Run(tmp_path, forked_runs)


def test_a_timeout_of_a_query_is_raised(run: Run) -> None:
    run.test(*INTERRUPTED)
    assert run.code == 0, run.output
    assert run.result()["outcome"] == "passed"


def test_a_pool_that_runs_the_query_again_raises_no_timeout(run: Run) -> None:
    run.test(*INTERRUPTED, arguments=("--pool", "dbutils"))
    assert run.code == 1, run.output
    assert "a timeout was swallowed" in run.output
