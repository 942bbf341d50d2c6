"""Which server a run uses: `auto`, `embedded`, `mariadb`, `mysql` or a URL.

`auto` uses a private MariaDB or MySQL instance if the program is installed, else the embedded
server, and says how to install the real one. If the program is installed and this user cannot use
it, `auto` uses the embedded server too, and the server's note says why.
"""

from poolspec.servers.base import Server, ServerError, ServerKind
from poolspec.servers.embedded import Embedded
from poolspec.servers.mysqld import Mysqld, UnusableError, find_mysqld
from poolspec.servers.private import PrivateServer
from poolspec.servers.url import connect_url, is_url, parse_url

AUTO = "auto"
_INSTALL = {
    ServerKind.MARIADB: "install MariaDB (Debian: apt-get install mariadb-server)",
    ServerKind.MYSQL: "install MySQL (see its manual, or use MariaDB in its place)",
}
_PROGRAM = {ServerKind.MARIADB: "mariadbd", ServerKind.MYSQL: "mysqld"}


def start_server(choice: str = AUTO) -> Server:
    """Start, or connect to, the chosen server; it is usable when this returns.

    Raises ServerError, which states the cause and the remedy and contains no password.
    """
    if is_url(choice):
        return connect_url(choice)
    kind = kind_of(choice)
    return PrivateServer(_program(kind)) if kind else _automatic()


def _automatic() -> Server:
    """Start MariaDB or MySQL if it is installed and can be used here, else the embedded server."""
    try:
        if program := find_mysqld():
            return PrivateServer(program)
    except UnusableError as error:
        return PrivateServer(Embedded(), f"The embedded server was used. {error}")
    return PrivateServer(Embedded())


def describe_choice(choice: str = AUTO) -> str:
    """Return in one line which server `start_server` would use. Starts nothing.

    Raises the ServerError that `start_server` would raise for the choice itself.
    """
    if is_url(choice):
        address, user, _ = parse_url(choice)
        return f"the server at {address}, as user {user!r}"
    kind = kind_of(choice)
    program = find_mysqld() if kind is None else _program(kind)
    if isinstance(program, Mysqld):
        return f"a private {_title(program.kind)} instance ({program.binary})"
    if kind is ServerKind.EMBEDDED:
        return "the embedded server"
    install = _INSTALL[ServerKind.MARIADB]
    return f"mariadbd not found: using the embedded server; {install} for the real one"


def kind_of(choice: str) -> ServerKind | None:
    """Return the kind of server that a word of `--server` names; None for `auto`.

    Raises ServerError for any other word.
    """
    words = [AUTO, ServerKind.EMBEDDED, ServerKind.MARIADB, ServerKind.MYSQL]
    if choice not in words:
        raise ServerError(
            f"{choice!r} is not a server. Use one of {', '.join(words)}, "
            "or a URL such as mysql://user:password@host:3306/."
        )
    return None if choice == AUTO else ServerKind(choice)


def _program(kind: ServerKind) -> Mysqld | Embedded:
    if kind is ServerKind.EMBEDDED:
        return Embedded()
    found = find_mysqld([kind])
    if found is None or found.kind is not kind:
        raise ServerError(
            f"{_PROGRAM[kind]} was not found: {_INSTALL[kind]}, or choose another server, "
            "such as embedded."
        )
    return found


def _title(kind: ServerKind) -> str:
    return "MariaDB" if kind is ServerKind.MARIADB else "MySQL"
