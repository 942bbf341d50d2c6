"""PyMySQL's errors and connections, for adapters of pools that hand them out unchanged."""

from typing import Any

import pymysql
from pymysql.constants import CR, SERVER_STATUS

from poolspec.invariants.connection import open_connection
from poolspec.vocabulary import ErrorKind

__all__ = ["LOST", "driver_error", "driver_session_state", "open_connection"]

_KILLED = 1927
"""MariaDB's error for a killed connection, sent before it closes the socket."""
LOST = frozenset({CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, _KILLED})


def driver_error(error: BaseException) -> ErrorKind | None:
    """Return what an exception of PyMySQL means; None for any other exception.

    A lost connection, one that could not be opened, or a statement that the database refused.
    """
    if isinstance(error, pymysql.err.InterfaceError):
        return ErrorKind.LOST
    if not isinstance(error, pymysql.Error):
        return None
    code = error.args[0] if error.args else 0
    if code == CR.CR_CONN_HOST_ERROR:
        return ErrorKind.CONNECT
    return ErrorKind.LOST if code in LOST else ErrorKind.QUERY


def driver_session_state(connection: Any) -> str:
    """Return what its last use left behind on a connection; empty for a clean one.

    The driver keeps the server's last status, so this sends nothing to the server.
    """
    if connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS:
        return "an open transaction"
    result = connection._result
    return "an unread result" if result is not None and result.unbuffered_active else ""
