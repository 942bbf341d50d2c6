"""PyMySQL's connections, and how they are opened.

A pool made from a configuration opens `Connection`s: PyMySQL's own, which in addition know when
the server's last word on transactions is out of date, and end signing in by a deadline.

PyMySQL hears that word only with the answer to a statement that returns no rows; after a query or a
failed statement it holds an older one. An answer that it was interrupted in reading, by a signal or
by text that cannot be decoded, it would take for the answer to what is asked next. And it applies
its connect timeout to the connect alone, its read timeout to each single read: a server that
dribbles could keep it busy for ever.
"""

import socket
import ssl
import time
from typing import Any

import pymysql
from pymysql.connections import Connection as _PyMySQLConnection
from pymysql.constants import CR

from steadypool._drivers.configuration import Config
from steadypool._drivers.tls import context, tls_context

_RESET_SESSION = 0x1F
"""COM_RESET_CONNECTION, which PyMySQL has no name for."""


class Connection(_PyMySQLConnection):
    """A PyMySQL connection that knows what its `server_status` is worth, and if it is in step."""

    # PyMySQL's own, which its type stubs leave out.
    _sock: Any
    _rfile: Any
    _result: Any
    _read_timeout: float | None
    _write_timeout: float | None
    _current_timeout: float | None
    _secure: bool
    _force_close: Any
    autocommit_mode: bool | None
    charset: str
    collation: str | None
    db: Any
    host: str
    port: int
    server_status: int

    uncertain = False
    """A transaction may be open: the server has not said so since the last statement."""
    owed = False
    """The server owes an answer, or its rest: what is read next is not what is asked next."""
    _settings: tuple[str, str | None, bool | None, Any] = ("", None, None, None)
    """Character set, collation, autocommit and database, as signed in with."""

    def connect(self, sock: Any = None) -> None:
        """Connect and sign in; as PyMySQL's."""
        super().connect(sock)
        self._settings = self.charset, self.collation, self.autocommit_mode, self.db

    def reset_session(self) -> None:
        """Forget all session state at the server, and roll back; then sign in's settings again."""
        charset, collation, autocommit, database = self._settings
        self._execute_command(_RESET_SESSION, b"")
        self._read_ok_packet()
        if database:
            self.select_db(database)
        self.set_character_set(charset, collation)
        if autocommit is not None:
            self.autocommit(autocommit)

    def set_character_set(self, charset: str, collation: Any = None) -> None:
        """Change the character set; as PyMySQL's."""
        super().set_character_set(charset, collation)
        self.owed = False

    def show_warnings(self) -> Any:
        """Ask for warnings; as PyMySQL's."""
        warnings = super().show_warnings()  # type: ignore[no-untyped-call]  # the stub has no hints
        self.owed = False
        return warnings

    def _execute_command(self, command: int, sql: Any) -> None:
        if self.owed:
            self._force_close()  # it would read the answer to what another asked
        self.owed = True
        super()._execute_command(command, sql)  # type: ignore[misc]  # not in the stub
        self.owed = True  # also if it has read what was left of the last answer

    def _read_query_result(self, unbuffered: bool = False) -> Any:
        self.owed = self.uncertain = True
        try:
            affected = super()._read_query_result(unbuffered)  # type: ignore[misc]  # not in the stub
        except pymysql.MySQLError as error:  # is the end of the answer
            self.owed = _out_of_step(error)
            raise
        self.owed = False
        self.uncertain = self._result.server_status is None and not self.get_autocommit()
        return affected

    def _read_ok_packet(self) -> Any:
        try:
            packet = super()._read_ok_packet()  # type: ignore[misc]  # not in the stub
        except pymysql.MySQLError as error:
            self.owed = _out_of_step(error)
            raise
        self.owed = self.uncertain = False
        return packet

    def sign_in(self, path: str | None, seconds: float) -> None:
        """Connect, to a unix socket if there is a path, and sign in, within so many seconds."""
        deadline = time.monotonic() + seconds
        where = path or f"{self.host}:{self.port}"
        source = None
        self._read_bytes = _Dribble(self, deadline)
        try:
            source = self._reach(path, deadline)
            self.connect(source)
        except OSError as error:
            raise pymysql.OperationalError(
                2003, f"Can't connect to MySQL server on {where!r} ({error})"
            ) from error
        finally:
            del self._read_bytes
            if self._sock is None and source is not None:
                source.close()

    def _reach(self, path: str | None, deadline: float) -> socket.socket:
        """Connect a socket; a name's addresses are tried in turn until the deadline."""
        if path is not None:
            self._secure = True
            return _connected(socket.AF_UNIX, path, deadline)
        error: OSError = OSError("the name has no address")
        for family, _, _, _, address in socket.getaddrinfo(
            self.host, self.port, type=socket.SOCK_STREAM
        ):
            try:
                source = _connected(family, address, deadline)
            except OSError as reason:
                error = reason
                continue
            source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            source.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return source
        raise error

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        return sslp if isinstance(sslp, ssl.SSLContext) else context(None)


