"""Contexts of a pool for threads: each releases its own connection, wherever it ends."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from steadypool import ConnectionPool, NotBorrowedError

MakePool = Callable[..., ConnectionPool]


def rows(pool: ConnectionPool) -> Generator[Any, None, None]:
    """Yield the connection of a context, as a generator of rows yields its rows."""
    with pool as connection:
        while True:
            yield connection


def test_contexts_of_generators_end_in_any_order(make_pool: MakePool) -> None:
    pool = make_pool(size=3)
    first, second = rows(pool), rows(pool)
    one, two = next(first), next(second)
    with pool as three:
        first.close()
        assert on_loan(pool) == [two, three]
        second.close()
        assert on_loan(pool) == [three]
    assert one is not two
    assert pool.stats().in_use == 0


def test_a_context_may_end_in_another_thread(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    generator = rows(pool)
    theirs = next(generator)

    def end_it() -> None:
        with pool as mine:
            generator.close()
            assert on_loan(pool) == [mine]

    with ThreadPoolExecutor(1) as executor:
        executor.submit(end_it).result()
    assert on_loan(pool) == []
    assert not theirs.closed


def test_an_exit_stack_ends_the_contexts_it_entered(make_pool: MakePool) -> None:
    pool = make_pool(size=3)
    with ExitStack() as stack:
        early = stack.enter_context(pool)
        late = stack.enter_context(pool)
        with pool as inner:
            stack.close()
            assert on_loan(pool) == [inner]
    assert early is not late
    assert pool.stats().in_use == 0


def test_ending_a_context_that_the_thread_did_not_begin_is_refused(make_pool: MakePool) -> None:
    pool = make_pool()
    with pytest.raises(NotBorrowedError, match="connection\\(\\)"):
        pool.__exit__(None, None, None)


def on_loan(pool: ConnectionPool) -> list[Any]:
    return [entry.connection for entry in pool._core.in_use.values()]
