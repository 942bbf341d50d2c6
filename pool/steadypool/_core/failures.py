"""Which reason for a failed acquire its exception stands for."""

from steadypool.errors import (
    ConnectionFailedError,
    PoolClosedError,
    PoolExhaustedError,
    PoolTimeoutError,
    ServerUnavailableError,
)
from steadypool.events import FailReason

_REASONS: tuple[tuple[type[BaseException], FailReason], ...] = (
    (PoolTimeoutError, FailReason.TIMEOUT),
    (PoolClosedError, FailReason.POOL_CLOSED),
    (PoolExhaustedError, FailReason.EXHAUSTED),
    (ServerUnavailableError, FailReason.UNAVAILABLE),
    (ConnectionFailedError, FailReason.CONNECTION_ERROR),
)


def reason_of(error: BaseException) -> FailReason:
    """Say why an acquire failed that raised this."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return FailReason.INTERRUPTED
