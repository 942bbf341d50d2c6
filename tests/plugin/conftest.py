"""A run of one generated test."""

from pathlib import Path

import pytest
from tests.forked_runs import ForkedRuns
from tests.plugin.runs import Run


@pytest.fixture
def run(tmp_path: Path, forked_runs: ForkedRuns) -> Run:
    return Run(tmp_path, forked_runs)
