"""The front of a server, seen from both sides: by raw sockets, and in the server's process list."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from poolspec.faults.front import ServerFront
from poolspec.servers import PrivateServer, Tenant
from poolspec.servers.sql import SqlConnection
from poolspec.vocabulary import Fault


@pytest.fixture
def front(server: PrivateServer) -> Iterator[ServerFront]:
    threads = set(threading.enumerate())
    made = ServerFront(server.address)
    yield made
    made.close()
    made.close()
    assert set(threading.enumerate()) == threads
    with pytest.raises(ConnectionRefusedError):
        raw(made)


@pytest.fixture
def tenant_there(tenant: Tenant, front: ServerFront) -> Tenant:
    return replace(tenant, address=front.address)


def raw(front: ServerFront) -> socket.socket:
    return socket.create_connection((front.address.host, front.address.port), timeout=5)


def statements(server: PrivateServer, tenant: Tenant) -> list[str]:
    rows = server._admin.run(
        f"SELECT INFO FROM information_schema.processlist WHERE USER = '{tenant.user}'"
    )
    return [info for (info,) in rows if info]


def wait_for_sleep(server: PrivateServer, tenant: Tenant) -> None:
    deadline = time.monotonic() + 10
    while not statements(server, tenant) and time.monotonic() < deadline:
        time.sleep(0.005)


def test_without_a_fault_statements_of_any_size_pass(
    server: PrivateServer, tenant_there: Tenant
) -> None:
    with closing(server.connect(tenant_there)) as client:
        text = "x" * 300_000
        assert client.run(f"SELECT LENGTH('{text}')") == [(300_000,)]
        assert client.run(f"SELECT '{text}'") == [(text,)]
        assert server.connection_ids(tenant_there) == client.numbers
    assert client.numbers


def test_a_client_is_accepted_and_not_greeted_until_the_fault_is_healed(
    server: PrivateServer, front: ServerFront
) -> None:
    before = server.number_connected()
    front.set(Fault.HANDSHAKE_HANGS, None)
    with raw(front) as client:
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.recv(1)
        assert server.number_connected() == before
        front.clear(Fault.HANDSHAKE_HANGS, server.kill_statement)
        client.settimeout(5)
        assert server.version.split("-")[0].encode() in client.recv(200)


def test_a_client_that_left_before_its_greeting_never_reaches_the_server(
    server: PrivateServer, front: ServerFront
) -> None:
    before = server.last_number()
    front.set(Fault.HANDSHAKE_HANGS, None)
    raw(front).close()
    with raw(front) as client:
        front.clear(Fault.HANDSHAKE_HANGS, server.kill_statement)
        assert client.recv(200)
    assert server.last_number() == before + 1


def test_a_slow_greeting_comes_after_its_time(server: PrivateServer, front: ServerFront) -> None:
    front.set(Fault.HANDSHAKE_SLOW, 0.2)
    began = time.monotonic()
    with raw(front) as client:
        assert client.recv(200)
    assert 0.2 <= time.monotonic() - began < 2


def test_a_slow_statement_runs_at_the_server_as_long_as_the_fault_says(
    server: PrivateServer, tenant_there: Tenant, front: ServerFront
) -> None:
    with closing(server.connect(tenant_there)) as client:
        front.set(Fault.QUERY_SLOW, 0.2)
        began = time.monotonic()
        assert client.run("SELECT 7") == [(7,)]
        assert 0.2 <= time.monotonic() - began < 2


def slow_statement(client: SqlConnection) -> tuple[threading.Thread, list[object]]:
    """Start a statement in a thread; its rows or its error come into the list."""
    outcome: list[object] = []

    def work() -> None:
        try:
            outcome.extend(client.run("SELECT 7"))
        except Exception as error:
            outcome.append(error.args[0])

    worker = threading.Thread(target=work)
    worker.start()
    return worker, outcome


def test_the_process_list_shows_a_slow_statement_that_can_be_killed(
    server: PrivateServer, tenant_there: Tenant, front: ServerFront
) -> None:
    with closing(server.connect(tenant_there)) as client:
        front.set(Fault.QUERY_SLOW, 30)
        worker, outcome = slow_statement(client)
        wait_for_sleep(server, tenant_there)
        assert [text.upper() for text in statements(server, tenant_there)] == ["DO SLEEP(30)"]
        server.kill_statement(client.number)
        worker.join()
        assert outcome == [1317]
        front.clear(Fault.QUERY_SLOW, server.kill_statement)
        assert client.run("SELECT 8") == [(8,)]


def test_a_slow_statement_continues_when_the_fault_is_healed(
    server: PrivateServer, tenant_there: Tenant, front: ServerFront
) -> None:
    with closing(server.connect(tenant_there)) as client:
        front.set(Fault.QUERY_SLOW, 30)
        worker, outcome = slow_statement(client)
        wait_for_sleep(server, tenant_there)
        front.clear(Fault.QUERY_SLOW, server.kill_statement)
        worker.join(10)
        assert outcome == [(7,)]
