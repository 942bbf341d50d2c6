"""Each kind of server, started once for all tests of this directory."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, cast

import pymysql
import pytest

from poolspec.servers import PrivateServer, ServerKind, Tenant, describe_choice, start_server

if TYPE_CHECKING:
    from pymysql.connections import Connection

Connect = Callable[..., "Connection"]

HAS_MARIADB = "private" in describe_choice("auto")
KINDS = [
    ServerKind.EMBEDDED,
    pytest.param(
        ServerKind.MARIADB,
        marks=pytest.mark.skipif(not HAS_MARIADB, reason="mariadbd is not installed"),
    ),
]


@pytest.fixture(scope="session", params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[PrivateServer]:
    started = cast(PrivateServer, start_server(request.param))
    yield started
    started.stop()
    assert not started.directory.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(started.guard_pid, 0)


@pytest.fixture
def tenant(server: PrivateServer) -> Iterator[Tenant]:
    made = server.create_tenant()
    yield made
    server.drop_tenant(made)


@pytest.fixture
def connect(tenant: Tenant) -> Iterator[Connect]:
    """Open connections as the tenant; all are closed at the end."""
    opened: list[Connection] = []

    def connect_as(who: Tenant = tenant, **options: object) -> "Connection":
        made = open_as(who, **options)
        opened.append(made)
        return made

    yield connect_as
    for connection in opened:
        if connection.open:
            connection.close()


def open_as(who: Tenant, **options: object) -> "Connection":
    arguments: dict[str, object] = {
        "host": who.address.host,
        "port": who.address.port,
        "unix_socket": who.address.unix_socket,
        "user": who.user,
        "password": who.password,
        "database": who.database,
        "ssl_disabled": True,
        "read_timeout": 20,
    }
    return pymysql.connect(**(arguments | options))  # type: ignore[call-overload,no-any-return]


def ask(connection: "Connection", sql: str, *arguments: object) -> list[tuple[object, ...]]:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql, arguments or None)
        return [tuple(row) for row in cursor.fetchall()]