def _out_of_step(error: pymysql.MySQLError) -> bool:
    return bool(error.args) and error.args[0] == CR.CR_COMMANDS_OUT_OF_SYNC


def _connected(family: int, address: Any, deadline: float) -> socket.socket:
    source = socket.socket(family, socket.SOCK_STREAM)
    try:
        source.settimeout(_left(deadline))
        source.connect(address)
    except BaseException:
        source.close()
        raise
    return source


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


class _Dribble:
    """Reads for a connection that is signing in, until a deadline that covers all of it."""

    def __init__(self, connection: Connection, deadline: float) -> None:
        self._connection = connection
        self._deadline = deadline

    def __call__(self, count: int) -> bytes:
        """Read so many bytes; raises OSError."""
        connection, data = self._connection, b""
        while len(data) < count:
            connection._sock.settimeout(_left(self._deadline))
            chunk = connection._rfile.read1(count - len(data))
            if not chunk:
                connection._force_close()
                raise pymysql.OperationalError(2013, "Lost connection to MySQL server at sign-in")
            data += chunk
        return data


class Connector:
    """Opens connections to one database; a zero-argument callable, as `connect=` takes it.

    Thread-safe. `address`, `user` and `database` tell where it leads. Raises PoolConfigError.
    """

    def __init__(self, config: Config) -> None:
        tls_context(config)  # authorities that cannot be had are told now, not at each connect
        self._config = config
        self.address = config.address
        self.user = config.user
        self.database = config.database
        self.place = config.place

    def __repr__(self) -> str:
        return f"Connector({self._config!r})"

    def __call__(self, limit: float | None = None) -> Connection:
        """Open a connection, within `limit` seconds and the configured timeout.

        The time covers connecting and signing in, but not the look-up of the host's name. Raises
        what PyMySQL raises.
        """
        config = self._config
        seconds = config.connect_timeout if limit is None else min(limit, config.connect_timeout)
        connection = Connection(
            host=config.host,
            port=config.port,
            user=config.user,
            # As bytes: PyMySQL would encode text as Latin-1, and quote it in the error if it can't.
            password=config.password.encode(),
            database=config.database,
            charset=config.charset,
            autocommit=config.autocommit,
            read_timeout=seconds,
            write_timeout=seconds,
            defer_connect=True,
            **self._tls(),
        )
        connection.sign_in(config.unix_socket, seconds)
        connection._read_timeout = config.reading_timeout
        connection._write_timeout = config.writing_timeout
        connection._current_timeout = -1.0  # what the socket has now is what was left: set it anew
        return connection

    def _tls(self) -> dict[str, Any]:
        offered = tls_context(self._config)
        if offered is None:
            return {"ssl_disabled": True}
        required = self._config.tls or self._config.tls_ca
        return {"ssl": offered} if required else {}
