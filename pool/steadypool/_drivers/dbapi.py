"""Inspects, checks, resets and closes DB-API connections, for threads.

The attributes of steadypool's own connections show their state. A pool with a `connect` callable
may get any DB-API connection; the pool assumes the worst about one that does not report its state,
and rolls it back.
"""

import select
import socket
from contextlib import suppress
from typing import Any

from pymysql.connections import Connection as _PyMySQLConnection

from steadypool._core.entries import ConnectionState
from steadypool._drivers import session
from steadypool._drivers.mysql import Connection

_IN_TRANSACTION_FLAG = 0x0001
_SOCKET = "_steadypool_socket"
"""The attribute of a PyMySQL connection with the socket that it had when the pool opened it."""

_CLEAN = ConnectionState.CLEAN
_IN_TRANSACTION = ConnectionState.IN_TRANSACTION
_UNREAD = ConnectionState.UNREAD
_RECONNECTED = ConnectionState.RECONNECTED
_READ_ONLY = ConnectionState.READ_ONLY
_CLOSED = ConnectionState.CLOSED
UNUSABLE = (_UNREAD, _CLOSED, _RECONNECTED, _READ_ONLY)


def state(connection: Any) -> ConnectionState:
    """Return the state of a connection from its attributes; sends nothing, never raises.

    In one piece, because every release calls it.
    """
    if type(connection) is Connection:
        if connection._sock is None:
            return _CLOSED
        result = connection._result
        if connection.answer_pending or (
            result is not None and (result.unbuffered_active or result.has_next)
        ):
            return _UNREAD
        if connection.uncertain or connection.server_status & _IN_TRANSACTION_FLAG:
            return connection._doubtful_state()
        return _CLEAN
    try:
        if isinstance(connection, _PyMySQLConnection):
            return _plain_state(connection)
        if getattr(connection, "closed", False):
            return _CLOSED
        # sqlite3 and a few others report this; a connection that does not is rolled back.
        return _CLEAN if getattr(connection, "in_transaction", True) is False else _IN_TRANSACTION
    except Exception:
        return _CLOSED


def _plain_state(connection: Any) -> ConnectionState:
    if connection._sock is None:
        return _CLOSED
    result = connection._result
    if result is not None and (result.unbuffered_active or result.has_next):
        return _UNREAD
    # Its statements may have set a mode for the next transaction: a rollback clears that too.
    return _RECONNECTED if _has_other_socket(connection) else _IN_TRANSACTION


def _has_other_socket(connection: Any) -> bool:
    adopted = connection.__dict__.get(_SOCKET)
    return adopted is not None and adopted is not connection._sock


def adopt(connection: Any) -> object:
    """Remember the session of a connection, to notice later that its driver connected again.

    Returns the argument `known` of `is_reconnected`.
    """
    if isinstance(connection, Connection):
        connection.pool_accept()
    if isinstance(connection, _PyMySQLConnection):
        connection.__dict__[_SOCKET] = connection._sock  # type: ignore[attr-defined]  # not in the stub
        return None
    return session.number_of(connection)


def is_reconnected(connection: Any, known: object) -> bool:
    """Whether the driver connected again since the pool adopted the connection as `known`."""
    if type(connection) is Connection:
        return connection.pool_reconnected()
    if isinstance(connection, _PyMySQLConnection):
        return _has_other_socket(connection)
    return known is not None and session.number_of(connection) != known


def is_own(connection: Any) -> bool:
    """Whether all settings of a session without `setup` come from the sign-in."""
    return type(connection) is Connection


def shows_read_only(connection: Any, error: BaseException | None) -> bool:
    """Whether a block that raised this error shows that its connection's server is read-only.

    steadypool's own connections see the server's errors themselves.
    """
    return type(connection) is not Connection and session.shows_read_only(error)


def alive(connection: Any) -> bool:
    """Return, without a round trip, whether an idle connection can still be alive.

    A server sends unasked only when it closes a connection, so an idle socket with data to read is
    dead. A connection without a socket counts as alive unless it reports that it is closed.
    """
    if state(connection) is _CLOSED:
        return False
    source = getattr(connection, "_sock", None) or connection
    try:
        descriptor = source.fileno()
    except AttributeError:
        return True
    except Exception:
        return False
    if descriptor < 0:
        return False
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return not poll.poll(0)


def roll_back(connection: Any) -> bool:
    """Roll back for the next borrower; False: the pool must drop the connection."""
    try:
        connection.rollback()
    except Exception:
        return False
    return True


def reset_session(connection: Any) -> bool:
    """Reset the session, or roll back if the driver cannot; False: the pool must drop it."""
    try:
        getattr(connection, "reset_session", connection.rollback)()
    except Exception:
        return False
    if isinstance(connection, Connection):
        connection.pool_accept(was_reset=True)
    return state(connection) not in UNUSABLE


def settle(connection: Any) -> bool:
    """End a transaction that a hook left open; False: the connection is unusable."""
    found = state(connection)
    return found is _CLEAN or (found is _IN_TRANSACTION and roll_back(connection))


def begin(connection: Any) -> None:
    """Begin a transaction on a PyMySQL connection in autocommit mode.

    Other drivers are assumed to begin transactions implicitly, as DB-API says.
    """
    if isinstance(connection, _PyMySQLConnection) and connection.get_autocommit():
        connection.begin()


def roll_back_or_close(connection: Any) -> None:
    """Roll back; if that fails, close, so that the pool drops the connection when it comes back.

    A connection with unread rows is left as it is, because the driver would first read them all.
    The pool drops such a connection when it comes back.
    """
    if state(connection) is _UNREAD:
        return
    try:
        connection.rollback()
    except Exception:
        close(connection)


def close(connection: Any, *, silent: bool = False) -> None:
    """Close at once, even while a thread waits for an answer; ignores the connection's errors.

    `silent`: without a goodbye, which a silent line may block, as far as the driver supports it.
    """
    if getattr(connection, "answer_pending", False):
        abort(connection)
    if isinstance(connection, _PyMySQLConnection):
        result = connection._result  # type: ignore[attr-defined]  # not in the stub
        if result is not None:
            result.unbuffered_active = False  # stops its finalizer from reading a closed socket
        if silent:
            connection._force_close()  # type: ignore[attr-defined]  # not in the stub
            return
    with suppress(Exception):  # already closed, or broken
        connection.close()


def abort(connection: Any) -> None:
    """Shut down a connection in use by another thread; that thread gets an error at once."""
    source = getattr(connection, "_sock", None)
    if isinstance(source, socket.socket):
        with suppress(OSError):  # already closed
            socket.socket.shutdown(source, socket.SHUT_RDWR)  # bypasses the TLS shutdown


def forget(connection: Any) -> None:
    """In a forked child: close the socket without notifying the parent's server."""
    if isinstance(connection, _PyMySQLConnection):
        connection._force_close()  # type: ignore[attr-defined]  # not in the stub
