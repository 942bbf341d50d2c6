"""Pools that look up names, try addresses, read TLS files or judge refusals wrongly."""

import ssl
from collections.abc import Callable
from typing import Any

import pymysql
from tests.wrong_pools.faults import noticed_by

import steadypool
from steadypool._drivers import names
from steadypool._drivers.async_connector import AsyncConnector
from steadypool._drivers.async_mysql import AsyncConnection
from steadypool._drivers.configuration import load
from steadypool._drivers.names import Address, Name


class _Named(steadypool.ConnectionPool):
    """Connects with a connector that is wrong about names or files."""

    connector: Callable[..., Any]

    def __init__(self, *, connect: Any = None, config: Any = None, **options: Any) -> None:
        own = self.connector if connect is None else None
        super().__init__(connect=own(load(config, "primary")) if own else connect, **options)


class _AsyncNamed(steadypool.AsyncConnectionPool):
    """Connects with a connector that is wrong about names or files."""

    connector: Callable[..., Any]

    def __init__(self, *, connect: Any = None, config: Any = None, **options: Any) -> None:
        own = self.connector if connect is None else None
        super().__init__(connect=own(load(config, "primary")) if own else connect, **options)


class _FirstOnly(Name):
    """Knows only the first address of a name."""

    def addresses(self, seconds: float) -> list[Address]:
        return super().addresses(seconds)[:1]

    async def addresses_async(self) -> list[Address]:
        return (await super().addresses_async())[:1]


class _Cached(Name):
    """Looks a name up once."""

    known: list[Address] | None = None

    def addresses(self, seconds: float) -> list[Address]:
        self.known = self.known or super().addresses(seconds)
        return self.known

    async def addresses_async(self) -> list[Address]:
        self.known = self.known or await super().addresses_async()
        return self.known


class _Blocking(Name):
    """Waits for a look-up as long as it takes."""

    def addresses(self, seconds: float) -> list[Address]:
        return names._ask(self._host, self._port)

    async def addresses_async(self) -> list[Address]:
        return names._ask(self._host, self._port)


def _by(name: type[Name]) -> Callable[[Any], steadypool.Connector]:
    def make(config: Any) -> steadypool.Connector:
        made = steadypool.Connector(config)
        made._name = name(config.host, config.port)
        return made

    return staticmethod(make)


def _async_by(name: type[Name]) -> Callable[[Any], AsyncConnector]:
    def make(config: Any) -> AsyncConnector:
        made = AsyncConnector(config)
        made._name = name(config.host, config.port)
        return made

    return staticmethod(make)


@noticed_by("names.a_silent_first_address_is_followed_by_the_next")
class TriesOneAddress(_Named):
    """Tries only the first address of a name."""

    connector = _by(_FirstOnly)


@noticed_by("names.a_silent_first_address_is_followed_by_the_next")
class AsyncTriesOneAddress(_AsyncNamed):
    """Tries only the first address of a name."""

    connector = _async_by(_FirstOnly)


@noticed_by("names.new_connects_follow_the_name")
class LooksUpOnce(_Named):
    """Keeps the address of a name for ever."""

    connector = _by(_Cached)


@noticed_by("names.new_connects_follow_the_name")
class AsyncLooksUpOnce(_AsyncNamed):
    """Keeps the address of a name for ever."""

    connector = _async_by(_Cached)


@noticed_by("names.a_look_up_takes_no_longer_than_the_acquire")
class WaitsForLookUps(_Named):
    """Does not limit the time of a look-up."""

    connector = _by(_Blocking)


@noticed_by("names.a_look_up_takes_no_longer_than_the_acquire")
class AsyncWaitsForLookUps(_AsyncNamed):
    """Blocks its event loop during a look-up."""

    connector = _async_by(_Blocking)


class _FilesOnce(steadypool.Connector):
    """Reads the TLS files of a database once."""

    files: dict[str, Any] | None = None

    def _tls(self) -> dict[str, Any]:
        self.files = self.files or super()._tls()
        return self.files


class _AsyncFilesOnce(AsyncConnector):
    """Reads the TLS files of a database once."""

    files: ssl.SSLContext | None = None

    def _unconnected(self) -> AsyncConnection:
        made = super()._unconnected()
        self.files = made._ssl_context = self.files or made._ssl_context
        return made


@noticed_by("tls.a_rotated_authority_is_used_by_the_next_connect")
class KeepsItsTlsFiles(_Named):
    """Uses the TLS files of its first connect for all others."""

    connector = _FilesOnce


@noticed_by("tls.a_rotated_authority_is_used_by_the_next_connect")
class AsyncKeepsItsTlsFiles(_AsyncNamed):
    """Uses the TLS files of its first connect for all others."""

    connector = _AsyncFilesOnce


class _HidesRefusals(steadypool.Connector):
    """Reports every failure as that of a server that cannot be reached."""

    def __call__(self, limit: float | None = None) -> Any:
        try:
            return super().__call__(limit)
        except pymysql.MySQLError as error:
            raise pymysql.OperationalError(2003, str(error)) from None


class _AsyncHidesRefusals(AsyncConnector):
    """Reports every failure as that of a server that cannot be reached."""

    async def __call__(self, limit: float | None = None) -> Any:
        try:
            return await super().__call__(limit)
        except pymysql.MySQLError as error:
            raise pymysql.OperationalError(2003, str(error)) from None


@noticed_by("permanent_failures.a_locked_account_is_tried_once")
class RetriesRefusals(_Named):
    """Takes a locked account for a server that is down."""

    connector = _HidesRefusals


@noticed_by("permanent_failures.a_locked_account_is_tried_once")
class AsyncRetriesRefusals(_AsyncNamed):
    """Takes a locked account for a server that is down."""

    connector = _AsyncHidesRefusals
