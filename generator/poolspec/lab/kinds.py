"""The kinds of errors: the lab knows its own, the adapter the pool's, the driver the database's."""

from asyncio import CancelledError
from collections.abc import Callable
from typing import Protocol

from poolspec.drivers.contract import AnyDriver
from poolspec.faults.hooks import HookError
from poolspec.lab.event_loop.limit import AcquireTimeoutError
from poolspec.vocabulary import ErrorKind

KindOf = Callable[[BaseException], ErrorKind | None]


class Explaining(Protocol):
    """An adapter, in either concurrency mode."""

    @property
    def driver(self) -> AnyDriver:
        """The driver of the pool's connections."""

    def kind_of(self, error: BaseException) -> ErrorKind | None:
        """Return what an exception of the pool means; None for any other exception."""


def kind_of(adapter: Explaining, error: BaseException) -> ErrorKind | None:
    """Return what an exception means; None if neither lab, pool nor driver raises it."""
    if isinstance(error, CancelledError):
        return ErrorKind.CANCELLED
    if isinstance(error, AcquireTimeoutError):
        return ErrorKind.TIMEOUT
    if isinstance(error, HookError):
        return ErrorKind.INITIALIZATION
    return adapter.kind_of(error) or adapter.driver.kind_of(error)
