"""The interface of a database server for tests.

A `Server` is one running database server. A `Tenant` is the part of it that belongs to one test: a
database, and a user with rights on that database only. Questions about a test's connections are
answered from the server's process list, never from the state of a client.

All methods are thread-safe. Every failure is a `ServerError`, which states the cause and the remedy
and contains no password.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from poolspec.vocabulary import Capability


class ServerKind(StrEnum):
    """Where the database server comes from."""

    EMBEDDED = "embedded"
    """The MySQL protocol over SQLite, in a process of its own; always available."""
    MARIADB = "mariadb"
    """A private MariaDB instance."""
    MYSQL = "mysql"
    """A private MySQL instance."""
    URL = "url"
    """A server that the run did not start, named by a URL."""
    NONE = "none"
    """No server at all: connections are scripted."""


class Barred(StrEnum):
    """Why a server refuses an account."""

    LOCKED = "locked"
    EXPIRED = "expired"
    """Its password has expired."""
    PLUGIN = "plugin"
    """The server has not loaded its authentication plugin."""


class ServerError(Exception):
    """A server could not be started, reached or used."""


class ServerEndedError(ServerError):
    """A private server has ended, and no test has caused it. It can be started again."""

    def __init__(self, what: str, log: str) -> None:
        super().__init__(f"{what} {log}")
        self.what = what
        """One sentence, without the end of the server's log."""


@dataclass(frozen=True)
class Address:
    """How a client connects: over the unix socket if there is one, else over TCP."""

    host: str
    port: int
    unix_socket: str | None = None

    def __str__(self) -> str:
        return self.unix_socket or f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Tenant:
    """A test's database and user on a server."""

    database: str
    user: str
    password: str = field(repr=False)
    address: Address


class OwnConnection(Protocol):
    """A connection of a test itself, which belongs to no pool. It commits each statement."""

    @property
    def numbers(self) -> frozenset[int]:
        """Its numbers: one at each server."""

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement and return all rows."""

    def close(self) -> None:
        """Close it; idempotent."""


class Server(ABC):
    """A running database server, on which each test has a tenant."""

    kind: ServerKind
    version: str
    address: Address
    capabilities: frozenset[Capability]
    swept: tuple[object, ...] = ()
    """What crashed runs left, and was removed when this server was started or reached first."""
    note: str = ""
    """Why `auto` has not chosen the server that it prefers; empty if it has."""

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
    def connect(self, tenant: Tenant) -> OwnConnection:
        """Open a connection as a tenant, for the test itself."""

    @abstractmethod
    def connection_ids(self, tenant: Tenant) -> frozenset[int]:
        """Return the tenant's open connections, from the server's process list.

        A server notices a closed socket some milliseconds later. Wait for a count with a deadline;
        do not compare it immediately after a close.
        """

    @abstractmethod
    def kill_connection(self, connection_id: int) -> None:
        """Have the server end a connection. A connection that has already ended is no error."""

    @abstractmethod
    def runs_statement(self, connection_id: int) -> bool:
        """Return whether a connection runs a statement at present."""

    @abstractmethod
    def blocked(self) -> frozenset[int]:
        """Return the connections whose statements wait for a row lock of another transaction."""

    @abstractmethod
    def kill_statement(self, connection_id: int) -> None:
        """Have the server end the statement that a connection runs, and keep the connection."""

    @abstractmethod
    def limit_connections(self, tenant: Tenant, limit: int | None) -> None:
        """Have the server refuse a tenant's connections beyond a number above 0; None: no limit.

        Connections that are open stay open.
        """

    @abstractmethod
    def change_password(self, tenant: Tenant, password: str) -> None:
        """Give a tenant's account another password. Connections that are open stay open."""

    @abstractmethod
    def check(self) -> None:
        """Raise ServerError if tests cannot use the server, and ServerEndedError if it has ended.

        Call this while no fault is in force.
        """

    @abstractmethod
    def orphans(self) -> tuple[str, ...]:
        """Return the names of tenants that crashed runs of this machine left on the server."""

    @abstractmethod
    def foreign(self) -> tuple[str, ...]:
        """Return the names of tenants of other machines, whose processes cannot be seen here."""

    @abstractmethod
    def drop_orphans(self) -> tuple[str, ...]:
        """Drop the tenants that crashed runs left, and return their names."""

    @abstractmethod
    def stop(self) -> None:
        """Disconnect. A private server is ended and its directory removed. Idempotent."""
