"""What the pool asks of a connection: what it is like, and to be reset, checked or closed.

A connection of ours can be judged by its attributes. A pool given a `connect` callable may get any
DB-API connection; what such a connection cannot say is taken for the worse: it is rolled back.
This module and `steadypool._drivers.mysql` are the only ones to import PyMySQL.
"""

import select
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pymysql
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
    """Tell what a connection is like from its attributes alone; sends nothing, never raises."""
    if type(connection) is not Connection:
        return _foreign_state(connection)
    if connection._sock is None:
        return _CLOSED
    result = connection._result
    if connection.owed or (result is not None and (result.unbuffered_active or result.has_next)):
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
        # sqlite3 and a few others say so; whoever does not is rolled back.
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
    # Without a result it may have failed, or been cut short as it read one: a rollback finds out.
    told = result is not None and (status & _AUTOCOMMIT_FLAG or result.server_status is not None)
    return _CLEAN if told else _IN_TRANSACTION


def alive(connection: Any) -> bool:
    """Tell, without a round trip, whether an idle connection can still be good.

    A server speaks first only to say good-bye: an idle socket that can be read is dead.
    A connection without a socket to look at is taken for good unless it says that it is closed.
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
    """Tell, by a round trip of at most `limit` seconds, whether a connection is good.

    The limit is kept by PyMySQL's connections; others have their driver's.
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
            _ask(connection)
    except Exception:
        return False
    return state(connection) is not _CLOSED


def _ask(connection: Any) -> None:
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
    """Make a connection fit for the next borrower; False: it must be dropped."""
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
    """End the transaction that a hook has left open; False: nobody can use the connection."""
    found = state(connection)
    return found is _CLEAN or restore(connection, found, Reset.ROLLBACK)


def begin(connection: Any) -> None:
    """Begin a transaction on a connection that would commit each statement by itself.

    Where the driver cannot be asked, one is taken to begin by itself, as DB-API says.
    """
    if isinstance(connection, _PyMySQLConnection) and connection.get_autocommit():
        connection.begin()


def undo(connection: Any) -> None:
    """Roll back; where that fails, close, so that the connection is dropped when it comes back.

    Nothing is done where rows are left to read, for the driver would read all of them first: such
    a connection is dropped as it is when it comes back.
    """
    if state(connection) is _UNREAD:
        return
    try:
        connection.rollback()
    except Exception:
        close(connection)


def close(connection: Any) -> None:
    """Close, whatever the connection says to it; at once, also if a thread waits for an answer."""
    if getattr(connection, "owed", False):
        cut(connection)
    if isinstance(connection, _PyMySQLConnection):
        result = connection._result  # type: ignore[attr-defined]  # not in the stub
        if result is not None:
            result.unbuffered_active = False  # lest its finalizer read on, from a closed socket
    with suppress(Exception):  # it is closed already, or past closing
        connection.close()


def cut(connection: Any) -> None:
    """Cut off a connection that another thread is using: that thread gets an error at once."""
    source = getattr(connection, "_sock", None)
    if isinstance(source, socket.socket):
        with suppress(OSError):  # it is closed already
            socket.socket.shutdown(source, socket.SHUT_RDWR)  # TLS would be torn down first


def forget(connection: Any) -> None:
    """In a forked child: let go of the socket without a word to the parent's server."""
    if isinstance(connection, _PyMySQLConnection):
        connection._force_close()  # type: ignore[attr-defined]  # not in the stub


def may_mend(error: BaseException) -> bool:
    """Tell whether a failed connect may succeed later; the server's refusals by rule will not."""
    return _code(error) not in (1044, 1045, 1049) and not _distrusts(error)


def suggestion(error: BaseException) -> str:
    """Say what to do about a failed connect."""
    if _distrusts(error):
        return "The server's certificate is not trusted: check tls_ca, and the name of the host."
    return _SUGGESTIONS.get(_code(error), "Look at the cause above.")


def _distrusts(error: BaseException) -> bool:
    return isinstance(error.__cause__ or error.__context__, ssl.SSLCertVerificationError)


def _code(error: BaseException) -> object:
    return error.args[0] if isinstance(error, pymysql.MySQLError) and error.args else None


_SUGGESTIONS: dict[object, str] = {
    1040: "The server has too many connections: lower size and max_overflow, or raise its limit.",
    1044: "The user may not use this database: grant it, or name another database.",
    1045: "The server refused user or password: check both, and the host the user may come from.",
    1049: "The database does not exist: create it, or correct its name.",
    2003: "Is the server running, and are host, port or socket right?",
    2006: "The server went away while signing in: is it starting, or out of memory?",
    2013: "The server stopped answering while signing in: is it overloaded, is a proxy in between?",
}
