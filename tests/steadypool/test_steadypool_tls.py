"""TLS for threads and asyncio: certificates are verified, and bad ones are refused.

Each run creates its own certificate authorities.
"""

import asyncio
import gc
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import pymysql
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from tests.steadypool.test_steadypool_writes import LIMITS
from tests.steadypool.test_steadypool_writes import in_asyncio as sent_in_asyncio
from tests.steadypool.test_steadypool_writes import in_threads as sent_in_threads

from poolspec.servers import Address, PrivateServer
from poolspec.servers.mysqld import Mysqld, find_mysqld
from steadypool import (
    AsyncConnectionPool,
    Config,
    ConnectionFailedError,
    ConnectionPool,
    PoolConfigError,
    PoolInitializationError,
)
from steadypool._drivers.tls import Files, context

CIPHER = "SHOW SESSION STATUS LIKE 'Ssl_cipher'"


@dataclass(frozen=True)
class Certified(Mysqld):
    """A server with a certificate."""

    certificate: trustme.LeafCert
    authority: trustme.CA

    def prepare(self, directory: Path) -> None:
        super().prepare(directory)
        self.certificate.private_key_and_cert_chain_pem.write_to_path(directory / "server.pem")
        self.authority.cert_pem.write_to_path(directory / "clients.pem")

    def command(self, directory: Path, address: Address) -> list[str]:
        pem, clients = directory / "server.pem", directory / "clients.pem"
        files = (f"--ssl-cert={pem}", f"--ssl-key={pem}", f"--ssl-ca={clients}")
        return [*super().command(directory, address), *files]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> Iterator[PrivateServer]:
    program = find_mysqld()
    if program is None:
        pytest.skip("no MariaDB or MySQL")
    certificate = authority.issue_cert("127.0.0.1")
    server = PrivateServer(Certified(program.kind, program.binary, certificate, authority))
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
    send: Callable[..., None], server: PrivateServer, config: Config
) -> None:
    began: list[float] = []

    def pause() -> None:
        server.pause()
        began.append(time.monotonic())

    try:
        with pytest.raises(pymysql.OperationalError):
            send(replace(config, tls=True, **LIMITS), pause, over_tcp=True)
        assert 0.2 <= time.monotonic() - began[0] < 10
    finally:
        server.resume()


@both_pools
def test_a_local_connection_needs_no_tls(cipher_of: RunPool, config: Config) -> None:
    assert cipher_of(config) == ""
    assert cipher_of(replace(config, tls=False)) == ""


# --- rotated files -------------------------------------------------------------------------------


class Borrower(Protocol):
    """Borrows from one pool of one connection, which it closes after each loan."""

    def cipher(self) -> str: ...

    @property
    def failures(self) -> int: ...


class ThreadsBorrower:
    def __init__(self, config: Config, **more: Any) -> None:
        self._pool = ConnectionPool(**options(config) | more)

    def cipher(self) -> str:
        with self._pool as connection, connection.cursor() as cursor:
            cursor.execute(CIPHER)
            ((_, cipher),) = cursor.fetchall()
        return str(cipher)

    @property
    def failures(self) -> int:
        return self._pool.stats().connect_failures

    def close(self) -> None:
        self._pool.close()


class AsyncioBorrower:
    def __init__(self, config: Config, **more: Any) -> None:
        self._runner = asyncio.Runner()
        self._pool = AsyncConnectionPool(**options(config) | more)
        self._runner.run(self._pool.start())

    def cipher(self) -> str:
        return self._runner.run(self._cipher())

    async def _cipher(self) -> str:
        async with self._pool as connection, connection.cursor() as cursor:
            await cursor.execute(CIPHER)
            ((_, cipher),) = await cursor.fetchall()
        return str(cipher)

    @property
    def failures(self) -> int:
        return self._pool.stats().connect_failures

    def close(self) -> None:
        self._runner.run(self._pool.close())
        self._runner.close()


def options(config: Config) -> dict[str, Any]:
    return {"size": 1, "min_size": 0, "max_uses": 1, "config": config, "breaker_failures": 1}


