"""The scripted server: it stands in for a server when connections are scripted.

The lab uses it like any server: to list connections, and to end one.
"""

from poolspec.drivers.contract import LiveConnections
from poolspec.servers import Address, OwnConnection, Server, ServerKind, Tenant
from poolspec.vocabulary import Capability

CAPABILITIES = frozenset({Capability.KILL})
"""The capabilities of a server that scripted connections have too."""


class ScriptedServer(Server):
    """The scripted connections of one test, behind the interface of a server."""

    kind = ServerKind.NONE
    version = ""
    address = Address("", 0)
    capabilities = CAPABILITIES

    def __init__(self, connections: LiveConnections) -> None:
        self._connections = connections

    @property
    def description(self) -> str:
        """Return that there is no server."""
        return "no server, scripted connections"

    def create_tenant(self) -> Tenant:
        """Return an identity without an address."""
        return Tenant("", "", "", self.address)

    def drop_tenant(self, tenant: Tenant) -> None:
        """Do nothing: the lab has closed its connections."""

    def connect(self, tenant: Tenant) -> OwnConnection:
        """Refuse: there is no database."""
        raise NotImplementedError("scripted connections have no server that could run a statement")

    def connection_ids(self, tenant: Tenant) -> frozenset[int]:
        """Return the numbers of connections that a server would still have."""
        return self._connections.alive()

    def kill_connection(self, connection_id: int) -> None:
        """Make a connection lose its server."""
        self._connections.kill(connection_id)

    def runs_statement(self, connection_id: int) -> bool:
        """Return False: the statements of scripted connections end at once."""
        return False

    def blocked(self) -> frozenset[int]:
        """Return nothing: there are no locks."""
        return frozenset()

    def kill_statement(self, connection_id: int) -> None:
        """Do nothing: no statement runs."""

    def limit_connections(self, tenant: Tenant, limit: int | None) -> None:
        """Refuse: a scripted connect fails by a fault of the call."""
        raise NotImplementedError("scripted connections have no server that could be full")

    def change_password(self, tenant: Tenant, password: str) -> None:
        """Refuse: a scripted connect fails by a fault of the call."""
        raise NotImplementedError("scripted connections have no server with accounts")

    def check(self) -> None:
        """Do nothing: there is nothing that could end."""

    def orphans(self) -> tuple[str, ...]:
        """Return nothing: there is nothing that could be left here."""
        return ()

    def foreign(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def drop_orphans(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def stop(self) -> None:
        """Do nothing."""
