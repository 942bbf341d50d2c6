"""Contexts that borrow a connection: `with pool`, `connection()` and `transaction()`."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from steadypool._common.contexts import (
    ENDED,
    Block,
    BlockEnd,
    BlocksByHand,
    OverriddenBlock,
    adopt_override,
    connection_to_release,
    next_block,
)
from steadypool._drivers import dbapi as driver


class _Block(Block):
    """The end of one `with pool` block."""

    __slots__ = ()

    def __call__(self, *details: Any) -> None:
        """Release the connection of the block."""
        owner, connection = self.owner or details[0], self.connection
        if connection is None:
            connection = connection_to_release(owner)
        else:
            self.connection = ENDED
        if connection is ENDED:
            raise owner._core.not_borrowed()
        try:
            if details[-2] is not None:
                owner._note(connection, details[-2])
        finally:
            owner.release(connection)


class Borrowing(ABC):
    """The contexts of a pool, built on its `acquire` and `release`."""

    def __init__(self) -> None:
        self._by_hand = BlocksByHand(threading.get_ident)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        adopt_override(cls, "__exit__", OverriddenBlock)

    @abstractmethod
    def acquire(self, timeout: float | None = None) -> Any:
        """Borrow a connection."""

    @abstractmethod
    def release(self, connection: Any) -> None:
        """Return a connection."""

    @abstractmethod
    def _note_borrower(self, connection: Any) -> None:
        """Record that this thread borrowed a connection."""

    @abstractmethod
    def _note(self, connection: Any, error: BaseException) -> None:
        """Note whether the error of a context shows that its connection's server is read-only."""

    @abstractmethod
    def _do(self, work: Callable[[], None]) -> None:
        """Do the work now, or after the transition that this call is inside of."""

    @contextmanager
    def connection(self, timeout: float | None = None) -> Iterator[Any]:
        """Borrow a connection for a `with` block; `timeout` and errors as for `acquire`."""
        connection = self.acquire(timeout)
        try:
            self._note_borrower(connection)
            yield connection
        except BaseException as error:
            self._note(connection, error)
            raise
        finally:
            self.release(connection)

    @contextmanager
    def transaction(self, timeout: float | None = None) -> Iterator[Any]:
        """Borrow a connection for a unit of work: a `with` block that is all or nothing.

        The end of the block commits. If the block or the commit raises, the work is rolled back and
        the exception propagates. `timeout` and errors as for `acquire`; see `steadypool.units` for
        optimistic locking.
        """
        with self.connection(timeout) as connection:
            driver.begin(connection)
            try:
                yield connection
                connection.commit()
            except BaseException:
                self._do(lambda: driver.roll_back_or_close(connection))
                raise

    def __enter__(self) -> Any:
        block = next_block(self)
        connection = self.acquire()
        if block is not None:
            block.connection = connection
        try:
            self._note_borrower(connection)
            if block is None:
                self._by_hand.enter(connection)
        except BaseException:  # interrupted: the block does not begin and has no end
            self.release(connection)
            raise
        return connection

    __exit__ = BlockEnd(_Block)
