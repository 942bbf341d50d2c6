"""A server named by a URL.

    mysql://user:password@host:port/
    mysql://user:password@localhost/?unix_socket=/path/to/socket

The account needs the right to make and drop databases and users, and to list and kill other
accounts' connections. The rights are tried at once, before any test. Errors show the URL without
its password.
"""

from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from poolspec.servers.admin import Admin, RefusedError, open_connection
from poolspec.servers.base import Address, ServerError, ServerKind, Tenant
from poolspec.servers.rights import lacking, stands_before
from poolspec.servers.sql import FULL, SqlServer

if TYPE_CHECKING:
    from pymysql.connections import Connection

_SCHEMES = ("mysql", "mariadb")
_FORM = "mysql://user:password@host:port/ or mysql://user:password@localhost/?unix_socket=/path"
_PERHAPS = (
    "Perhaps an anonymous user with a password takes precedence. The server's administrator "
    "can list them: SELECT Host FROM mysql.user WHERE User = ''"
)


def is_url(choice: str) -> bool:
    """Return whether a choice of server is a URL."""
    return "://" in choice


def parse_url(url: str) -> tuple[Address, str, str]:
    """Return address, user and password; raises ServerError, without the password."""
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError:
        raise ServerError(f"The server's URL cannot be read; expected {_FORM}.") from None
    if parts.scheme not in _SCHEMES or not parts.hostname or not parts.username:
        raise ServerError(f"{_shown(parts)} is not a server's URL; expected {_FORM}.")
    query = parse_qs(parts.query)
    unknown = sorted(set(query) - {"unix_socket"})
    if unknown or parts.path not in ("", "/"):
        what = f"option {unknown[0]!r}" if unknown else f"path {parts.path!r}"
        raise ServerError(f"The server's URL has a {what} without a meaning; expected {_FORM}.")
    socket = query.get("unix_socket", [None])[0]
    address = Address(parts.hostname, port, socket)
    return address, unquote(parts.username), unquote(parts.password or "")


class UrlServer(SqlServer):
    """A server behind a URL; `stop` leaves it running."""

    @property
    def description(self) -> str:
        """Product, version and address of the server."""
        return f"{super().description} (given by URL)"

    def try_out(self) -> None:
        """Try everything that tests need; raises ServerError, and leaves nothing on the server."""
        tenant = self.create_tenant()
        try:
            with closing(self._sign_in(tenant)) as connection:
                number = connection.thread_id()  # type: ignore[no-untyped-call]  # the stub has no hints
                if number not in self.connection_ids(tenant):
                    what = "cannot list the connections of other accounts"
                    raise lacking(self._admin, self.version, what)
                self.kill_connection(number)
                connection._force_close()  # type: ignore[attr-defined]  # not in the stub
        finally:
            self.drop_tenant(tenant)

    def _sign_in(self, tenant: Tenant) -> "Connection":
        import pymysql.err

        try:
            return open_connection(
                self.address, tenant.user, tenant.password, timeout=5, database=tenant.database
            )
        except pymysql.err.MySQLError as error:
            raise ServerError(
                f"The server at {self.address} makes users for tests, but refuses their sign-in: "
                f"{error}. {stands_before(self.address, tenant.user) or _PERHAPS}"
            ) from None


def connect_url(url: str) -> UrlServer:
    """Connect to the server named by a URL, and drop what crashed runs of this machine left there.

    Raises ServerError, without the password.
    """
    server = open_url(url)
    try:
        server.try_out()
        server.swept = server.drop_orphans()
    except BaseException:
        server.stop()
        raise
    return server


def open_url(url: str) -> UrlServer:
    """Connect to the server named by a URL. Raises ServerError, without the password."""
    address, user, password = parse_url(url)
    admin = Admin(address, user, password)
    try:
        ((version,),) = admin.run("SELECT VERSION()")
    except RefusedError as error:
        admin.close()
        raise ServerError(
            f"The server at {address} refused user {user!r}: {error}. "
            + (stands_before(address, user) or "Check the user and the password in the URL.")
        ) from None
    except BaseException:
        admin.close()
        raise
    return UrlServer(ServerKind.URL, address, admin, str(version), FULL)


def _shown(parts: SplitResult) -> str:
    user = f"{parts.username}:…@" if parts.username else ""
    return repr(f"{parts.scheme}://{user}{parts.hostname or ''}{parts.path}")
