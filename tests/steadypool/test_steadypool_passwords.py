"""A password that is changed while a pool works: how often the server is asked, and by whom."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from poolspec.servers import Tenant, new_password
from poolspec.servers.private import PrivateServer
from steadypool import (
    AsyncConnectionPool,
    Config,
    ConnectionFailedError,
    ConnectionPool,
    ConnectionPoolError,
)

CLIENTS = 10


@pytest.fixture
def changed(server: PrivateServer, tenant: Tenant) -> Iterator[None]:
    """Let the account have another password."""
    server.change_password(tenant, new_password())
    yield
    server.change_password(tenant, tenant.password)


def options() -> dict[str, int]:
    return {"size": CLIENTS, "min_size": 0, "max_overflow": 0, "timeout": 20}


def test_each_acquire_of_a_thread_signs_in_at_most_once(
    server: PrivateServer, changed: None, config: Config
) -> None:
    pool = ConnectionPool(config=config, **options())  # type: ignore[arg-type]
    before = server.last_number()
    with ThreadPoolExecutor(CLIENTS) as executor:
        errors = [
            done.exception() for done in [executor.submit(pool.acquire) for _ in range(CLIENTS)]
        ]
    assert all(isinstance(error, ConnectionPoolError) for error in errors)
    assert any(isinstance(error, ConnectionFailedError) for error in errors)
    assert 1 <= server.last_number() - before <= CLIENTS
    pool.close()


def test_each_acquire_of_a_task_signs_in_at_most_once(
    server: PrivateServer, changed: None, config: Config
) -> None:
    async def work() -> list[object]:
        pool = AsyncConnectionPool(config=config, **options())  # type: ignore[arg-type]
        await pool.start()
        errors = await asyncio.gather(
            *(pool.acquire() for _ in range(CLIENTS)), return_exceptions=True
        )
        await pool.close()
        return list(errors)

    before = server.last_number()
    errors = asyncio.run(work())
    assert all(isinstance(error, ConnectionPoolError) for error in errors)
    assert any(isinstance(error, ConnectionFailedError) for error in errors)
    assert 1 <= server.last_number() - before <= CLIENTS


def test_maintenance_asks_a_server_that_refuses_the_password_once_per_pass(
    server: PrivateServer, config: Config, tenant: Tenant
) -> None:
    pool = ConnectionPool(config=config, **(options() | {"min_size": 5}))  # type: ignore[arg-type]
    pool.close_all()
    server.change_password(tenant, new_password())
    try:
        before = server.last_number()
        for _ in range(3):
            pool.maintain()
        assert server.last_number() - before <= 3
    finally:
        server.change_password(tenant, tenant.password)
    pool.maintain()
    assert pool.stats().total_connections == 5
    pool.close()
