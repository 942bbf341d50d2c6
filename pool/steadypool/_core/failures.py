"""The mapping from an acquire's exception to the reason in its event."""

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
    """Return the reason for the failure of an acquire that raised this error."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    return FailReason.INTERRUPTED
