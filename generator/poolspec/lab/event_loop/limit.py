"""The lab's timeout for a pool whose acquire has none: `asyncio.timeout` around the acquire.

A program that uses such a pool writes the same, so the pool meets the same cancellation. It must
then lose no connection and no place in its queue. Threads cannot be cancelled, so a thread pool
without a timeout gets none.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


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
