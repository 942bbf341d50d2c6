"""Faults of the server that a lab sets, seen by clients that the lab does not know."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, cast

import pymysql
import pytest

from poolspec.adapters.steady import SteadypoolAdapter
from poolspec.faults.terms import FaultTerms
from poolspec.lab.threads.lab import Lab
from poolspec.servers import PrivateServer, ServerPair, Tenant, start_server
from poolspec.vocabulary import Fault, ServerNumber, ServerSetting, Target, TimeKind

Look = Callable[[PrivateServer, Tenant], int]
"""What a client sees: an error number of the server, or 0 if all is well."""


def sign_in(server: PrivateServer, tenant: Tenant) -> int:
    """Return the error of a sign-in."""
    try:
        server.connect(tenant).close()
    except pymysql.err.MySQLError as error:
        return int(error.args[0])
    return 0


def sign_in_as_another(server: PrivateServer, _: Tenant) -> int:
    """Return the error of a sign-in of another account."""
    other = server.create_tenant()
    try:
        return sign_in(server, other)
    finally:
        server.drop_tenant(other)


def write(server: PrivateServer, tenant: Tenant) -> int:
    """Return the error of a statement that writes."""
    with closing(server.connect(tenant)) as client:
        try:
            client.run("CREATE TABLE IF NOT EXISTS written (id INT PRIMARY KEY)")
        except pymysql.err.MySQLError as error:
            return int(error.args[0])
    return 0


def be_greeted(server: PrivateServer, _: Tenant) -> int:
    """Return 1 if the server accepts a client and does not greet it."""
    with socket.create_connection((server.address.host, server.address.port), 0.1) as client:
        try:
            return 0 if client.recv(100) else 2
        except TimeoutError:
            return 1


FAULTS: dict[Fault, tuple[FaultTerms, Look, int]] = {
    Fault.SERVER_FULL: ({"limit": 0}, sign_in_as_another, 1040),
    Fault.ACCOUNT_FULL: ({"limit": 0}, sign_in, 1226),
    Fault.PASSWORD_CHANGED: ({}, sign_in, 1045),
    Fault.SERVER_READ_ONLY: ({}, write, 1290),
    Fault.SERVER_PAUSED: ({}, be_greeted, 1),
    Fault.SERVER_SHUT_DOWN: ({}, sign_in, 2003),
    Fault.SERVER_KILLED: ({}, sign_in, 2003),
}


@pytest.fixture
def lab(server: PrivateServer) -> Iterator[Lab]:
    made = Lab(server, SteadypoolAdapter(), TimeKind.REAL)
    yield made
    made.dispose()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_client_sees_a_fault_until_it_is_healed(
    server: PrivateServer, lab: Lab, fault: Fault
) -> None:
    terms, look, number = FAULTS[fault]
    assert look(server, lab.context.tenant) == 0
    lab.fault(fault, **terms)
    assert look(server, lab.context.tenant) == number
    lab.heal(fault)
    assert look(server, lab.context.tenant) == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_with_its_test(server: PrivateServer, fault: Fault) -> None:
    before = server.setting(ServerSetting.MAX_CONNECTIONS)
    lab = Lab(server, SteadypoolAdapter(), TimeKind.REAL)
    lab.fault(fault, **FAULTS[fault][0])
    lab.dispose()
    tenant = server.create_tenant()
    assert (sign_in(server, tenant), write(server, tenant), be_greeted(server, tenant)) == (0, 0, 0)
    server.drop_tenant(tenant)
    assert server.setting(ServerSetting.MAX_CONNECTIONS) == before


def test_faults_of_one_server_end_in_reverse_order(server: PrivateServer) -> None:
    lab = Lab(server, SteadypoolAdapter(), TimeKind.REAL)
    lab.server_settings(wait_timeout=5)
    lab.fault(Fault.SERVER_READ_ONLY)
    lab.fault(Fault.PASSWORD_CHANGED)
    lab.fault(Fault.SERVER_KILLED)
    lab.dispose()
    tenant = server.create_tenant()
    assert write(server, tenant) == 0
    server.drop_tenant(tenant)
    assert server.setting(ServerSetting.WAIT_TIMEOUT) > 5


def test_settings_hold_during_a_test_and_after_a_restart(server: PrivateServer, lab: Lab) -> None:
    lab.server_settings(max_connections=20, wait_timeout=5)
    lab.fault(Fault.SERVER_SHUT_DOWN)
    lab.heal(Fault.SERVER_SHUT_DOWN)
    with closing(server.connect(lab.context.tenant)) as client:
        assert client.run("SELECT @@GLOBAL.max_connections, @@SESSION.wait_timeout") == [(20, 5)]


@pytest.fixture
def lab_of_two(server: PrivateServer) -> Iterator[Lab]:
    second = cast(PrivateServer, start_server(server.kind))
    made = Lab(ServerPair(server, second), SteadypoolAdapter(), TimeKind.REAL)
    yield made
    made.dispose()
    assert second.is_running
    second.stop()


def test_a_name_that_moved_leads_to_the_second_server(lab_of_two: Lab) -> None:
    pair: Any = lab_of_two.context.server
    host = lab_of_two.context.targets.where(Target.NAMED).address.host
    assert port_of(host) == pair.first.address.port
    lab_of_two.fault(Fault.NAME_MOVED, server=ServerNumber.SECOND)
    assert port_of(host) == pair.second.address.port
    lab_of_two.heal(Fault.NAME_MOVED)
    assert port_of(host) == pair.first.address.port


def test_the_second_server_is_broken_and_the_first_works_on(lab_of_two: Lab) -> None:
    pair: Any = lab_of_two.context.server
    tenant = lab_of_two.context.tenant
    at_second = ServerPair.at(pair.second, tenant)
    for fault, look, number in (
        (Fault.SERVER_PAUSED, be_greeted, 1),
        (Fault.SERVER_READ_ONLY, write, 1290),
        (Fault.SERVER_KILLED, sign_in, 2003),
    ):
        lab_of_two.fault(fault, server=ServerNumber.SECOND)
        assert look(pair.second, at_second) == number
        assert look(pair.first, tenant) == 0
        if fault is not Fault.SERVER_KILLED:  # that ends with the lab
            lab_of_two.heal(fault)
            assert look(pair.second, at_second) == 0


def port_of(host: str) -> int:
    """Return the port to which a host name leads now."""
    (found,) = socket.getaddrinfo(host, 3306)
    return int(found[4][1])
