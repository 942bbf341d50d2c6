"""Contexts of a pool for threads: each releases its own connection, wherever it ends."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from steadypool import ConnectionPool, NotBorrowedError
from steadypool.testing import ScriptedConnector

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


class Wrapper:
    """A context manager around a pool that looks `__exit__` up long before it enters."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._exit = pool.__exit__

    def __enter__(self) -> Any:
        return self._pool.__enter__()

    def __exit__(self, *details: Any) -> None:
        self._exit(*details)


def test_an_end_that_was_looked_up_early_ends_the_only_block(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    kept = pool.__exit__
    for wrapper in (Wrapper(pool), Wrapper(pool)):
        with wrapper as connection, pool as other:
            assert on_loan(pool) == [connection, other]
        assert on_loan(pool) == []
    pool.__enter__()
    kept(None, None, None)
    assert on_loan(pool) == []


def test_ends_that_were_looked_up_early_end_no_block_of_another(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    first, second = Wrapper(pool), Wrapper(pool)
    connections = [first.__enter__(), second.__enter__()]
    with pytest.raises(NotBorrowedError, match="connection\\(\\)"):
        second.__exit__(None, None, None)
    assert on_loan(pool) == connections
    for connection in connections:
        pool.release(connection)


def test_a_second_end_of_a_block_ends_no_other_block(make_pool: MakePool) -> None:
    pool = make_pool(size=2)
    end = type(pool).__exit__
    type(pool).__enter__(pool)
    by_hand = by_hand_block(pool)
    end(pool, None, None, None)
    with pytest.raises(NotBorrowedError):
        end(pool, None, None, None)
    assert on_loan(pool) == [by_hand]
    pool.release(by_hand)


def by_hand_block(pool: ConnectionPool) -> Any:
    return pool.__enter__()


class Counting(ConnectionPool):
    """A pool that counts its blocks."""

    begun = ended = 0

    def __enter__(self) -> Any:
        self.begun += 1
        return super().__enter__()

    def __exit__(self, *details: Any) -> None:
        self.ended += 1
        super().__exit__(*details)


class Explicit(Counting):
    """A pool that calls the method of its base class by name, after a block of its own."""

    def __exit__(self, *details: Any) -> None:
        with self.connection():
            pass
        Counting.__exit__(self, *details)


@pytest.mark.parametrize("kind", [Counting, Explicit])
def test_blocks_of_a_subclass_with_its_own_end_end_in_any_order(kind: type[Counting]) -> None:
    pool = kind(size=4, connect=ScriptedConnector())
    first, second = ExitStack(), ExitStack()
    one = first.enter_context(pool)
    with pool as inner:
        two = second.enter_context(pool)
        first.close()
        assert on_loan(pool) == [inner, two]
        with ThreadPoolExecutor(1) as executor:
            executor.submit(second.close).result()
        assert on_loan(pool) == [inner]
    assert one is not two
    assert on_loan(pool) == []
    assert (pool.begun, pool.ended) == (3, 3)
    pool.close()


def on_loan(pool: ConnectionPool) -> list[Any]:
    return [entry.connection for entry in pool._core.in_use.values()]
