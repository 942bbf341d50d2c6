"""What the drivers of MySQL and MariaDB share: error codes, session status, kinds of sockets."""

import socket
from types import ModuleType
from typing import Any, cast

from poolspec.drivers.contract import NONE, SCRIPTED, Make
from poolspec.vocabulary import Call, ErrorKind

CONNECT_FAILED = 2003
UNREACHED = frozenset({2002, CONNECT_FAILED, 2005})
"""No server at a unix socket, none at an address, no address of a host name."""
REFUSED = frozenset({1040, 1045, 1203, 1226})
"""The server has no room for a client, or refuses its password."""
GONE = 2006
LOST = 2013
KILLED = 1927
"""MariaDB's error for a killed connection, sent before it closes the socket."""
SHUTDOWN = 1053
"""The server's error for a statement that its orderly shutdown ends."""
INACTIVE = 4031
"""MySQL's error for a connection that `wait_timeout` ended."""
LOSSES = frozenset({GONE, LOST, 2055, KILLED, SHUTDOWN, INACTIVE})
DEADLOCK = 1213
"""The server's error for the transaction that it ends to resolve a deadlock."""

_IN_TRANSACTION = 0x0001
"""The server's status flag SERVER_STATUS_IN_TRANS."""

AN_OPEN_TRANSACTION = "an open transaction"
AN_UNREAD_RESULT = "an unread result"


def kind_of_code(code: object) -> ErrorKind:
    """Return what an error with this code means."""
    if code in UNREACHED or code in REFUSED:
        return ErrorKind.CONNECT
    if code == DEADLOCK:
        return ErrorKind.DEADLOCK
    return ErrorKind.LOST if code in LOSSES else ErrorKind.QUERY


def kind_of(error: BaseException, errors: ModuleType) -> ErrorKind | None:
    """Return what an error of PyMySQL, or of a driver made from it, means; None for any other."""
    if isinstance(error, errors.InterfaceError):
        return ErrorKind.LOST
    if not isinstance(error, errors.Error):
        return None
    return kind_of_code(error.args[0] if error.args else 0)


def code_of(call: Call) -> int:
    """Return the code of the error that a call raises when it fails."""
    return CONNECT_FAILED if call is Call.CONNECT else LOST


def state_of(connection: Any) -> str:
    """Return what its last use left behind on a connection; empty for a clean one.

    PyMySQL and the drivers made from it keep the server's last status and the last result.
    """
    if connection.server_status & _IN_TRANSACTION:
        return AN_OPEN_TRANSACTION
    result = connection._result
    return AN_UNREAD_RESULT if result is not None and result.unbuffered_active else ""


def make_by(source: Any, connection: Any) -> Make:
    """Return the kind of a connection by its socket; None if it is closed."""
    family = getattr(source, "family", None)
    kind = NONE if family is None else "unix" if family is socket.AF_UNIX else "tcp"
    return Make(kind, type(connection).__module__.partition(".")[0])


def port_of(source: Any) -> int:
    """Return the local port of a socket; 0 if it is closed or has none."""
    try:
        return cast(int, source.getsockname()[1])
    except (AttributeError, IndexError, OSError):
        return 0


SCRIPTED_MAKE = Make(NONE, SCRIPTED)
