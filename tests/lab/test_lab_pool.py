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
from poolspec.witness.account import Account
from poolspec.witness.calls import Calls
from poolspec.witness.witness import Witness


def concurrency(adapter: Any, made: Any = Pool) -> Any:
    """Return a pool under test on an adapter with just these attributes."""
    adapter.driver = PyMySQLDriver()
    witness = Witness(Log(float), float, lambda error: None, lambda error: None, Calls())
    return made("raw", Account(1, Sockets(log_nothing), 5, 1), adapter, witness)


def log_nothing(kind: str, number: int, was: int | None = None) -> None:
    """Take an opened or closed socket."""


def test_a_pool_is_resized_without_figures() -> None:
    asked: list[Any] = []
    pool = concurrency(
        SimpleNamespace(controls=SimpleNamespace(resize=lambda *given: asked.append(given)))
    )
    pool.resize(size=2)
    assert asked == [("raw", 2, None)]
    assert (pool.account.limit, pool.account.most) == (3, 6)


def test_a_pool_for_asyncio_is_resized_without_figures() -> None:
    asked: list[Any] = []

    async def resize(*given: Any) -> None:
        asked.append(given)

    pool = concurrency(SimpleNamespace(controls=SimpleNamespace(resize=resize)), AsyncPool)
    asyncio.run(pool.resize(max_overflow=0))
    assert asked == [("raw", None, 0)]
    assert (pool.account.limit, pool.account.most) == (5, 6)


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
