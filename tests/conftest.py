"""What tests of several packages share: light runs of pytest in other processes."""

from collections.abc import Iterator

import pytest
from tests.forked_runs import ForkedRuns

LIGHT = "-p no:hypothesispytest -p no:anyio"
"""Leaves out plugins that take four times as long to import as pytest itself."""


@pytest.fixture(scope="session", autouse=True)
def light_runs() -> Iterator[None]:
    """Let every pytest that a test starts leave out plugins that it does not need."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_ADDOPTS", LIGHT)
        yield


@pytest.fixture(scope="session")
def forked_runs(light_runs: None) -> Iterator[ForkedRuns]:
    """A process that runs pytest in forked children."""
    runs = ForkedRuns("tests.wrong_apps", "tests.wrong_pools.adapters")
    yield runs
    runs.close()
