"""What an account on somebody else's server must be allowed to do, and the words that allow it.

Rights are tried out, not read: a database and a user are made as for a test, the user signs in, its
connection is looked for and killed. What is refused is told with the statements that grant it all.

An anonymous user of one host stands before a named user of all hosts: the server takes who comes
from that host for the anonymous one, and refuses the named one's password.
"""

import re

from poolspec.servers.admin import Admin, RefusedError, open_connection
from poolspec.servers.base import Address, ServerError

DENIED = frozenset({1044, 1045, 1095, 1142, 1227, 1410})
"""What a server answers who lacks a right."""
_SECONDS = 5


def lacking(
    admin: Admin, version: str, what: str, error: RefusedError | None = None
) -> ServerError:
    """An error that names the account, what it may not do, and the statements that mend it."""
    ((name,),) = admin.run("SELECT CURRENT_USER()")
    user, _, host = str(name).rpartition("@")
    account = f"{_quoted(user)}@{_quoted(host)}"
    grants = (
        f"GRANT ALL ON `ps_%`.* TO {account} WITH GRANT OPTION",
        f"GRANT CREATE USER, PROCESS, {killing(version)} ON *.* TO {account}",
    )
    answer = f": {error}" if error else ""
    return ServerError(
        f"{account} {what}{answer}. The server's administrator allows what tests need by:\n"
        + "\n".join(f"    {grant};" for grant in grants)
    )


def killing(version: str) -> str:
    """The right to kill the connections of others, as a server of this version calls it."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    if "mariadb" in version.lower():
        return "CONNECTION ADMIN" if numbers >= (10, 5, 2) else "SUPER"
    return "CONNECTION_ADMIN" if numbers >= (8,) else "SUPER"


def stands_before(address: Address, user: str) -> str:
    """Name the anonymous user as whom a user is taken, and what mends it; empty if there is none.

    One that has a password is not found out.
    """
    account = _anonymous(address, user)
    if not account:
        return ""
    return (
        f"The anonymous user {account} stands before it. "
        f"The server's administrator drops that one by:\n    DROP USER {account};"
    )


def _anonymous(address: Address, user: str) -> str:
    """The anonymous account as which a user without password comes in; empty if it does not."""
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
