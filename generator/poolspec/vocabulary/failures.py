"""The ways in which a step fails, caused by the pool or by the test."""

from enum import StrEnum


class ErrorKind(StrEnum):
    """Kinds of errors of a pool; an adapter maps its pool's exceptions to them."""

    TIMEOUT = "timeout"
    """No connection became free within the acquire timeout."""
    CLOSED = "closed"
    """The pool is closed and hands out nothing."""
    CONNECT = "connect"
    """A connection could not be opened (host, password or database wrong, refused)."""
    NOT_BORROWED = "not_borrowed"
    """The released connection is not on loan from this pool."""
    CONFIG = "config"
    """The pool's options are invalid, or contradict those it was made with."""
    QUERY = "query"
    """The database refused a statement."""
    DEADLOCK = "deadlock"
    """Transactions lock rows in opposite order, and the database has ended this one."""
    CANCELLED = "cancelled"
    """The task that made the call was cancelled."""
    EXHAUSTED = "exhausted"
    """The queue of waiters is full; the pool refuses at once."""
    UNAVAILABLE = "unavailable"
    """Connects have failed too often in a row; the pool refuses without trying."""
    VALIDATION = "validation"
    """A connection was found broken, and no replacement could be opened."""
    LOST = "lost"
    """The connection was lost during a statement."""
    INITIALIZATION = "initialization"
    """A new connection, or one that was about to be handed out, could not be prepared."""
    CONFLICT = "conflict"
    """Another transaction has changed the row (optimistic locking)."""
    INTERRUPTED = "interrupted"
    """An interrupt such as Ctrl-C was raised during the call and reached the caller."""
    REENTRANT = "reentrant"
    """The pool is at work in the same thread, and refuses the call at once."""


class BodyFailure(StrEnum):
    """The exception that the body of a `with` raises on purpose."""

    ERROR = "error"
    """An ordinary exception."""
    INTERRUPT = "interrupt"
    """A BaseException that is not an Exception, such as Ctrl-C raises."""


class Interruption(StrEnum):
    """The way in which a borrower is interrupted."""

    INTERRUPT = "interrupt"
    """Ctrl-C in a thread; cancellation of a task."""
    TIMEOUT = "timeout"
    """The timeout of a socket in a thread; a deadline around a task."""


class Caller(StrEnum):
    """Foreign code that calls the pool in a thread that is inside one of the pool's methods."""

    SIGNAL = "signal"
    """A signal handler."""
    COLLECTOR = "collector"
    """A finalizer that the garbage collector runs."""
    LISTENER = "listener"
    """A listener of the pool."""
    LOG_HANDLER = "log_handler"
    """A handler of the pool's logger."""
    HOOK = "hook"
    """A hook of the pool."""
