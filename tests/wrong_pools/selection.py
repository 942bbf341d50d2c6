"""A plugin that runs only some tests: `pytest -p tests.wrong_pools.selection --only SPEC.TEST`.

`--form` names the concurrency whose form of the tests is run.
"""

from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    parser.addoption("--only", action="append", default=[])
    parser.addoption("--form")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out every other test."""
    ids, form = config.getoption("--only"), config.getoption("--form")
    items[:] = [item for item in items if _identity(item) in {(test, form) for test in ids}]


def _identity(item: pytest.Item) -> tuple[Any, str]:
    marker = item.get_closest_marker("spec")
    assert marker is not None
    return marker.args[0], marker.kwargs.get("concurrency", "threads")
