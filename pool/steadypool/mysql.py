"""PyMySQL's connections, and how they are opened.

A pool made from a configuration opens `Connection`s: PyMySQL's own, which in addition know when
the server's last word on transactions is out of date, and end signing in by a deadline.

PyMySQL hears that word only with the answer to a statement that returns no rows; after a query or a
failed statement it holds an older one. And it applies its connect timeout to the connect alone, its
read timeout to each single read: a server that dribbles could keep it busy for ever.
"""

import socket
import ssl
import time
from typing import Any

import pymysql
from pymysql.connections import Connection as _PyMySQLConnection

from steadypool.config import Config
from steadypool.tls import context, tls_context

_RESET_SESSION = 0x1F
"""COM_RESET_CONNECTION, which PyMySQL has no name for."""


class Connection(_PyMySQLConnection):
    """A PyMySQL connection that knows whether its `server_status` is up to date."""

    # PyMySQL's own, which its type stubs leave out.
    _sock: Any
    _rfile: Any
    _result: Any
    _read_timeout: float | None
    _write_timeout: float | None
    _current_timeout: float | None
    _secure: bool
    _execute_command: Any
    _read_ok_packet: Any
    _force_close: Any
    autocommit_mode: bool | None
    charset: str
    host: str
    port: int
    server_status: int

    uncertain = False
    """A statement was sent since the server last said whether a transaction is open."""

    def query(self, sql: Any, unbuffered: bool = False) -> Any:
        """Run a statement; as PyMySQL's."""
        self.uncertain = True
        affected = super().query(sql, unbuffered)
        result = self._result
        self.uncertain = result is None or result.server_status is None
        return affected

    def commit(self) -> None:
        """Commit; as PyMySQL's."""
        super().commit()
        self.uncertain = False

    def rollback(self) -> None:
        """Roll back; as PyMySQL's."""
        super().rollback()
        self.uncertain = False

    def reset_session(self) -> None:
        """Forget all session state at the server, and roll back; then sign in's settings again."""
        self._execute_command(_RESET_SESSION, b"")
        self._read_ok_packet()
        self.set_character_set(self.charset)
        if self.autocommit_mode is not None:
            self.autocommit(self.autocommit_mode)
        self.uncertain = False

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
