"""What stands in for a server where connections are scripted.

The lab asks it what it asks a server: which connections there are, and to end one.
"""

from typing import Protocol

from poolspec.servers import Address, Server, ServerKind, Tenant
from poolspec.vocabulary import Capability

CAPABILITIES = frozenset({Capability.KILL})
"""What can be done to scripted connections as well as to a server's."""


class Alive(Protocol):
    """The connections on a stage, of either concurrency."""

    def alive(self) -> frozenset[int]:
        """Return the numbers of those that are open and have not lost their server."""

    def kill(self, number: int) -> None:
        """Let one lose its server."""


class StageServer(Server):
    """The connections of one test's stage, asked as one asks a server."""

    kind = ServerKind.NONE
    version = ""
    address = Address("", 0)
    capabilities = CAPABILITIES

    def __init__(self, stage: Alive) -> None:
        self._stage = stage

    @property
    def description(self) -> str:
        """Say that there is none."""
        return "no server, scripted connections"

    def create_tenant(self) -> Tenant:
        """Return an identity that leads nowhere."""
        return Tenant("", "", "", self.address)

    def drop_tenant(self, tenant: Tenant) -> None:
        """Do nothing: the lab has closed its connections."""

    def connection_ids(self, tenant: Tenant) -> frozenset[int]:
        """Return the connections that a server would still have."""
        return self._stage.alive()

    def kill_connection(self, connection_id: int) -> None:
        """Let a connection lose its server."""
        self._stage.kill(connection_id)

    def orphans(self) -> tuple[str, ...]:
        """Return nothing: nobody leaves anything here."""
        return ()

    def drop_orphans(self) -> tuple[str, ...]:
        """Return nothing."""
        return ()

    def stop(self) -> None:
        """Do nothing."""
