"""Opens asyncio connections to a configured database."""

import asyncio

import pymysql
from pymysql.constants import CR

from steadypool._drivers.async_mysql import AsyncConnection
from steadypool._drivers.configuration import Config
from steadypool._drivers.names import Name
from steadypool._drivers.tls import tls_context


class AsyncConnector:
    """Opens connections to one database; an async callable without arguments.

    `address`, `user` and `database` describe the destination. Raises PoolConfigError.
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
        return f"AsyncConnector({self._config!r})"

    async def __call__(self, limit: float | None = None) -> AsyncConnection:
        """Open a connection and sign in, all within the configured `connect_timeout`.

        The time covers looking up the host name. The caller cancels the connect after `limit`
        seconds, if given, and the addresses of the host share that time. Raises PyMySQL's errors
        and PoolConfigError.
        """
        connection = self._unconnected()
        connection.name = self._name
        connection.connect_seconds = min(filter(None, (limit, self._config.connect_timeout)))
        try:
            async with asyncio.timeout(self._config.connect_timeout):
                await connection._connect()
        except TimeoutError:
            connection.abort()
            raise pymysql.OperationalError(
                CR.CR_SERVER_LOST, f"not signed in within {self._config.connect_timeout} s"
            ) from None
        except pymysql.OperationalError as error:
            connection.abort()
            if isinstance(error.__cause__, OSError):  # aiomysql leaves it out of its message
                text = f"Can't connect to MySQL server on {self.address!r} ({error.__cause__})"
                raise pymysql.OperationalError(error.args[0], text) from error.__cause__
            raise
        except BaseException:
            connection.abort()
            raise
        connection.connect_seconds = self._config.connect_timeout
        connection.limit(self._config.reading_timeout, self._config.writing_timeout)
        return connection

    def _unconnected(self) -> AsyncConnection:
        config = self._config
        connection = AsyncConnection(
            host=config.host,
            port=config.port,
            unix_socket=config.unix_socket,
            user=config.user,
            # aiomysql encodes it as Latin-1; the result here is UTF-8, and encoding cannot fail.
            password=config.password.encode().decode("latin-1"),
            db=config.database,
            charset=config.charset,
            autocommit=config.autocommit,
            ssl=tls_context(config),
        )
        connection.tls_required = config.requires_tls
        return connection