Borrow = Callable[..., Borrower]
SEEN_AS_LOST = {"connect_attempts": 1, "breaker_failures": None}
"""Asyncio may see a refused certificate as a lost connection, which a pool retries and counts."""


@pytest.fixture(params=[ThreadsBorrower, AsyncioBorrower])
def borrower_of(request: pytest.FixtureRequest) -> Iterator[Borrow]:
    made: list[Any] = []

    def make(config: Config, **more: Any) -> Borrower:
        made.append(request.param(config, **more))
        borrower: Borrower = made[-1]
        return borrower

    yield make
    for borrower in made:
        borrower.close()


def refused(borrower: Borrower, *says: str) -> None:
    """Check that a borrow fails after one attempt."""
    before = borrower.failures
    with pytest.raises(ConnectionFailedError) as caught:
        borrower.cipher()
    assert all(part in str(caught.value) for part in says), str(caught.value)
    assert borrower.failures == before + 1


def test_a_rotated_authority_is_used_by_the_next_connect(
    borrower_of: Borrow, config: Config, authority: trustme.CA, tmp_path: Path
) -> None:
    path = written(trustme.CA(), tmp_path)
    borrower = borrower_of(replace(config, tls_ca=path))
    refused(borrower, "certificate verify failed")
    written(authority, tmp_path)
    assert borrower.cipher() != ""
    written(trustme.CA(), tmp_path)
    refused(borrower, "certificate verify failed")
    refused(borrower_of(replace(config, tls_ca=path)), "certificate verify failed")


