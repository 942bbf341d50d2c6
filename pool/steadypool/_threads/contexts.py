"""Contexts that borrow a connection: `with pool`, `connection()` and `transaction()`."""

import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from steadypool._common.contexts import OpenContexts
from steadypool._drivers import dbapi as driver


class Borrowing(ABC):
    """The contexts of a pool, built on its `acquire` and `release`."""

    def __init__(self) -> None:
        self._contexts = OpenContexts(threading.get_ident)

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
        """Learn from the error of a context about the server of its connection."""

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
                driver.roll_back_or_close(connection)
                raise

    def __enter__(self) -> Any:
        connection = self.acquire()
        try:
            self._note_borrower(connection)
            self._contexts.enter(sys._getframe(1), connection)
        except BaseException:  # interrupted: the block does not begin and has no end
            self._contexts.forget(sys._getframe(1), connection)
            self.release(connection)
            raise
        return connection

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            connection = self._contexts.leave(sys._getframe(1))
        except Exception:
            raise
        except BaseException:  # interrupted: finish the work first
            self.release(self._contexts.leave(sys._getframe(1)))
            raise
        try:
            if error is not None:
                self._note(connection, error)
        finally:
            self.release(connection)
