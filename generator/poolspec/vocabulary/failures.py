"""How a step goes wrong, whether the pool makes it so or the test does."""

from enum import StrEnum


class ErrorKind(StrEnum):
    """Ways in which a pool refuses or fails; an adapter maps its pool's exceptions to them."""

    TIMEOUT = "timeout"
    """No connection became free within the acquire timeout."""
    CLOSED = "closed"
    """The pool is closed and hands out nothing."""
    CONNECT = "connect"
    """A connection could not be opened (host, password or database wrong, refused)."""
    NOT_BORROWED = "not_borrowed"
    """The connection given back is not on loan from this pool."""
    CONFIG = "config"
    """The pool's options are invalid, or contradict those it was made with."""
    QUERY = "query"
    """The database refused a statement."""
    CANCELLED = "cancelled"
    """The task that asked was cancelled."""
    EXHAUSTED = "exhausted"
    """As many wait as may; the pool refuses at once."""
    UNAVAILABLE = "unavailable"
    """Connects have failed too often in a row; the pool refuses without trying."""
    VALIDATION = "validation"
    """A connection was found broken, and none could be made in its place."""
    LOST = "lost"
    """The connection was lost during a statement."""
    INITIALIZATION = "initialization"
    """A new connection, or one that was about to be handed out, could not be prepared."""
    CONFLICT = "conflict"
    """Somebody else changed what was to be changed (optimistic locking)."""
    INTERRUPTED = "interrupted"
    """An interrupt, as Ctrl-C raises one, came in the midst of it and went on to the caller."""


class BodyFailure(StrEnum):
    """What the body of a `with` raises on purpose."""

    ERROR = "error"
    """An ordinary exception."""
    INTERRUPT = "interrupt"
    """A BaseException that is no Exception, as Ctrl-C raises."""


class Interruption(StrEnum):
    """What cuts short whoever borrows, in the midst of it."""

    INTERRUPT = "interrupt"
    """To a thread, Ctrl-C; to a task, its cancellation."""
    TIMEOUT = "timeout"
    """To a thread, the timeout of a socket; to a task, a deadline around all that it does."""
