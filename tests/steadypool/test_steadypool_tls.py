"""TLS for threads and asyncio: certificates are verified, and bad ones are refused.

Each run creates its own certificate authorities.
"""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pymysql
import pytest
import trustme
from tests.steadypool.test_steadypool_writes import LIMITS
from tests.steadypool.test_steadypool_writes import in_asyncio as sent_in_asyncio
from tests.steadypool.test_steadypool_writes import in_threads as sent_in_threads

from poolspec.servers import Address, PrivateServer
from poolspec.servers.mysqld import Mysqld, find_mysqld
from steadypool import AsyncConnectionPool, Config, ConnectionPool, PoolInitializationError

CIPHER = "SHOW SESSION STATUS LIKE 'Ssl_cipher'"


@dataclass(frozen=True)
class Certified(Mysqld):
    """A server with a certificate."""

    certificate: trustme.LeafCert

    def prepare(self, directory: Path) -> None:
        super().prepare(directory)
        self.certificate.private_key_and_cert_chain_pem.write_to_path(directory / "server.pem")

    def command(self, directory: Path, address: Address) -> list[str]:
        pem = directory / "server.pem"
        return [*super().command(directory, address), f"--ssl-cert={pem}", f"--ssl-key={pem}"]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> Iterator[PrivateServer]:
    program = find_mysqld()
    if program is None:
        pytest.skip("no MariaDB or MySQL")
    certificate = authority.issue_cert("127.0.0.1")
    server = PrivateServer(Certified(program.kind, program.binary, certificate))
    yield server
    server.stop()


@pytest.fixture
def config(server: PrivateServer) -> Iterator[Config]:
    """Configure TCP, because only TCP connections verify host names."""
    tenant = server.create_tenant()
    yield Config(
        host=server.address.host,
        port=server.address.port,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
    )
    deadline = time.monotonic() + 10
    while left := server.connection_ids(tenant):  # the server notices with a delay
        assert time.monotonic() < deadline, f"connections are still open: {left}"
        threading.Event().wait(0.005)
    server.drop_tenant(tenant)


def in_threads(config: Config) -> str:
    pool = ConnectionPool(size=1, config=config)
    with pool as connection, connection.cursor() as cursor:
        cursor.execute(CIPHER)
        ((_, cipher),) = cursor.fetchall()
    pool.close()
    return str(cipher)


def in_asyncio(config: Config) -> str:
    async def body() -> Any:
        pool = await AsyncConnectionPool.open(size=1, config=config)
        async with pool as connection, connection.cursor() as cursor:
            await cursor.execute(CIPHER)
            ((_, cipher),) = await cursor.fetchall()
        await pool.close()
        return cipher

    return str(asyncio.run(body()))


RunPool = Callable[[Config], str]
both_pools = pytest.mark.parametrize("cipher_of", [in_threads, in_asyncio])


def written(authority: trustme.CA, folder: Path) -> str:
    path = folder / "authority.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


@both_pools
def test_a_certificate_of_the_named_authority_is_accepted(
    cipher_of: RunPool, config: Config, authority: trustme.CA, tmp_path: Path
) -> None:
    assert cipher_of(replace(config, tls_ca=written(authority, tmp_path))) != ""


@both_pools
def test_a_certificate_of_another_authority_is_refused(
    cipher_of: RunPool, config: Config, tmp_path: Path
) -> None:
    strangers = replace(config, tls_ca=written(trustme.CA(), tmp_path))
    with pytest.raises(PoolInitializationError, match=r"certificate verify failed.*check tls_ca"):
        cipher_of(strangers)


@both_pools
def test_a_certificate_for_another_host_is_refused(
    cipher_of: RunPool, config: Config, authority: trustme.CA, tmp_path: Path
) -> None:
    elsewhere = replace(config, host="localhost", tls_ca=written(authority, tmp_path))
    with pytest.raises(PoolInitializationError, match=r"certificate is not valid for 'localhost'"):
        cipher_of(elsewhere)


@both_pools
def test_tls_without_an_authority_is_encrypted_and_not_verified(
    cipher_of: RunPool, config: Config
) -> None:
    assert cipher_of(replace(config, tls=True)) != ""


@pytest.mark.parametrize("send", [sent_in_threads, sent_in_asyncio])
def test_the_write_timeout_also_ends_a_statement_over_tls(
    send: Callable[[Config, Callable[[], None]], None], server: PrivateServer, config: Config
) -> None:
    began: list[float] = []

    def pause() -> None:
        server.pause()
        began.append(time.monotonic())

    try:
        with pytest.raises(pymysql.OperationalError):
            send(replace(config, tls=True, **LIMITS), pause)
        assert 0.2 <= time.monotonic() - began[0] < 10
    finally:
        server.resume()


@both_pools
def test_a_local_connection_needs_no_tls(cipher_of: RunPool, config: Config) -> None:
    assert cipher_of(config) == ""
    assert cipher_of(replace(config, tls=False)) == ""
