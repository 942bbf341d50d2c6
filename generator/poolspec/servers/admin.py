"""The administrator's connection: one for each server and process, opened when first needed.

A lock guards it. After an interrupted statement, a lost server or a fork, the next statement opens
a new connection.
"""

import os
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from poolspec.servers.base import Address, ServerError

if TYPE_CHECKING:
    from pymysql.connections import Connection

T = TypeVar("T")
Row = tuple[Any, ...]
_LOST = {2003, 2006, 2013, 2055}
_CONNECT_SECONDS = 5
_STATEMENT_SECONDS = 30


class RefusedError(ServerError):
    """The server refused a statement; carries the server's error number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"({code}) {message}")
        self.code = code


class Admin:
    """Runs statements as the administrator of a server; thread-safe."""

    def __init__(self, address: Address, user: str, password: str) -> None:
        self._address = address
        self._user = user
        self._password = password
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"Admin({self._user!r} at {self._address})"

    def run(self, *statements: str) -> tuple[Row, ...]:
        """Run statements in order, and return the rows of the last.

        Raises RefusedError with the server's reason, or another ServerError: it cannot be reached.
        """
        rows: tuple[Row, ...] = ()
        with self._lock:
            for statement in statements:
                rows = self._run_once_more(statement)
        return rows

    def connect(self) -> None:
        """Open the connection now; raises ServerError."""
        with self._lock:
            self._open()

    def close(self) -> None:
        """Close the connection; idempotent."""
        with self._lock:
            self._drop()

    def _run_once_more(self, statement: str) -> tuple[Row, ...]:
        # The lock is held. A server that was restarted costs one failure, not the test.
        try:
            return self._run(statement)
        except RefusedError:
            raise
        except ServerError:
            return self._run(statement)

    def _run(self, statement: str) -> tuple[Row, ...]:
        connection = self._open()

        def execute() -> tuple[Row, ...]:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return tuple(cursor.fetchall())

        try:
            return self._translated(execute)
        except RefusedError:
            raise
        except BaseException:
            self._drop()
            raise

    def _open(self) -> "Connection":
        if self._connection is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._connection = self._translated(
                lambda: open_connection(
                    self._address, self._user, self._password, timeout=_CONNECT_SECONDS
                )
            )
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None and connection.open:
            # Without COM_QUIT: a dead or stopped server would not answer it.
            connection._force_close()  # type: ignore[attr-defined]  # not in the stub

    def _translated(self, action: Callable[[], T]) -> T:
        import pymysql.err

        try:
            return action()
        except pymysql.err.MySQLError as error:
            code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
            message = str(error.args[-1]) if error.args else type(error).__name__
            if code == 0 or code in _LOST:
                raise ServerError(
                    f"The server at {self._address} cannot be reached: {message}. "
                    "Check that it runs and that the address is right."
                ) from None
            raise RefusedError(code, message) from None


def open_connection(
    address: Address, user: str, password: str, *, timeout: float, database: str | None = None
) -> "Connection":
    """Open a PyMySQL connection in autocommit mode.

    On loopback TLS is off: making its context takes longer than the connect itself. The socket is
    opened here, because PyMySQL does not close it when the connect is refused.
    """
    import pymysql

    local = address.unix_socket is not None or address.host in ("127.0.0.1", "localhost", "::1")
    connection = pymysql.connect(
        host=address.host,
        user=user,
        password=password,
        database=database,
        autocommit=True,
        ssl_disabled=local,
        read_timeout=_STATEMENT_SECONDS,
        write_timeout=_STATEMENT_SECONDS,
        defer_connect=True,
    )
    reached = _reach(address, timeout)
    try:
        # A password may cross a unix socket in plain text; PyMySQL needs to know that this is one.
        connection._secure = address.unix_socket is not None  # type: ignore[attr-defined]  # not in the stub
        connection.connect(reached)
    except BaseException:
        reached.close()
        raise
    return connection


def _reach(address: Address, timeout: float) -> socket.socket:
    import pymysql.err

    try:
        if address.unix_socket is None:
            return socket.create_connection((address.host, address.port), timeout)
        reached = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        reached.settimeout(timeout)
        try:
            reached.connect(address.unix_socket)
        except BaseException:
            reached.close()
            raise
        return reached
    except OSError as error:
        raise pymysql.err.OperationalError(2003, str(error)) from None
