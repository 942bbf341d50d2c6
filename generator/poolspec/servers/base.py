"""What a test sees of a database server.

A `Server` is one running database. A `Tenant` is one test's own corner of it: a database and a user
that may use that database and nothing else. All that a test asks about its connections is answered
by the server itself, from its own process list, never from what a client believes.

All methods are thread-safe. Every failure is a `ServerError`, which says what happened and what to
do, and never carries a password.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum

from poolspec.vocabulary import Capability


class ServerKind(StrEnum):
    """Where the database comes from."""

    EMBEDDED = "embedded"
    """The MySQL protocol over SQLite, in a process of its own; always at hand."""
    MARIADB = "mariadb"
    """A private MariaDB instance."""
    MYSQL = "mysql"
    """A private MySQL instance."""
    URL = "url"
    """A server that someone else runs."""
    NONE = "none"
    """No server at all: connections are scripted."""


class ServerError(Exception):
    """A server could not be started, reached or used."""


@dataclass(frozen=True)
class Address:
    """How a client connects: over the unix socket where there is one, else over TCP."""

    host: str
    port: int
    unix_socket: str | None = None

    def __str__(self) -> str:
        return self.unix_socket or f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Tenant:
    """One test's own identity on a server."""

    database: str
    user: str
    password: str = field(repr=False)
    address: Address


class Server(ABC):
    """A running database server, with the means to tell tests apart on it."""

    kind: ServerKind
    version: str
    address: Address
    capabilities: frozenset[Capability]

    @property
    @abstractmethod
    def description(self) -> str:
        """One line for the summary of a run."""

    @abstractmethod
    def create_tenant(self) -> Tenant:
        """Make a database, and a user limited to it."""

    @abstractmethod
    def drop_tenant(self, tenant: Tenant) -> None:
        """Kill the tenant's connections, drop its user and its database; idempotent."""

    @abstractmethod
    def connection_ids(self, tenant: Tenant) -> frozenset[int]:
        """Return the tenant's open connections, by the server's own list.

        A server notices that a client has left within milliseconds, not at once: wait for a
        count with a deadline, do not compare it straight after a close.
        """

    @abstractmethod
    def kill_connection(self, connection_id: int) -> None:
        """Have the server end a connection; one that is gone already is no error."""

    @abstractmethod
    def orphans(self) -> tuple[str, ...]:
        """Return the names of tenants that crashed runs on this machine have left here."""

    @abstractmethod
    def drop_orphans(self) -> tuple[str, ...]:
        """Drop the tenants that crashed runs have left, and return their names."""

    @abstractmethod
    def stop(self) -> None:
        """Leave the server and, if it is a private one, end it without a trace; idempotent."""
