"""The embedded server: the MySQL protocol over SQLite, in a process of its own.

It has real sockets, users, transactions, KILL and timeouts, wherever Python runs. It locks whole
databases, not rows, and has one isolation level, so it lacks both capabilities. The server itself
is the package `poolspec.servers.engine`, which is not imported here.
"""

import secrets
import sys
from pathlib import Path

from poolspec.servers.base import Address, ServerKind
from poolspec.servers.directory import LEAST_BYTES
from poolspec.servers.private import Program
from poolspec.vocabulary import Capability

_USER = "root"
_PASSWORD_FILE = "admin"


class Embedded(Program):
    """The embedded server's program."""

    kind = ServerKind.EMBEDDED
    capabilities: frozenset[Capability] = frozenset()
    needed = 2 * LEAST_BYTES

    def prepare(self, directory: Path) -> None:
        """Make the administrator's password and the folder of the databases."""
        (directory / _PASSWORD_FILE).write_text(secrets.token_urlsafe(16))
        (directory / "data").mkdir()

    def account(self, directory: Path) -> tuple[str, str]:
        """Return the administrator of this instance."""
        return _USER, (directory / _PASSWORD_FILE).read_text()

    def command(self, directory: Path, address: Address) -> list[str]:
        """Return the command line of the engine."""
        return [
            sys.executable,
            "-P",
            "-m",
            "poolspec.servers.engine",
            str(directory),
            str(address.unix_socket),
            address.host,
            str(address.port),
        ]
