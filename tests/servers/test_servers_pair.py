"""Two private servers as one: a tenant on both, connections of both, one of them down."""

from collections.abc import Iterator
from contextlib import closing
from typing import cast

import pymysql
import pytest

from poolspec.servers import PrivateServer, ServerError, ServerPair, Tenant, start_server
from poolspec.servers.pair import use_numbers
from poolspec.servers.sql import SqlConnection


@pytest.fixture(scope="module")
def pair(server: PrivateServer) -> Iterator[ServerPair]:
    second = cast(PrivateServer, start_server(server.kind))
    yield ServerPair(server, second)
    second.stop()
    assert not second.directory.exists()


@pytest.fixture
def both(pair: ServerPair) -> Iterator[Tenant]:
    made = pair.create_tenant()
    yield made
    pair.drop_tenant(made)


def connect(server: PrivateServer, tenant: Tenant) -> SqlConnection:
    return server.connect(ServerPair.at(server, tenant))


def test_a_tenant_signs_in_at_both_servers_until_it_is_dropped(pair: ServerPair) -> None:
    tenant = pair.create_tenant()
    for server in pair.servers:
        with closing(connect(server, tenant)) as client:
            assert client.run("SELECT 1") == [(1,)]
    pair.drop_tenant(tenant)
    for server in pair.servers:
        with pytest.raises(pymysql.err.OperationalError, match="Access denied"):
            connect(server, tenant)


def test_the_connections_of_both_servers_have_different_numbers(
    pair: ServerPair, both: Tenant
) -> None:
    clients = [connect(server, both) for server in pair.servers for _ in range(3)]
    numbers = frozenset().union(*(client.numbers for client in clients))
    assert len(numbers) == 6
    assert pair.connection_ids(both) == numbers
    for client in clients:
        client.close()


def test_a_statement_of_the_tests_own_runs_on_both_servers(pair: ServerPair, both: Tenant) -> None:
    with closing(pair.connect(both)) as own:
        own.run("CREATE TABLE t (id INT PRIMARY KEY)")
        for number, server in enumerate(pair.servers):
            with closing(connect(server, both)) as client:
                client.run(f"INSERT INTO t VALUES ({number})")
        assert own.run("SELECT id FROM t") == [(0,), (1,)]


def test_a_server_that_is_down_is_left_out_and_returns(pair: ServerPair, both: Tenant) -> None:
    with closing(connect(pair.first, both)), closing(connect(pair.second, both)) as client:
        pair.first.crash()
        assert pair.connection_ids(both) == client.numbers
        with closing(pair.connect(both)) as own:
            assert len(own.numbers) == 1
        pair.first.restart()
        pair.keep_apart()
        with closing(connect(pair.first, both)) as later:
            assert pair.connection_ids(both) == client.numbers | later.numbers


def test_a_number_is_not_used_again_after_restarts_in_turn(pair: ServerPair, both: Tenant) -> None:
    use_numbers(pair.first, 500)
    pair.second.crash()
    pair.second.restart()
    pair.keep_apart()
    with closing(connect(pair.second, both)) as client:
        pair.first.crash()
        pair.first.restart()
        with closing(connect(pair.first, both)) as later:
            assert not client.numbers & later.numbers


def test_the_connections_of_a_paused_server_are_those_that_it_had(
    pair: ServerPair, both: Tenant
) -> None:
    with closing(connect(pair.first, both)) as paused, closing(connect(pair.second, both)) as other:
        assert pair.connection_ids(both) == paused.numbers | other.numbers
        pair.first.pause()
        try:
            assert pair.connection_ids(both) == paused.numbers | other.numbers
        finally:
            pair.first.resume()


def test_with_both_servers_down_there_is_no_connection(pair: ServerPair, both: Tenant) -> None:
    for server in pair.servers:
        server.shut_down()
    with pytest.raises(ServerError, match="Both servers"):
        pair.connect(both)
    for server in pair.servers:
        server.restart()
    pair.keep_apart()
