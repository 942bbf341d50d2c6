"""A real server with one tenant for each test."""

from collections.abc import Iterator

import pytest

from poolspec.servers import Server, ServerError, ServerKind, Tenant, start_server
from steadypool import Config


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        server = start_server(ServerKind.MARIADB)
    except ServerError as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture
def tenant(server: Server) -> Iterator[Tenant]:
    tenant = server.create_tenant()
    yield tenant
    server.drop_tenant(tenant)


@pytest.fixture
def config(tenant: Tenant) -> Config:
    return Config(
        host=tenant.address.host,
        port=tenant.address.port or 3306,
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
    )
