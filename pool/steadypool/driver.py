"""Everything that depends on the database driver; the only module to import PyMySQL.

A pool made from a configuration opens `Connection`s: PyMySQL's own, which in addition know when
the server's last word on transactions is out of date. PyMySQL hears that word only with the answer
to a statement that returns no rows; after a query or a failed statement it holds an older one.

A pool given a `connect` callable may get any DB-API connection. What such a connection cannot say
is taken for the worse: it is rolled back.
"""

import select
import socket
import ssl
from contextlib import suppress
from functools import cache
from typing import Any

import pymysql
from pymysql.connections import Connection as _PyMySQLConnection

from steadypool.config import Config
from steadypool.states import ConnectionState

_IN_TRANSACTION_FLAG = 0x0001
_AUTOCOMMIT_FLAG = 0x0002
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")

_CLEAN = ConnectionState.CLEAN
_IN_TRANSACTION = ConnectionState.IN_TRANSACTION
_UNREAD = ConnectionState.UNREAD
_CLOSED = ConnectionState.CLOSED


class Connection(_PyMySQLConnection):
    """A PyMySQL connection that knows whether its `server_status` is up to date."""

    # PyMySQL's own, which its type stubs leave out.
    _sock: Any
    _result: Any
    _read_timeout: float | None
    _write_timeout: float | None
    _secure: bool
    connect_timeout: float
    unix_socket: str | None
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

    def connect_to(self, path: str) -> None:
        """Connect to a unix socket; PyMySQL's own way leaves the socket open where that fails."""
        source = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            source.settimeout(self.connect_timeout)
            source.connect(path)
            self.unix_socket, self._secure = path, True
            self.connect(source)
        except OSError as error:
            raise pymysql.OperationalError(
                2003, f"Can't connect to MySQL server on {path!r} ({error})"
            ) from error
        finally:
            if self._sock is None:
                source.close()

    def _create_ssl_ctx(self, sslp: Any) -> ssl.SSLContext:
        # PyMySQL would read all of the system's certificates again for each connection.
        return sslp if isinstance(sslp, ssl.SSLContext) else _context(None)


@cache
def _context(authorities: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=authorities)
    if authorities is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def tls_context(config: Config) -> ssl.SSLContext | None:
    """Return what a connection to that database offers for TLS; None: it stays in plain text."""
    if config.tls is False:
        return None
    local = config.unix_socket is not None or config.host in _LOCAL_HOSTS
    if local and not (config.tls or config.tls_ca):
        return None
    return _context(config.tls_ca)


class Connector:
    """Opens connections to one database; a zero-argument callable, as `connect=` takes it.

    Thread-safe. `address`, `user` and `database` tell where it leads.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.address = config.address
        self.user = config.user
        self.database = config.database

    def __repr__(self) -> str:
        return f"Connector({self._config!r})"

    def __call__(self, limit: float | None = None) -> Connection:
        """Open a connection, each step within `limit` seconds and the configured timeout.

        Raises what PyMySQL raises.
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
            connect_timeout=seconds,
            read_timeout=seconds,  # connect_timeout does not cover signing in
            write_timeout=seconds,
            defer_connect=True,
            **self._tls(),
        )
        if config.unix_socket is None:
            connection.connect()
        else:
            connection.connect_to(config.unix_socket)
        connection._read_timeout = config.read_timeout
        connection._write_timeout = config.write_timeout
        return connection

    def _tls(self) -> dict[str, Any]:
        context = tls_context(self._config)
        if context is None:
            return {"ssl_disabled": True}
        required = self._config.tls or self._config.tls_ca
        return {"ssl": context} if required else {}


def state(connection: Any) -> ConnectionState:
    """Tell what a connection is like from its attributes alone; sends nothing, never raises."""
    if type(connection) is not Connection:
        return _foreign_state(connection)
    if connection._sock is None:
        return _CLOSED
    result = connection._result
    if result is not None and (result.unbuffered_active or result.has_next):
        return _UNREAD
    status = connection.server_status
    if status & _IN_TRANSACTION_FLAG or (connection.uncertain and not status & _AUTOCOMMIT_FLAG):
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
    told = status & _AUTOCOMMIT_FLAG or (result is not None and result.server_status is not None)
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


def rollback(connection: Any) -> bool:
    """Roll back; False if that failed and the connection must be dropped."""
    try:
        connection.rollback()
    except Exception:
        return False
    return state(connection) is not _CLOSED


def close(connection: Any) -> None:
    """Close, whatever the connection says to it."""
    with suppress(Exception):  # it is closed already, or past closing
        connection.close()


def forget(connection: Any) -> None:
    """In a forked child: let go of the socket without a word to the parent's server."""
    if isinstance(connection, _PyMySQLConnection):
        connection._force_close()  # type: ignore[attr-defined]


def suggestion(error: BaseException) -> str:
    """Say what to do about a failed connect."""
    code = error.args[0] if isinstance(error, pymysql.MySQLError) and error.args else None
    return _SUGGESTIONS.get(code, "Look at the cause above.")


_SUGGESTIONS: dict[object, str] = {
    1040: "The server has too many connections: lower size and max_overflow, or raise its limit.",
    1044: "The user may not use this database: grant it, or name another database.",
    1045: "The server refused user or password: check both, and the host the user may come from.",
    1049: "The database does not exist: create it, or correct its name.",
    2003: "Is the server running, and are host, port or socket right?",
    2006: "The server went away while signing in: is it starting, or out of memory?",
    2013: "The server stopped answering while signing in: is it overloaded, is a proxy in between?",
}
