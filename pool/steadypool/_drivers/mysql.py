"""PyMySQL connections.

`Connection` extends PyMySQL's connection. It knows when the server's last transaction status is out
of date, it never mistakes the rest of an old answer for a new one, its sign-in has a deadline, and
it keeps its doubts (see `session`).

PyMySQL learns the transaction status only from the answer to a statement that returns no rows;
after a query or a failed statement it holds an older status. If a signal or undecodable text
interrupts the reading of an answer, PyMySQL takes the rest for the answer to the next statement.
And its connect timeout covers only the connect, its read timeout each single read, so a server that
sends byte by byte could block sign-in indefinitely.
"""

import socket
import ssl
import sys
import time
from typing import Any

import pymysql
from pymysql.connections import Connection as _PyMySQLConnection
from pymysql.constants import CLIENT, COMMAND, CR

from steadypool._drivers import session
from steadypool._drivers.names import Address, Name, tcp_socket
from steadypool._drivers.race import Race
from steadypool._drivers.refusals import is_transient
from steadypool._drivers.silence import SignsOfLife
from steadypool._drivers.tls import Files, context

_RESET_SESSION = 0x1F
"""COM_RESET_CONNECTION; PyMySQL has no name for it."""


class Connection(_PyMySQLConnection, session.Doubting, SignsOfLife):
    """A PyMySQL connection that knows whether its status is current and an answer is pending."""

    # Attributes of PyMySQL that its type stubs leave out.
    _sock: Any
    _rfile: Any
    _result: Any
    _read_timeout: float | None
    _write_timeout: float | None
    _current_timeout: float | None
    _secure: bool
    client_flag: int
    autocommit_mode: bool | None
    charset: str
    collation: str | None
    db: Any
    host: str
    port: int
    server_status: int

    answer_pending = False
    """An answer, or the rest of one, is still unread: the next read would return it."""
    _sign_in_settings: tuple[str, str | None, bool | None, Any] | None = None
    """Character set, collation, autocommit and database as of the first sign-in."""
    route: tuple[str | None, Name, float] | None = None
    """The arguments of `sign_in` by which the driver connects again."""

    def __init__(self, *positional: Any, **options: Any) -> None:
        # Every release reads them, and an attribute of the class takes longer to read.
        self.answer_pending = self.uncertain = False
        super().__init__(*positional, **options)

    def connect(self, sock: Any = None) -> None:
        """Connect and sign in, as PyMySQL does; with this a borrower may replace a lost session.

        A connection of a `Connector` connects by its first `route`, within the connect timeout.
        """
        if self._sock is not None:
            self._force_close()
        if sock is None and self.route is not None:
            self.sign_in(*self.route)
            self._current_timeout = -1.0  # makes PyMySQL set the socket's timeout again
            return
        self.answer_pending = self.uncertain = False
        super().connect(sock)
        if self._sign_in_settings is None:
            self._sign_in_settings = self.charset, self.collation, self.autocommit_mode, self.db
            return
        self._note_new_session()

    def reset_session(self) -> None:
        """Reset the session on the server, which rolls back; then restore the sign-in settings."""
        assert self._sign_in_settings is not None
        charset, collation, autocommit, database = self._sign_in_settings
        self._execute_command(_RESET_SESSION, b"")
        self._note_new_session()
        self._read_ok_packet()
        if database:
            self.select_db(database)
        self.set_character_set(charset, collation)
        if autocommit is not None:
            self.autocommit(autocommit)

    def set_character_set(self, charset: str, collation: Any = None) -> None:
        """Change the character set, as PyMySQL does."""
        super().set_character_set(charset, collation)
        self.answer_pending = False

    def show_warnings(self) -> Any:
        """Return the warnings, as PyMySQL does."""
        warnings = super().show_warnings()  # type: ignore[no-untyped-call]  # the stub has no hints
        self.answer_pending = False
        return warnings

    def _execute_command(self, command: int, sql: Any) -> None:
        if self.answer_pending:
            self._force_close()  # it would read the answer to an earlier statement
        self.answer_pending = True
        if command == COMMAND.COM_QUERY:
            several = bool(self.client_flag & CLIENT.MULTI_STATEMENTS)
            self.doubts = session.after_statement(self.doubts, sql, several)
        super()._execute_command(command, sql)  # type: ignore[misc]  # not in the stub
        self.answer_pending = True  # PyMySQL may just have read the rest of the last answer

    def _read_query_result(self, unbuffered: bool = False) -> Any:
        self.answer_pending = self.uncertain = True
        try:
            affected = super()._read_query_result(unbuffered)  # type: ignore[misc]  # not in the stub
        except pymysql.MySQLError as error:  # an error ends the answer
            self._refused(error)
            raise
        self.answer_pending = False
        self._note_answer(self._result.server_status is None and not self.get_autocommit())
        return affected

    def _read_ok_packet(self) -> Any:
        try:
            packet = super()._read_ok_packet()  # type: ignore[misc]  # not in the stub
        except pymysql.MySQLError as error:
            self._refused(error)
            raise
        self.answer_pending = False
        self._note_answer()
        return packet

    def _note_answer(self, unknown: bool = False) -> None:
        super()._note_answer(unknown)
        self.answered_at = self._now()

    def _force_close(self) -> None:
        # PyMySQL calls this while it handles the error of a read or a write.
        if self.answer_pending and isinstance(sys.exc_info()[1], TimeoutError):
            self.silent_since = self._now() - (self._current_timeout or 0.0)
        super()._force_close()  # type: ignore[misc]  # not in the stub

    def _refused(self, error: pymysql.MySQLError) -> None:
        self.answer_pending = bool(error.args) and error.args[0] == CR.CR_COMMANDS_OUT_OF_SYNC
        self._note_error(error)
        if self._sock is not None:  # an error of the server is an answer
            self.answered_at = self._now()

    def sign_in(self, path: str | None, name: Name, seconds: float) -> None:
        """Connect, to the unix socket `path` if given, and sign in, within this many seconds."""
        deadline = time.monotonic() + seconds
        try:
            if path is not None:
                source = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self._sign_in_over(_connected(source, path, deadline), deadline, is_unix=True)
                return
            first, *others = addresses = name.addresses(seconds)
            if others:
                self._sign_in_to_first(addresses, deadline)
                return
            source = tcp_socket(first.family)
            self._sign_in_over(_connected(source, first.where, deadline), deadline)
        except OSError as error:
            where = path or f"{self.host}:{self.port}"
            raise pymysql.OperationalError(
                2003, f"Can't connect to MySQL server on {where!r} ({error})"
            ) from error

    def _sign_in_to_first(self, addresses: list[Address], deadline: float) -> None:
        """Sign in to the first address that answers; if that fails, to the next."""
        failed: pymysql.MySQLError | None = None
        with Race(addresses, deadline) as race:
            while True:
                try:
                    reached = race.wait()
                except OSError as error:
                    raise failed or error from None
                try:
                    self._sign_in_over(*reached)
                    return
                except pymysql.MySQLError as error:
                    if not race.has_more or not is_transient(error):
                        raise
                    failed = error

    def _sign_in_over(
        self, source: socket.socket, deadline: float, *, is_unix: bool = False
    ) -> None:
        self._secure = is_unix
        self._read_bytes = _DeadlineReader(self, deadline)
        self._write_bytes = _DeadlineWriter(self, deadline)
        try:
            self.connect(source)
        finally:
            del self._read_bytes, self._write_bytes
            if self._sock is None:
                source.close()

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        return sslp if isinstance(sslp, ssl.SSLContext) else context(Files())


