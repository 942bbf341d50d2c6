"""Fixtures: virtual time, scripted connections, threads that keep their exceptions, a server."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from poolspec.servers import Server, ServerError, ServerKind, Tenant, start_server
from steadypool import Config, ConnectionPool
from steadypool.testing import ScriptedConnector, VirtualClock

Actors = Any  # the class below; test modules cannot import a conftest


class _Actors:
    """Threads that are participants of the virtual clock."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []

    def start(self, *works: Callable[[], object]) -> None:
        self._clock.enter(len(works))
        for work in works:
            thread = threading.Thread(target=self._run, args=(work,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def queue(self, pool: ConnectionPool, *works: Callable[[], object]) -> None:
        """Start each work when the previous one waits in the pool's queue."""
        for work in works:
            before = pool.stats().waiting
            self.start(work)
            while pool.stats().waiting == before:
                threading.Event().wait(0.0005)

    def join(self) -> None:
        """Wait for all threads while time passes; raise the first exception of any."""
        with self._clock.away():
            for thread in self._threads:
                thread.join(20)
        assert not any(thread.is_alive() for thread in self._threads), "a thread hangs"
        self._threads.clear()
        if self._errors:
            raise self._errors[0]

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            self._errors.append(error)
        finally:
            self._clock.leave()


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def actors(clock: VirtualClock) -> Iterator[_Actors]:
    actors = _Actors(clock)
    yield actors
    clock.abort("the test is over")
    for thread in actors._threads:
        thread.join(20)


@pytest.fixture
def connect(clock: VirtualClock) -> ScriptedConnector:
    return ScriptedConnector(clock=clock)


@pytest.fixture
def make_pool(
    clock: VirtualClock, connect: ScriptedConnector
) -> Iterator[Callable[..., ConnectionPool]]:
    """Make pools on the virtual clock; at the end each must close and leave nothing open."""
    pools: list[ConnectionPool] = []

    def make(**options: Any) -> ConnectionPool:
        settings: dict[str, Any] = {"size": 1, "max_overflow": 0, "connect": connect}
        pools.append(ConnectionPool(**(settings | {"clock": clock} | options)))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()
        assert pool.stats().pool_size == 0
        assert pool._core.pending == 0
        assert connect.open_now == sum(p.stats().in_use for p in pools)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    try:
        server = start_server(ServerKind.MARIADB)
    except ServerError as error:
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture
def tenant(server: Server) -> Iterator[Tenant]:
    tenant = server.create_tenant()
    yield tenant
    server.drop_tenant(tenant)


@pytest.fixture
def config(tenant: Tenant) -> Config:
    return Config(
        host=tenant.address.host,
        port=tenant.address.port or 3306,
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
    )
