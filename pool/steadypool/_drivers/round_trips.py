"""Round trips on idle connections, for threads, and how a connection was lost on loan."""

from collections.abc import Callable
from typing import Any

from pymysql.connections import Connection as _PyMySQLConnection

from steadypool._core.entries import Answer, ConnectionState, Loss
from steadypool._drivers.dbapi import UNUSABLE, alive, state
from steadypool._drivers.silence import SHORTEST_SILENCE, SignsOfLife, shortest, timed_out


def check(connection: Any, limit: float | None, now: Callable[[], float]) -> Answer:
    """Make a round trip within `limit` seconds, and return what it shows; never raises.

    PyMySQL's connections keep this limit and their own, or CHECK_LIMIT without any. Others have the
    limit of their driver; an error after a wait then counts as silence.
    """
    if not alive(connection):
        return Answer.DEAD
    if not is_limited(connection):
        return _unlimited(connection, now)
    usual = connection._read_timeout
    seconds = shortest(usual, limit)
    try:
        connection._read_timeout = seconds
        connection.ping(reconnect=False)
        connection._read_timeout = usual
    except Exception as error:
        silent = timed_out(error) and seconds >= SHORTEST_SILENCE
        return Answer.SILENT if silent else Answer.DEAD
    return _usable(connection)


def is_limited(connection: Any) -> bool:
    """Return whether a round trip on this connection keeps a time limit."""
    return isinstance(connection, _PyMySQLConnection)


def loss(connection: Any, failed: bool = False) -> Loss | None:
    """Return how a connection was lost; None if it was not.

    It was lost too if it fell silent and the driver has connected again. `failed`: a round trip of
    the pool failed, which a foreign connection may not report.
    """
    is_own = isinstance(connection, SignsOfLife)
    if is_own and connection.silent_since is not None:
        return Loss.SILENT
    if not (failed or state(connection) is ConnectionState.CLOSED):
        return None
    return Loss.UNKNOWN if is_limited(connection) and not is_own else Loss.KNOWN


def _unlimited(connection: Any, now: Callable[[], float]) -> Answer:
    began = now()
    try:
        _round_trip(connection)
    except Exception as error:
        silent = timed_out(error) or now() - began >= SHORTEST_SILENCE
        return Answer.SILENT if silent else Answer.DEAD
    return _usable(connection)


def _usable(connection: Any) -> Answer:
    return Answer.DEAD if state(connection) in UNUSABLE else Answer.ALIVE


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