def _connected(source: socket.socket, address: Any, deadline: float) -> socket.socket:
    try:
        source.settimeout(_remaining(deadline))
        source.connect(address)
    except BaseException:
        source.close()
        raise
    return source


def _remaining(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class _DeadlineReader:
    """Reads for a connection during sign-in; one deadline covers all reads."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def __call__(self, count: int) -> bytes:
        """Read this many bytes; raises OSError."""
        connection, data = self._connection, b""
        while len(data) < count:
            connection._sock.settimeout(_remaining(self._deadline))
            chunk = connection._rfile.read1(count - len(data))
            if not chunk:
                connection._force_close()
                raise pymysql.OperationalError(2013, "Lost connection to MySQL server at sign-in")
            data += chunk
        return data


class _DeadlineWriter:
    """Writes for a connection during sign-in, by the same deadline."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def __call__(self, data: bytes) -> None:
        """Send; if the server has hung up, raise its reason."""
        connection = self._connection
        source = connection._sock
        source.settimeout(_remaining(self._deadline))
        try:
            source.sendall(data)
        except OSError as error:
            timed_out = isinstance(error, TimeoutError)
            reason = error if timed_out else _alert(source) or error
            connection._force_close()
            text = f"MySQL server has gone away ({reason!r})"
            raise pymysql.OperationalError(CR.CR_SERVER_GONE_ERROR, text) from reason


def _alert(source: socket.socket) -> ssl.SSLError | None:
    """Return the TLS alert that a server sent before it hung up, such as a refused certificate."""
    try:
        source.recv(1)
    except ssl.SSLError as alert:
        return alert
    except OSError:
        return None
    return None
