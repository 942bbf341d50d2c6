"""Fixtures: a server, one database and user for each test."""

from collections.abc import Iterator

import pytest

from poolspec.servers import Server, Tenant, start_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = start_server()
    yield server
    server.stop()


@pytest.fixture
def tenant(server: Server) -> Iterator[Tenant]:
    tenant = server.create_tenant()
    yield tenant
    server.drop_tenant(tenant)
