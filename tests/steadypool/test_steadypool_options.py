"""The keyword options of both pools are stated once; signatures and errors show them."""

import inspect
from typing import Any, get_type_hints

import pytest

from steadypool import AsyncConnectionPool, AsyncPoolOptions, ConnectionPool, PoolOptions

POOLS: list[Any] = [ConnectionPool, AsyncConnectionPool]
POSITIONAL = ["size", "max_overflow", "timeout", "recycle", "config_name"]


@pytest.mark.parametrize(
    ("pool", "options"), [(ConnectionPool, PoolOptions), (AsyncConnectionPool, AsyncPoolOptions)]
)
def test_the_signature_shows_every_option_with_its_default(pool: Any, options: Any) -> None:
    parameters = inspect.signature(pool).parameters
    assert list(parameters) == [*POSITIONAL, *get_type_hints(options)]
    assert inspect.Parameter.empty not in {item.default for item in parameters.values()}
    assert parameters["check_after"].default == 0.5


def test_both_pools_have_the_same_options_and_defaults() -> None:
    threads, tasks = (
        {name: item.default for name, item in inspect.signature(pool).parameters.items()}
        for pool in POOLS
    )
    assert threads == tasks


@pytest.mark.parametrize("pool", POOLS)
def test_an_unknown_option_raises_a_type_error_with_the_nearest_option(pool: Any) -> None:
    with pytest.raises(TypeError, match="no option 'min_sise'; did you mean 'min_size'"):
        pool(min_sise=1, connect=object)


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("name", POSITIONAL)
def test_a_misspelt_positional_option_is_suggested_too(pool: Any, name: str) -> None:
    with pytest.raises(TypeError, match=f"did you mean '{name}'"):
        pool(**{name[:-2] + name[-1]: 1, "connect": object})


@pytest.mark.parametrize("pool", POOLS)
def test_only_five_options_are_positional(pool: Any) -> None:
    with pytest.raises(TypeError, match="positional"):
        pool(1, 0, 1.0, None, "primary", 1)
