"""A connect of a driver that is interrupted or cancelled leaves no socket open."""

import asyncio
import socket
from contextlib import suppress

import pytest

from poolspec.drivers.contract import AsyncDriver
from poolspec.interruption.rounds import open_sockets
from poolspec.servers import Address, Tenant
from poolspec.testing import AiomysqlDriver, AsyncmyDriver, PyMySQLDriver


class Interrupt(BaseException):
    """An interrupt of a test."""


@pytest.mark.parametrize("name", ["connect", "settimeout", "makefile"])
def test_an_interrupted_connect_closes_its_socket(
    name: str, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise Interrupt

    opener = PyMySQLDriver().opener(tenant)
    before = open_sockets()
    monkeypatch.setattr(socket.socket, name, interrupted)
    with pytest.raises(Interrupt):
        opener()
    assert open_sockets() == before


@pytest.mark.parametrize("driver", [AiomysqlDriver(), AsyncmyDriver()], ids=["aiomysql", "asyncmy"])
def test_a_cancelled_connect_closes_its_socket(driver: AsyncDriver) -> None:
    async def test() -> None:
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            tenant = Tenant("", "a_user", "", Address("127.0.0.1", silent.getsockname()[1]))
            before = open_sockets()
            connecting = asyncio.ensure_future(driver.opener(tenant)())
            with suppress(TimeoutError):
                async with asyncio.timeout(0.2):  # it waits for a greeting that never comes
                    await connecting
            await asyncio.sleep(0)
            assert open_sockets() == before

    asyncio.run(test())
