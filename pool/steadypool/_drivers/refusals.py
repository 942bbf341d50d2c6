"""Why a connect failed: whether time may mend it, and what to do.

A failure is permanent if only a person can mend it: at the server, in the configuration, or by
installing a package. An acquire does not retry a permanent failure. The breaker does not count it:
either the server answered, so it is there, or it was never asked.
"""

import ssl
from collections.abc import Iterator

from steadypool.errors import PoolConfigError

_LOST_TLS = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)
"""Errors of TLS that mean a lost connection."""
_FAULTS = (AttributeError, ImportError, LookupError, NameError, TypeError, ValueError)
"""Errors of a program, not of a server, such as an unknown character set."""
_MISSING_PACKAGE = "package is required"
"""Part of PyMySQL's RuntimeError when an authentication plugin needs a package."""

_PASSWORD = "The server refused user or password: check both, and the host allowed for this user."
_NO_TLS = "The server accepts only TLS: set tls=true, or tls_ca to verify its certificate."
_LOCKED = "The account is locked: have the server's administrator unlock it."
_BLOCKED_HOST = (
    "The server blocks this host after many failed connects: have its administrator run "
    "FLUSH HOSTS, and find the client that fails."
)
_BLOCKED_USER = (
    "The server blocks the account after many wrong passwords: correct the password, and have the "
    "server's administrator unblock the account (MariaDB: FLUSH PRIVILEGES; MySQL: ALTER USER … "
    "ACCOUNT UNLOCK)."
)
_EXPIRED = "The password has expired: have it changed (ALTER USER … IDENTIFIED BY …)."
_SERVER_PLUGIN = (
    "The server has not loaded the account's authentication plugin: have its administrator install "
    "the plugin, or change the account's."
)
_CLIENT_PLUGIN = (
    "The driver does not support the account's authentication plugin: have the server's "
    "administrator change it (ALTER USER … IDENTIFIED WITH …)."
)
_ACCOUNT_FULL = (
    "The account has used up a limit: lower size and max_overflow, or raise the limit "
    "(max_user_connections, or ALTER USER … WITH MAX_USER_CONNECTIONS …)."
)
_CHARSET = "The server does not know the character set of the configuration: correct charset."

_PERMANENT: dict[object, str] = {
    1044: "The user has no access to this database: grant it, or choose another database.",
    1045: f"{_PASSWORD} The account may also accept only TLS.",
    1049: "The database does not exist: create it, or correct its name.",
    1115: _CHARSET,
    1129: _BLOCKED_HOST,
    1130: "The server allows no user from this host: have an account created for it.",
    1251: _CLIENT_PLUGIN,
    1273: _CHARSET,
    1275: _CLIENT_PLUGIN,
    1524: _SERVER_PLUGIN,
    1698: f"{_PASSWORD} The account may be for the server's own machine only.",
    1820: _EXPIRED,
    1862: _EXPIRED,
    2026: "The server offers no TLS: enable it there, or connect without (no tls, no tls_ca).",
    2049: _CLIENT_PLUGIN,
    2054: _CLIENT_PLUGIN,
    2058: _CLIENT_PLUGIN,
    2059: _CLIENT_PLUGIN,
    2061: _CLIENT_PLUGIN,
    3118: _LOCKED,
    3159: _NO_TLS,
    3955: _BLOCKED_USER,
    4150: _BLOCKED_USER,
    4151: _LOCKED,
}
_FULL = (1040, 1203, 1226)
"""Error numbers of a full server, which refuses a connect and serves its open connections."""
_TRANSIENT: dict[object, str] = {
    1040: "The server has too many connections: lower size and max_overflow, or raise its limit.",
    1203: _ACCOUNT_FULL,
    1226: _ACCOUNT_FULL,
    2003: "Is the server running? Check host, port and socket.",
    2006: "The server went away during sign-in: it may be starting or out of memory.",
    2013: "The server stopped answering during sign-in: check its load and any proxy in between.",
}
"""Advice by error number, from the server (1000 and above) or the driver (2000 and above)."""


def is_transient(error: BaseException) -> bool:
    """Whether a failed connect may succeed later, without a change by a person."""
    return _remedy(error) is None


def is_full(error: BaseException) -> bool:
    """Whether a connect failed because server or account has all the connections it may have."""
    cause: BaseException | None = error
    while cause is not None:
        number = None if isinstance(cause, OSError) else getattr(cause, "errno", None)
        if _code(cause) in _FULL or number in _FULL:
            return True
        cause = cause.__cause__
    return False


def suggestion(error: BaseException) -> str:
    """Return advice on a failed connect."""
    return _remedy(error) or _TRANSIENT.get(_code(error), "See the cause above.")


def _remedy(error: BaseException) -> str | None:
    """Return the remedy of a permanent failure; None for a failure that time may mend."""
    for cause in _causes(error):
        if isinstance(cause, PoolConfigError):
            return "Correct it: the next connect uses the correction."
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "The server's certificate is not trusted: check tls_ca and the host name."
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, _LOST_TLS):
            return "TLS failed: check the TLS options, and those of the server."
    if isinstance(error, _FAULTS):
        return "The configuration or the connect callable is at fault: correct it."
    if isinstance(error, RuntimeError) and _MISSING_PACKAGE in str(error):
        return (
            "The account's authentication plugin needs a package: install PyMySQL with its extra "
            "`rsa` or `ed25519`, or have the account's plugin changed."
        )
    return _PERMANENT.get(_code(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and the errors that led to it."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _code(error: BaseException) -> object:
    """Return the error number of a MySQL driver's error; None if it has none."""
    is_mysql = any(kind.__name__ == "MySQLError" for kind in type(error).__mro__)
    return error.args[0] if is_mysql and error.args else None
