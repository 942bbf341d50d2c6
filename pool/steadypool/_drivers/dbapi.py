"""Inspects, checks, resets and closes DB-API connections, for threads.

The attributes of steadypool's own connections show their state. A pool with a `connect` callable
may get any DB-API connection; the pool assumes the worst about one that does not report its state,
and rolls it back.
"""

import select
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pymysql.connections import Connection as _PyMySQLConnection

from steadypool._core.entries import ConnectionState
from steadypool._core.settings import Reset
from steadypool._drivers.mysql import Connection

_IN_TRANSACTION_FLAG = 0x0001
_AUTOCOMMIT_FLAG = 0x0002

_CLEAN = ConnectionState.CLEAN
_IN_TRANSACTION = ConnectionState.IN_TRANSACTION
_UNREAD = ConnectionState.UNREAD
_CLOSED = ConnectionState.CLOSED


def state(connection: Any) -> ConnectionState:
    """Return the state of a connection from its attributes; sends nothing, never raises."""
    if type(connection) is not Connection:
        return _foreign_state(connection)
    if connection._sock is None:
        return _CLOSED
    result = connection._result
    if connection.answer_pending or (
        result is not None and (result.unbuffered_active or result.has_next)
    ):
        return _UNREAD
    if connection.uncertain or connection.server_status & _IN_TRANSACTION_FLAG:
        return _IN_TRANSACTION
    return _CLEAN


def _foreign_state(connection: Any) -> ConnectionState:
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
    status = connection.server_status
    if status & _IN_TRANSACTION_FLAG:
        return _IN_TRANSACTION
    # Without a result the statement may have failed or been interrupted: a rollback clears both.
    certain = result is not None and (status & _AUTOCOMMIT_FLAG or result.server_status is not None)
    return _CLEAN if certain else _IN_TRANSACTION


def alive(connection: Any) -> bool:
    """Return, without a round trip, whether an idle connection can still be alive.

    A server sends unasked only when it closes a connection, so an idle socket with data to read is
    dead. A connection without a socket counts as alive unless it reports that it is closed.
    """
    if _foreign_state(connection) is _CLOSED:
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


def answers(connection: Any, limit: float | None) -> bool:
    """Return whether a connection answers a round trip within `limit` seconds.

    PyMySQL's connections keep this limit; others have the limit of their driver.
    """
    if not alive(connection):
        return False
    usual = getattr(connection, "_read_timeout", None)
    try:
        if isinstance(connection, _PyMySQLConnection):
            shortest = min(filter(None, (usual, limit)), default=None)
            connection._read_timeout = shortest  # type: ignore[attr-defined]  # not in the stub
            connection.ping(reconnect=False)
            connection._read_timeout = usual  # type: ignore[attr-defined]  # not in the stub
        else:
            _round_trip(connection)
    except Exception:
        return False
    return state(connection) is not _CLOSED


def _round_trip(connection: Any) -> None:
    if hasattr(connection, "ping"):
        connection.ping()
        return
    cursor = connection.cursor()
    try:
        cursor.execute("SELECT 1")
        cursor.fetchall()
    finally:
        cursor.close()
    connection.rollback()


def restore(connection: Any, found: ConnectionState, reset: Reset) -> bool:
    """Reset a connection for the next borrower; False: the pool must drop it."""
    if found is _UNREAD or found is _CLOSED:
        return False
    work: Callable[[], object] = connection.rollback
    if reset is Reset.SESSION:
        work = getattr(connection, "reset_session", work)
    try:
        work()
    except Exception:
        return False
    return state(connection) is not _CLOSED


def settle(connection: Any) -> bool:
    """End a transaction that a hook left open; False: the connection is unusable."""
    found = state(connection)
    return found is _CLEAN or restore(connection, found, Reset.ROLLBACK)


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


def close(connection: Any) -> None:
    """Close at once, even while a thread waits for an answer; ignores the connection's errors."""
    if getattr(connection, "answer_pending", False):
        abort(connection)
    if isinstance(connection, _PyMySQLConnection):
        result = connection._result  # type: ignore[attr-defined]  # not in the stub
        if result is not None:
            result.unbuffered_active = False  # stops its finalizer from reading a closed socket
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
