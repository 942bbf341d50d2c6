"""What can go wrong in a pool, each with its figures and the way out in the message.

Every exception here derives from `ConnectionPoolError`, so that one `except` is enough. A password
is never part of any of them.
"""


class ConnectionPoolError(Exception):
    """Anything that the pool itself reports."""


class PoolConfigError(ConnectionPoolError):
    """An option, a configuration file or an environment variable is wrong or missing."""


class PoolClosedError(ConnectionPoolError):
    """The pool was closed, before this acquire or while it waited."""


class WrongLoopError(ConnectionPoolError):
    """An asyncio pool was used before its start, or in an event loop that is not its own."""


class NotBorrowedError(ConnectionPoolError):
    """A connection was given back that is not on loan from this pool; nothing was changed."""


class ConnectionFailedError(ConnectionPoolError):
    """A connection was needed and could not be opened; `__cause__` is the driver's error."""


class PoolInitializationError(ConnectionFailedError):
    """The connections that a pool opens at its start could not be opened; none is left open."""


class PoolTimeoutError(ConnectionPoolError):
    """No connection came free within the acquire timeout.

    `total`, `active`, `idle` and `waiting` are the pool's figures at that moment (`waiting`
    counts this acquire, if it was in the queue); `waited` is in seconds.
    """

    def __init__(
        self,
        *,
        name: str,
        limit: int,
        total: int,
        active: int,
        idle: int,
        waiting: int,
        waited: float,
    ) -> None:
        self.total = total
        self.active = active
        self.idle = idle
        self.waiting = waiting
        self.waited = waited
        super().__init__(
            f"pool {name!r} gave no connection within {waited:.3f} s: total={total} of {limit}, "
            f"active={active}, idle={idle}, waiting={waiting}. Give connections back sooner (is "
            "one never released?), raise size or max_overflow, or raise the timeout."
        )
