"""The statements that make a server refuse an account, in each server's dialect."""

from poolspec.servers.base import Barred, ServerKind

_PLUGIN = "not_loaded"
_IN_SQL = {Barred.LOCKED: "ACCOUNT LOCK", Barred.EXPIRED: "PASSWORD EXPIRE"}


def barring(kind: ServerKind, user: str, why: Barred) -> tuple[str, ...]:
    """Return the statements by which the server `kind` refuses further sign-ins of a user."""
    if why is Barred.PLUGIN:
        return _without_plugin(kind, user)
    altered = f"ALTER USER '{user}'@'%' {_IN_SQL[why]}"
    if kind is ServerKind.MARIADB and why is Barred.EXPIRED:
        # Otherwise the client signs in and may only change its password.
        return "SET GLOBAL disconnect_on_expired_password = ON", altered
    return (altered,)


def _without_plugin(kind: ServerKind, user: str) -> tuple[str, ...]:
    # MariaDB and MySQL refuse to name a plugin that they have not loaded, except in their tables.
    if kind is ServerKind.EMBEDDED:
        return (f"ALTER USER '{user}'@'%' IDENTIFIED WITH {_PLUGIN}",)
    if kind is ServerKind.MARIADB:
        changed = f"global_priv SET priv = JSON_SET(priv, '$.plugin', '{_PLUGIN}')"
    else:
        changed = f"user SET plugin = '{_PLUGIN}'"
    return f"UPDATE mysql.{changed} WHERE user = '{user}'", "FLUSH PRIVILEGES"
