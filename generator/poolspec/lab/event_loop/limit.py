"""The lab's timeout for a pool whose acquire has none: `asyncio.timeout` around the acquire.

A program that uses such a pool writes the same, so the pool meets the same cancellation. It must
then lose no connection and no place in its queue. Threads cannot be cancelled, so a thread pool
without a timeout gets none.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any


class AcquireTimeoutError(TimeoutError):
    """The lab gave up an acquire whose time was over."""


@asynccontextmanager
async def limited(seconds: float | None) -> AsyncIterator[None]:
    """Give up the block after so many seconds (None: never); raises AcquireTimeoutError then.

    Another TimeoutError, such as the driver's, passes as it is.
    """
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if limit.expired() and isinstance(error.__cause__, asyncio.CancelledError):
            raise AcquireTimeoutError(f"no connection within {seconds:g} s") from error
        raise


class LimitedBlock:
    """A block of a pool whose acquire has no timeout: entering it is limited."""

    def __init__(self, block: AbstractAsyncContextManager[Any], seconds: float) -> None:
        self._block = block
        self._seconds = seconds

    async def __aenter__(self) -> Any:
        """Enter the block; raises AcquireTimeoutError if that takes too long."""
        async with limited(self._seconds):
            return await self._block.__aenter__()

    async def __aexit__(self, *exc: Any) -> bool | None:
        """Leave the block."""
        return await self._block.__aexit__(*exc)
