"""The errors of a pool; their messages contain the pool's figures and a remedy.

Every error derives from `ConnectionPoolError`, so one `except` catches all. No error contains a
password.
"""


class ConnectionPoolError(Exception):
    """Base of all errors that the pool itself raises."""


class PoolConfigError(ConnectionPoolError):
    """An option, a configuration file or an environment variable is wrong or missing."""


class PoolClosedError(ConnectionPoolError):
    """The pool was closed, before this acquire or while it waited."""


class WrongLoopError(ConnectionPoolError):
    """An asyncio pool was used before its start, or in another event loop than its own."""


class HousekeeperStoppedError(ConnectionPoolError):
    """A pool was added to a housekeeper that was stopped, or that ended with a fork."""


class ReentrantCallError(ConnectionPoolError):
    """A call came in the middle of the pool's own work in the same thread, and would wait for it.

    A signal handler or a finalizer can make such a call, and so can a hook that calls
    `get_global_pool` while its thread creates that pool. The work continues only after the call.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"the pool {name!r} is in the middle of its own work in this thread, and the call "
            "would wait for it; call again after the signal handler, finalizer or hook has ended"
        )


class NotBorrowedError(ConnectionPoolError):
    """A connection was released that is not on loan from this pool; nothing was changed."""


class ConnectionFailedError(ConnectionPoolError):
    """A connection was needed and could not be opened; `__cause__` is the driver's error."""


class PoolInitializationError(ConnectionFailedError):
    """The pool could not open its first connections; none is left open."""


class ConnectionValidationError(ConnectionFailedError):
    """An idle connection was broken and not replaceable; `__cause__` is the driver's error."""


class ServerUnavailableError(ConnectionFailedError):
    """A connection was needed, but the breaker is open: the server is known to be down.

    The pool did not try to connect. `failures` is the number of failed connects in a row.
    """

    def __init__(self, *, name: str, failures: int, cooldown: float) -> None:
        self.failures = failures
        super().__init__(
            f"pool {name!r} refuses to connect: the last {failures} connects failed. It tries one "
            f"connect every {cooldown:g} s until the server is back. Try again later; the log "
            "shows the cause."
        )


class ConflictError(ConnectionPoolError):
    """Optimistic locking: another transaction changed the row. Read it again and retry."""


class _ShortageError(ConnectionPoolError):
    """No connection became free.

    `total`, `active`, `idle` and `waiting` are the pool's figures at that moment (`waiting`
    includes this acquire if it was in the queue); `waited` is in seconds.
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
        full: bool = False,
    ) -> None:
        self.total = total
        self.active = active
        self.idle = idle
        self.waiting = waiting
        self.waited = waited
        super().__init__(
            f"pool {name!r} {self._failure.format(waited=waited)}: total={total} of {limit}, "
            f"active={active}, idle={idle}, waiting={waiting}. "
            f"{_SERVER_IS_FULL if full else self._remedy}"
        )

    _failure = _remedy = ""


_OWN_REMEDY = (
    "An acquire cannot wait for its own borrower: borrow once and pass the connection on, or allow "
    "more connections."
)
_SERVER_IS_FULL = (
    "The server is full: it refused the pool's last connect, because it or the account has all the "
    "connections it may have. Release connections sooner, raise the server's limit, or lower the "
    "sizes of the pools."
)


class PoolTimeoutError(_ShortageError):
    """No connection became free within the timeout of the acquire.

    `total`, `active`, `idle` and `waiting` are the pool's figures at that moment (`waiting`
    includes this acquire if it was in the queue); `waited` is in seconds. `own` has a sentence for
    each connection that the waiting thread or task has itself, as far as the pool can find out.
    """

    own: tuple[str, ...] = ()

    def name_own_loans(self, own: tuple[str, ...]) -> None:
        """Add these sentences and the remedy to the message."""
        self.own = own
        if own:
            self.args = (" ".join((str(self), *own, _OWN_REMEDY)),)

    _failure = "handed out no connection within {waited:.3f} s"
    _remedy = (
        "Release connections sooner (is one never released?), raise size or max_overflow, or "
        "raise the timeout."
    )


class PoolExhaustedError(_ShortageError):
    """All connections are on loan and the queue is full; the acquire was refused at once.

    `total`, `active`, `idle` and `waiting` are the pool's figures at that moment.
    """

    _failure = "has no free connection and its queue is full"
    _remedy = (
        "Reject the caller for now (HTTP: 503), release connections sooner, or raise size, "
        "max_overflow or max_waiting."
    )
