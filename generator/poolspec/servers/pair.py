"""Two private servers of one test: every tenant is on both, with the same name and password.

The pair answers questions about connections for both servers, and leaves out one that is down. Each
server has its own data. The connections of both have different numbers: before a test, and after a
restart, the second server's numbers are moved away from the first's, and from low ones.
"""

import socket
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from poolspec.servers.base import Server, ServerError, Tenant
from poolspec.servers.private import PrivateServer
from poolspec.servers.sql import SqlConnection
from poolspec.vocabulary import ServerNumber

_NEAR = 300
"""Connections that one test may open before the numbers of both servers could meet."""
_FAR = 600


class ServerPair(Server):
    """Two servers, behind the interface of one."""

    def __init__(self, first: PrivateServer, second: PrivateServer) -> None:
        self.first, self.second = first, second
        self.kind, self.version = first.kind, first.version
        self.address, self.capabilities = first.address, first.capabilities
        self._seen: dict[tuple[PrivateServer, str], frozenset[int]] = {}

    @property
    def description(self) -> str:
        """Product and version."""
        return f"two of {self.first.description}"

    @property
    def servers(self) -> tuple[PrivateServer, PrivateServer]:
        """Both servers."""
        return self.first, self.second

    @property
    def answering(self) -> list[PrivateServer]:
        """The servers that run and are not paused."""
        return [one for one in self.servers if one.is_running and not one.is_paused]

    def server(self, number: ServerNumber) -> PrivateServer:
        """Return one of the two."""
        return self.first if number is ServerNumber.FIRST else self.second

    def keep_apart(self) -> None:
        """Move the second server's numbers away from the first's, if they are near.

        Low ones are moved too, since the first server has low numbers again after a restart.
        """
        last, other = self.first.last_number(), self.second.last_number()
        if other >= _NEAR and abs(last - other) >= _NEAR:
            return
        is_apart = other < _NEAR and abs(last - _FAR) >= _NEAR
        use_numbers(self.second, (_FAR if is_apart else last + _FAR) - other)

    def create_tenant(self) -> Tenant:
        """Make a database, and a user limited to it, on both servers."""
        self.keep_apart()
        tenant = self.first.create_tenant()
        try:
            self.second.make_tenant(tenant.user, tenant.password)
        except BaseException:
            self.first.drop_tenant(tenant)
            raise
        return tenant

    def drop_tenant(self, tenant: Tenant) -> None:
        """Drop everything of the tenant on both servers; idempotent."""
        self._each(lambda server: server.drop_tenant(tenant))

    def connect(self, tenant: Tenant) -> "PairConnection":
        """Open a connection to each server that runs."""
        return PairConnection(
            [server.connect(self.at(server, tenant)) for server in self.answering]
        )

    @staticmethod
    def at(server: PrivateServer, tenant: Tenant) -> Tenant:
        """Return a tenant at the address of one of the servers."""
        return replace(tenant, address=server.address)

    def connection_ids(self, tenant: Tenant) -> frozenset[int]:
        """Return the connections of a tenant; of a paused server, those that were seen before."""
        found: frozenset[int] = frozenset()
        for server in self.servers:
            if server.is_running and not server.is_paused:
                self._seen[server, tenant.user] = server.connection_ids(tenant)
            elif not server.is_paused:
                self._seen.pop((server, tenant.user), None)
            found |= self._seen.get((server, tenant.user), frozenset())
        return found

    def kill_connection(self, connection_id: int) -> None:
        """Have the server that has a connection end it."""
        self._each(lambda server: server.kill_connection(connection_id))

    def runs_statement(self, connection_id: int) -> bool:
        """Return whether a connection runs a statement at present."""
        return any(server.runs_statement(connection_id) for server in self.answering)

    def blocked(self) -> frozenset[int]:
        """Return the connections whose statements wait for a row lock of another transaction."""
        return frozenset().union(*(server.blocked() for server in self.answering))

    def kill_statement(self, connection_id: int) -> None:
        """Have the server that has a connection end its statement."""
        self._each(lambda server: server.kill_statement(connection_id))

    def limit_connections(self, tenant: Tenant, limit: int | None) -> None:
        """Limit the tenant's connections on each server."""
        self._each(lambda server: server.limit_connections(tenant, limit))

    def change_password(self, tenant: Tenant, password: str) -> None:
        """Change the password on both servers."""
        self._each(lambda server: server.change_password(tenant, password))

    def check(self) -> None:
        """Check both servers."""
        for server in self.servers:
            server.check()

    def orphans(self) -> tuple[str, ...]:
        """Return nothing: both servers are new."""
        return ()

    def foreign(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def drop_orphans(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def stop(self) -> None:
        """Do nothing: each server is stopped by what has started it."""

    def _each(self, action: Callable[[PrivateServer], None]) -> None:
        """Act on each server that answers, also if the first one fails. Raises an error of one."""
        with ExitStack() as stack:
            for server in reversed(self.answering):
                stack.callback(action, server)


class PairConnection:
    """A test's own connection to each server: a statement runs on all, and gives all rows."""

    def __init__(self, connections: list[SqlConnection]) -> None:
        if not connections:
            raise ServerError("Both servers of the test are down.")
        self._connections = connections

    @property
    def numbers(self) -> frozenset[int]:
        """Its numbers, one at each server."""
        return frozenset().union(*(one.numbers for one in self._connections))

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run a statement on each server, and return the rows of all."""
        return [row for one in self._connections for row in one.run(sql)]

    def close(self) -> None:
        """Close it; idempotent."""
        for one in self._connections:
            one.close()


def use_numbers(server: PrivateServer, count: int) -> None:
    """Let a server give this many numbers to connections that are closed at once."""
    for _ in range(count):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.connect(str(server.address.unix_socket))
