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


class HousekeeperStoppedError(ConnectionPoolError):
    """A housekeeper was given a pool after its end: it was stopped, or stayed behind at a fork."""


class NotBorrowedError(ConnectionPoolError):
    """A connection was given back that is not on loan from this pool; nothing was changed."""


class ConnectionFailedError(ConnectionPoolError):
    """A connection was needed and could not be opened; `__cause__` is the driver's error."""


class PoolInitializationError(ConnectionFailedError):
    """The connections that a pool opens at its start could not be opened; none is left open."""


class ConnectionValidationError(ConnectionFailedError):
    """An idle connection was found broken, and could not be replaced; `__cause__` says why not."""


class ServerUnavailableError(ConnectionFailedError):
    """A connection was needed, but the server is known to be down; nothing was tried.

    `failures` is the number of connects in a row that failed.
    """

    def __init__(self, *, name: str, failures: int, cooldown: float) -> None:
        self.failures = failures
        super().__init__(
            f"pool {name!r} does not connect: the last {failures} connects failed, so one in "
            f"{cooldown:g} s finds out whether the server is back. Try again later; the log has "
            "the cause."
        )


class ConflictError(ConnectionPoolError):
    """Optimistic locking: somebody else changed the row meanwhile. Read it again and retry."""


class _ShortageError(ConnectionPoolError):
    """No connection came free.

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
            f"pool {name!r} {self._failure.format(waited=waited)}: total={total} of {limit}, "
            f"active={active}, idle={idle}, waiting={waiting}. {self._way_out}"
        )

    _failure = _way_out = ""


class PoolTimeoutError(_ShortageError):
    """No connection came free within the acquire timeout.

    `total`, `active`, `idle` and `waiting` are the pool's figures at that moment (`waiting`
    counts this acquire, if it was in the queue); `waited` is in seconds.
    """

    _failure = "gave no connection within {waited:.3f} s"
    _way_out = (
        "Give connections back sooner (is one never released?), raise size or max_overflow, or "
        "raise the timeout."
    )


class PoolExhaustedError(_ShortageError):
    """All connections are on loan and the queue is full: refused at once.

    `total`, `active`, `idle` and `waiting` are the pool's figures at that moment.
    """

    _failure = "has no connection left and its queue is full"
    _way_out = (
        "Send the caller away for now (HTTP: 503), give connections back sooner, or raise size, "
        "max_overflow or max_waiting."
    )
