"""Database servers for tests: one private instance for each test process.

    server = start_server("auto")
    tenant = server.create_tenant()      # one test's own database and user
    ...
    server.drop_tenant(tenant)
    server.stop()

This list is the package's public part. Importing it starts nothing and imports no database driver.
"""

from poolspec.servers.admin import Admin
from poolspec.servers.base import (
    Address,
    Barred,
    OwnConnection,
    Server,
    ServerEndedError,
    ServerError,
    ServerKind,
    Tenant,
)
from poolspec.servers.choice import describe_choice, start_server
from poolspec.servers.names import new_password
from poolspec.servers.pair import ServerPair
from poolspec.servers.ports import PortTakenError, bound_socket, listening_socket
from poolspec.servers.private import PrivateServer

__all__ = [
    "Address",
    "Admin",
    "Barred",
    "OwnConnection",
    "PortTakenError",
    "PrivateServer",
    "Server",
    "ServerEndedError",
    "ServerError",
    "ServerKind",
    "ServerPair",
    "Tenant",
    "bound_socket",
    "describe_choice",
    "listening_socket",
    "new_password",
    "start_server",
]
