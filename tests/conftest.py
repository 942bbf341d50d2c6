"""What tests of several packages share."""

from collections.abc import Iterator

import pytest
from tests.forked_runs import ForkedRuns


@pytest.fixture(scope="session")
def forked_runs() -> Iterator[ForkedRuns]:
    """A process that runs pytest in forked children."""
    runs = ForkedRuns("tests.wrong_apps", "tests.wrong_pools.adapters")
    yield runs
    runs.close()
