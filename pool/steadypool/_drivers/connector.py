"""Opens PyMySQL connections to a configured database."""

from typing import Any

from steadypool._drivers.configuration import Config
from steadypool._drivers.mysql import Connection
from steadypool._drivers.names import Name
from steadypool._drivers.tls import tls_context


class Connector:
    """Opens connections to one database; a callable without arguments, for `connect=`.

    Thread-safe. `address`, `user` and `database` describe the destination. Raises PoolConfigError.
    """

    def __init__(self, config: Config) -> None:
        tls_context(config)  # reports a missing or broken file now, not only at each connect
        self._config = config
        self._name = Name(config.host, config.port)
        self.address = config.address
        self.user = config.user
        self.database = config.database
        self.place = config.place

    def __repr__(self) -> str:
        return f"Connector({self._config!r})"

    def __call__(self, limit: float | None = None) -> Connection:
        """Open a connection, within `limit` seconds and the configured timeout.

        The time covers looking up the host name, connecting and signing in. Raises PyMySQL's
        errors and PoolConfigError.
        """
        config = self._config
        seconds = config.connect_timeout if limit is None else min(limit, config.connect_timeout)
        connection = Connection(
            host=config.host,
            port=config.port,
            user=config.user,
            # As bytes: PyMySQL encodes text as Latin-1, and quotes it in the error if that fails.
            password=config.password.encode(),
            database=config.database,
            charset=config.charset,
            autocommit=config.autocommit,
            read_timeout=seconds,
            write_timeout=seconds,
            defer_connect=True,
            **self._tls(),
        )
        connection.sign_in(config.unix_socket, self._name, seconds)
        connection._read_timeout = config.reading_timeout
        connection._write_timeout = config.writing_timeout
        connection._current_timeout = -1.0  # makes PyMySQL set the socket's timeout again
        connection.route = config.unix_socket, self._name, config.connect_timeout
        return connection

    def _tls(self) -> dict[str, Any]:
        offered = tls_context(self._config)
        if offered is None:
            return {"ssl_disabled": True}
        return {"ssl": offered} if self._config.requires_tls else {}
