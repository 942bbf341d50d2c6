"""The embedded server only: refused clients, and the protocol."""

import socket
import struct
from collections.abc import Iterator
from functools import partial
from typing import Any, cast

import pymysql
import pytest

from poolspec.servers import PrivateServer, ServerKind, Tenant, start_server

_GREETING_ANSWER = 0x000FA68D  # protocol 4.1, native passwords, no TLS


@pytest.fixture(scope="module")
def embedded() -> Iterator[PrivateServer]:
    server = cast(PrivateServer, start_server(ServerKind.EMBEDDED))
    yield server
    server.stop()


@pytest.fixture
def tenant(embedded: PrivateServer) -> Iterator[Tenant]:
    made = embedded.create_tenant()
    yield made
    embedded.drop_tenant(made)


class RawClient:
    """A client that ignores errors and sends arbitrary bytes."""

    def __init__(self, server: PrivateServer) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        self._socket.connect(str(server.address.unix_socket))
        self._file = self._socket.makefile("rb")

    def __enter__(self) -> "RawClient":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._socket.close()

    def receive(self) -> bytes:
        header = self._file.read(4)
        if len(header) < 4:
            return b""
        (length,) = struct.unpack("<I", header[:3] + b"\0")
        return self._file.read(length)

    def send(self, number: int, payload: bytes) -> None:
        self._socket.sendall(struct.pack("<I", len(payload))[:3] + bytes([number]) + payload)

    def log_in(self, user: str, proof: bytes) -> bytes:
        self.receive()
        start = struct.pack("<IIB23x", _GREETING_ANSWER & ~0x8, 2**24, 45)
        name = user.encode() + b"\0" + bytes([len(proof)]) + proof
        self.send(1, start + name + b"mysql_native_password\0" + b"\0")
        return self.receive()


@pytest.mark.parametrize("proof", [b"", b"x" * 20, b"x" * 5])
def test_a_client_that_ignores_its_refusal_gets_nothing(
    embedded: PrivateServer, tenant: Tenant, proof: bytes
) -> None:
    for user in (tenant.user, "unknown", "root", ""):
        with RawClient(embedded) as client:
            refusal = client.log_in(user, proof)
            assert refusal[0] == 0xFF
            assert struct.unpack("<H", refusal[1:3]) == (1045,)
            try:
                client.send(0, b"\x03SELECT 1")
                assert client.receive() == b""
            except (BrokenPipeError, ConnectionResetError):
                pass


def test_a_command_before_the_login_is_refused(embedded: PrivateServer) -> None:
    with RawClient(embedded) as client:
        client.receive()
        client.send(1, b"\x03SELECT 1")
        assert client.receive()[:1] in (b"", b"\xff")
        assert client.receive() == b""


def test_the_server_survives_garbage(embedded: PrivateServer, tenant: Tenant) -> None:
    for garbage in (b"", b"\xff" * 100, b"GET / HTTP/1.0\r\n\r\n"):
        with RawClient(embedded) as client:
            client.receive()
            client.send(1, garbage)
            client.receive()
    assert embedded.connection_ids(tenant) == frozenset()


def test_a_client_beyond_the_limit_gets_an_error(embedded: PrivateServer, tenant: Tenant) -> None:
    options: dict[str, Any] = {
        "unix_socket": tenant.address.unix_socket,
        "user": tenant.user,
        "password": tenant.password,
        "ssl_disabled": True,
    }
    embedded._admin.run("SET GLOBAL max_connections = 2")  # the administrator is one of them
    try:
        first = pymysql.connect(**options)
        with pytest.raises(pymysql.err.OperationalError) as refused:
            pymysql.connect(**options)
        assert refused.value.args[0] == 1040
        first.close()
    finally:
        embedded._admin.run("SET GLOBAL max_connections = 512")


def test_a_tenant_sees_only_itself_in_the_process_list(
    embedded: PrivateServer, tenant: Tenant
) -> None:
    connection = pymysql.connect(
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        ssl_disabled=True,
    )
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT USER FROM information_schema.processlist")
        assert cursor.fetchall() == ((tenant.user,),)


def test_a_changed_user_is_authenticated_again(embedded: PrivateServer, tenant: Tenant) -> None:
    connection = pymysql.connect(
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        ssl_disabled=True,
    )
    asked = b"root\0" + bytes([20]) + b"x" * 20 + b"\0" + b"\x2d\0" + b"mysql_native_password\0"
    connection._execute_command(17, asked)  # type: ignore[attr-defined]
    with pytest.raises(pymysql.err.OperationalError) as refused:
        connection._read_ok_packet()  # type: ignore[attr-defined]
    assert refused.value.args[0] == 1045
    with pytest.raises(pymysql.err.MySQLError):
        connection.query("SELECT 1")


def test_a_user_may_drop_its_own_database_only(embedded: PrivateServer, tenant: Tenant) -> None:
    other = embedded.create_tenant()
    connect = partial(
        pymysql.connect,
        unix_socket=str(embedded.address.unix_socket),
        user=tenant.user,
        password=tenant.password,
    )
    with connect() as connection, connection.cursor() as cursor:
        with pytest.raises(pymysql.err.OperationalError, match="1044"):
            cursor.execute(f"DROP DATABASE {other.database}")
        cursor.execute(f"DROP DATABASE {tenant.database}")
    with pytest.raises(pymysql.err.OperationalError, match="1049"):
        connect(database=tenant.database)
    embedded.drop_tenant(other)
