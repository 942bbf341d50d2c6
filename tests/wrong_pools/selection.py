"""A plugin that runs only some tests: `pytest -p tests.wrong_pools.selection --only SPEC.TEST`."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--only", action="append", default=[])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out every other test."""
    chosen = config.getoption("--only")
    items[:] = [item for item in items if _identifier(item) in chosen]


def _identifier(item: pytest.Item) -> object:
    marker = item.get_closest_marker("spec")
    assert marker is not None
    return marker.args[0]
