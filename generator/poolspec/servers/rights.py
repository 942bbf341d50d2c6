"""The rights that an account needs on a server named by a URL, and the statements that grant them.

Rights are tried, not read: a database and a user are made as for a test, the user signs in, and its
connection is listed and killed. An error for a missing right contains the statements that grant
all.

An anonymous user of one host takes precedence over a named user of all hosts: for a client on that
host the server looks up the anonymous user, and refuses the named user's password.
"""

import re

from poolspec.servers.admin import Admin, RefusedError, open_connection
from poolspec.servers.base import Address, ServerError

DENIED = frozenset({1044, 1045, 1095, 1142, 1227, 1410})
"""The server's error numbers for a missing right."""
_SECONDS = 5


def lacking(
    admin: Admin, version: str, what: str, error: RefusedError | None = None
) -> ServerError:
    """Return an error with the account, the missing right, and the statements that grant it."""
    ((name,),) = admin.run("SELECT CURRENT_USER()")
    user, _, host = str(name).rpartition("@")
    account = f"{_quoted(user)}@{_quoted(host)}"
    grants = (
        f"GRANT ALL ON `ps_%`.* TO {account} WITH GRANT OPTION",
        f"GRANT CREATE USER, PROCESS, {killing(version)} ON *.* TO {account}",
    )
    answer = f": {error}" if error else ""
    return ServerError(
        f"{account} {what}{answer}. The server's administrator can grant all that the tests need:\n"
        + "\n".join(f"    {grant};" for grant in grants)
    )


def killing(version: str) -> str:
    """The name of the right to kill other accounts' connections, in this version of the server."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if "mariadb" in version.lower():
        return "CONNECTION ADMIN" if numbers >= (10, 5, 2) else "SUPER"
    return "CONNECTION_ADMIN" if numbers >= (8,) else "SUPER"


def stands_before(address: Address, user: str) -> str:
    """Name the anonymous user that hides `user`, and the remedy; empty if there is none.

    An anonymous user with a password is not found.
    """
    account = _anonymous(address, user)
    if not account:
        return ""
    return (
        f"The anonymous user {account} takes precedence. "
        f"The server's administrator can drop it:\n    DROP USER {account};"
    )


def _anonymous(address: Address, user: str) -> str:
    """The anonymous account that a user without a password signs in as; empty if refused."""
    import pymysql.err

    try:
        with (
            open_connection(address, user, "", timeout=_SECONDS) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("SELECT CURRENT_USER()")
            ((account,),) = cursor.fetchall()
    except pymysql.err.MySQLError:
        return ""
    name, _, host = str(account).rpartition("@")
    return "" if name else f"''@{_quoted(host)}"


def _quoted(text: str) -> str:
    return "'{}'".format(text.replace("'", "''"))
