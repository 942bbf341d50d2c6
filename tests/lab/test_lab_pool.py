"""The pool under test needs no more of an adapter than its capabilities promise."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from poolspec.drivers.pymysql import PyMySQLDriver
from poolspec.invariants.connection import Sockets
from poolspec.invariants.log import Log
from poolspec.lab.aio.pool import AsyncPool
from poolspec.lab.threads.pool import Pool
from poolspec.vocabulary import Capability


def concurrency(adapter: Any, made: Any = Pool) -> Any:
    """Return a pool under test on an adapter with just these attributes."""
    log = Log(lambda: 0.0)
    adapter.driver = PyMySQLDriver()
    return made("raw", adapter, log, Sockets(log_nothing), lambda error: None)


def log_nothing(kind: str, number: int, was: int | None = None) -> None:
    """Take an opened or closed socket."""


@pytest.mark.parametrize(("figures", "most_ever"), [({}, 0), ({"max_size": 5}, 5)])
def test_a_pool_is_resized_without_figures(figures: dict[str, int], most_ever: int) -> None:
    asked: list[Any] = []
    pool = concurrency(
        SimpleNamespace(
            name="mine",
            capabilities=frozenset({Capability.RESIZE}),
            stats=lambda pool: figures,
            controls=SimpleNamespace(resize=lambda *given: asked.append(given)),
        )
    )
    pool.resize(size=2)
    assert asked == [("raw", 2, None)]
    assert pool.most_ever == most_ever


@pytest.mark.parametrize(("figures", "most_ever"), [({}, 0), ({"max_size": 5}, 5)])
def test_a_pool_for_asyncio_is_resized_without_figures(
    figures: dict[str, int], most_ever: int
) -> None:
    asked: list[Any] = []

    async def resize(*given: Any) -> None:
        asked.append(given)

    pool = concurrency(
        SimpleNamespace(
            name="mine",
            capabilities=frozenset({Capability.RESIZE}),
            stats=lambda pool: figures,
            controls=SimpleNamespace(resize=resize),
        ),
        AsyncPool,
    )
    asyncio.run(pool.resize(max_overflow=0))
    assert asked == [("raw", None, 0)]
    assert pool.most_ever == most_ever


def test_a_wrapper_without_a_number_is_an_error_that_explains_the_contract() -> None:
    class Lent:
        def cursor(self) -> None:
            """Do nothing."""

    pool = concurrency(SimpleNamespace(acquire=lambda pool, timeout: Lent()))
    with pytest.raises(AssertionError) as told:
        pool.acquire()
    assert str(told.value) == (
        "acquire() of the adapter must return a PyMySQL connection, or an object that passes on "
        "its methods: Lent has no thread_id()"
    )
