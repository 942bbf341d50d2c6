"""A server that someone else runs, named by a URL.

    mysql://user:password@host:port/
    mysql://user:password@localhost/?unix_socket=/path/to/socket

The account must be allowed to create and drop databases and users, and to see and kill the
connections of others. Errors show the URL without its password.
"""

from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from poolspec.servers.admin import Admin, RefusedError
from poolspec.servers.base import Address, ServerError, ServerKind
from poolspec.servers.sql import FULL, SqlServer

_SCHEMES = ("mysql", "mariadb")
_FORM = "mysql://user:password@host:port/ or mysql://user:password@localhost/?unix_socket=/path"


def is_url(choice: str) -> bool:
    """Say whether a choice of server is meant as a URL."""
    return "://" in choice


def parse_url(url: str) -> tuple[Address, str, str]:
    """Return address, user and password; raises ServerError, without the password."""
    try:
        parts = urlsplit(url)
        port = parts.port or 3306
    except ValueError:
        raise ServerError(f"The server's URL cannot be read; expected {_FORM}.") from None
    if parts.scheme not in _SCHEMES or not parts.hostname or not parts.username:
        raise ServerError(f"{_shown(parts)} is no server's URL; expected {_FORM}.")
    query = parse_qs(parts.query)
    unknown = sorted(set(query) - {"unix_socket"})
    if unknown or parts.path not in ("", "/"):
        what = f"option {unknown[0]!r}" if unknown else f"path {parts.path!r}"
        raise ServerError(f"The server's URL has a {what} that means nothing; expected {_FORM}.")
    socket = query.get("unix_socket", [None])[0]
    address = Address(parts.hostname, port, socket)
    return address, unquote(parts.username), unquote(parts.password or "")


class UrlServer(SqlServer):
    """A server behind a URL; `stop` leaves it running."""

    @property
    def description(self) -> str:
        """Product, version, address, and that it was given."""
        return f"{super().description} (given by URL)"


def connect_url(url: str) -> UrlServer:
    """Connect to the server behind a URL; raises ServerError, without the password."""
    address, user, password = parse_url(url)
    admin = Admin(address, user, password)
    try:
        ((version,),) = admin.run("SELECT VERSION()")
    except RefusedError as error:
        admin.close()
        raise ServerError(
            f"The server at {address} refused user {user!r}: {error}. "
            "Check the user and the password in the URL."
        ) from None
    except BaseException:
        admin.close()
        raise
    return UrlServer(ServerKind.URL, address, admin, str(version), FULL)


def _shown(parts: SplitResult) -> str:
    user = f"{parts.username}:…@" if parts.username else ""
    return repr(f"{parts.scheme}://{user}{parts.hostname or ''}{parts.path}")
