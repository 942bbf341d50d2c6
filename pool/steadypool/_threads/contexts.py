"""Borrowing for the length of a `with` block."""

import sys
import threading
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from steadypool._common.contexts import Blocks
from steadypool._drivers import dbapi as driver
from steadypool._threads.admin import Control


class Borrowing(Control):
    """The blocks of a pool, over its `acquire` and `release`."""

    def __init__(self) -> None:
        self._blocks = Blocks(threading.get_ident)

    @abstractmethod
    def acquire(self, timeout: float | None = None) -> Any:
        """Borrow a connection."""

    @abstractmethod
    def release(self, connection: Any) -> None:
        """Give a connection back."""

    @contextmanager
    def connection(self, timeout: float | None = None) -> Iterator[Any]:
        """Borrow a connection for the length of a `with` block; `timeout` as for `acquire`."""
        connection = self.acquire(timeout)
        try:
            yield connection
        finally:
            self.release(connection)

    @contextmanager
    def transaction(self, timeout: float | None = None) -> Iterator[Any]:
        """Borrow a connection for a unit of work: a `with` block that does all or nothing.

        At its end the work is committed, or rolled back if the block or the commit raises; what it
        raised goes on. `timeout` as for `acquire`; see `steadypool.units` for optimistic locking.
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
            self._blocks.enter(sys._getframe(1), connection)
        except BaseException:  # interrupted: the block does not begin, nor will it end
            self._blocks.forget(sys._getframe(1), connection)
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
            connection = self._blocks.leave(sys._getframe(1))
        except Exception:
            raise
        except BaseException:  # interrupted: finish the work first
            self.release(self._blocks.leave(sys._getframe(1)))
            raise
        self.release(connection)