@pytest.mark.parametrize("broken", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nMII"])
def test_a_broken_new_authority_is_an_error_that_names_the_file(
    borrower_of: Borrow, config: Config, authority: trustme.CA, tmp_path: Path, broken: bytes
) -> None:
    path = written(authority, tmp_path)
    borrower = borrower_of(replace(config, tls_ca=path))
    assert borrower.cipher() != ""
    Path(path).write_bytes(broken)
    refused(borrower, "tls_ca", path, "Correct it")
    Path(path).unlink()
    refused(borrower, "tls_ca", path, "No such file")
    written(authority, tmp_path)
    assert borrower.cipher() != ""


def test_a_swapped_symbolic_link_is_a_rotation(
    borrower_of: Borrow, config: Config, authority: trustme.CA, tmp_path: Path
) -> None:
    for name, one in (("old", trustme.CA()), ("new", authority)):
        (tmp_path / name).mkdir()
        written(one, tmp_path / name)
    link = tmp_path / "current"
    link.symlink_to("old")
    borrower = borrower_of(replace(config, tls_ca=str(link / "authority.pem")))
    refused(borrower, "certificate verify failed")
    (tmp_path / "next").symlink_to("new")
    (tmp_path / "next").replace(link)
    assert borrower.cipher() != ""


@pytest.fixture
def certified(server: PrivateServer, config: Config) -> Config:
    """Require a certificate from the account."""
    server._admin.run(f"ALTER USER '{config.user}'@'%' REQUIRE X509")
    return config


def client_files(authority: trustme.CA, folder: Path) -> tuple[str, str]:
    certificate, key = folder / "client.pem", folder / "client-key.pem"
    issued = authority.issue_cert("client.test")
    certificate.write_bytes(b"".join(pem.bytes() for pem in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    return str(certificate), str(key)


def test_a_client_certificate_signs_in(
    borrower_of: Borrow, certified: Config, authority: trustme.CA, tmp_path: Path
) -> None:
    certificate, key = client_files(authority, tmp_path)
    assert borrower_of(replace(certified, tls_cert=certificate, tls_key=key)).cipher() != ""
    both = tmp_path / "both.pem"
    both.write_bytes(Path(certificate).read_bytes() + Path(key).read_bytes())
    assert borrower_of(replace(certified, tls_cert=str(both))).cipher() != ""


def test_an_account_that_needs_a_certificate_refuses_others_once(
    borrower_of: Borrow, certified: Config, tmp_path: Path
) -> None:
    refused(borrower_of(replace(certified, tls=True)), "1045", "TLS")
    certificate, key = client_files(trustme.CA(), tmp_path)
    refused(borrower_of(replace(certified, tls_cert=certificate, tls_key=key), **SEEN_AS_LOST))


def test_a_refused_client_certificate_is_tried_once_in_threads(
    certified: Config, tmp_path: Path
) -> None:
    certificate, key = client_files(trustme.CA(), tmp_path)
    borrower = ThreadsBorrower(replace(certified, tls_cert=certificate, tls_key=key))
    for _ in range(20):  # the reason arrives before or after the client has sent its login
        refused(borrower, "UNKNOWN_CA", "check the TLS options")
    borrower.close()


def test_a_rotated_client_certificate_is_used_by_the_next_connect(
    borrower_of: Borrow, certified: Config, authority: trustme.CA, tmp_path: Path
) -> None:
    certificate, key = client_files(trustme.CA(), tmp_path)
    borrower = borrower_of(replace(certified, tls_cert=certificate, tls_key=key), **SEEN_AS_LOST)
    refused(borrower)
    client_files(authority, tmp_path)
    assert borrower.cipher() != ""


def test_a_broken_client_certificate_is_an_error_that_names_the_file(
    borrower_of: Borrow, certified: Config, authority: trustme.CA, tmp_path: Path
) -> None:
    certificate, key = client_files(authority, tmp_path)
    borrower = borrower_of(replace(certified, tls_cert=certificate, tls_key=key))
    assert borrower.cipher() != ""
    authority.issue_cert("other.test").private_key_pem.write_to_path(key)
    refused(borrower, "do not belong together", certificate, key)
    Path(key).write_text("no key")
    refused(borrower, "tls_key", key)
    Path(certificate).write_text("no certificate")
    refused(borrower, "tls_cert", certificate)
    Path(certificate).unlink()
    refused(borrower, "tls_cert", certificate, "No such file")
    client_files(authority, tmp_path)
    assert borrower.cipher() != ""


def test_an_encrypted_key_is_refused_without_a_prompt(
    config: Config, authority: trustme.CA, tmp_path: Path
) -> None:
    certificate, key = client_files(authority, tmp_path)
    plain = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    encrypted = plain.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    Path(key).write_bytes(encrypted)
    with pytest.raises(PoolConfigError, match=r"tls_key.*is encrypted"):
        ConnectionPool(config=replace(config, tls_cert=certificate, tls_key=key))


def test_a_key_without_a_certificate_is_refused() -> None:
    with pytest.raises(PoolConfigError, match="tls_key needs tls_cert"):
        Config(tls_key="client-key.pem")


def test_a_context_is_shared_while_its_file_stays_the_same(
    authority: trustme.CA, tmp_path: Path
) -> None:
    files = Files(written(authority, tmp_path))
    first = context(files)
    assert context(files) is first
    written(authority, tmp_path)
    assert context(files) is not first


def test_files_that_change_while_they_are_read_are_read_again(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = client_files(trustme.CA(), tmp_path)
    load = ssl.SSLContext.load_cert_chain
    reads: list[None] = []

    def swap_then_load(made: ssl.SSLContext, *paths: Any) -> None:
        reads.append(None)
        if len(reads) == 1:
            authority.issue_cert("other.test").private_key_pem.write_to_path(key)
        if len(reads) == 2:
            client_files(authority, tmp_path)
        load(made, *paths)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", swap_then_load)
    assert isinstance(context(Files(None, certificate, key)), ssl.SSLContext)
    assert len(reads) == 3


@pytest.mark.parametrize("ended", [True, False])
def test_a_pool_over_tls_can_be_disposed_of_without_its_event_loop(
    config: Config, ended: bool
) -> None:
    loop = asyncio.new_event_loop()
    opening = AsyncConnectionPool.open(size=2, config=replace(config, tls=True))
    pool = loop.run_until_complete(opening)
    if ended:
        loop.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pool.dispose()
        if not ended:
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
        del pool, opening
        gc.collect()
