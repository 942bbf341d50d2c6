"""Host names: look-ups within the time limits, and the first address that answers.

The names exist in `socket.getaddrinfo` only, which the tests replace. The addresses are real ports
of this machine.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from poolspec.servers import Server, Tenant
from steadypool import (
    AsyncConnectionPool,
    Config,
    ConnectionFailedError,
    ConnectionPool,
    PoolClosedError,
    PoolTimeoutError,
)
from steadypool._drivers import names
from steadypool._drivers.names import Address, Name

HOST = "db.test"
Where = tuple[str, int]
Borrow = Callable[..., str]
"""Borrows once within a timeout, and returns the answer to a query."""


class System:
    """The names that the system knows, and how long it takes to look one up."""

    def __init__(self) -> None:
        self.addresses: list[Where] = []
        self.ended = threading.Event()
        """Ends a look-up that hangs."""
        self.hangs = False
        self.asked = 0
        self._known = socket.getaddrinfo

    def getaddrinfo(self, host: Any, port: Any, *rest: Any, **options: Any) -> Any:
        if host != HOST:
            return self._known(host, port, *rest, **options)
        self.asked += 1
        if self.hangs:
            self.ended.wait(30)
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", where) for where in self.addresses]


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    system = System()
    monkeypatch.setattr(socket, "getaddrinfo", system.getaddrinfo)
    yield system
    system.ended.set()


class Ports:
    """Ports of this machine at which no server signs a client in."""

    def __init__(self, server: Where, closing: ExitStack) -> None:
        self._server = server
        self._closing = closing

    def refusing(self) -> Where:
        return self._bound()[1]

    def silent(self) -> Where:
        source, where = self._bound()
        source.listen()
        return where

    def lost(self) -> Where:
        """A port whose queue is full: the system drops the packets of further clients."""
        source, where = self._bound()
        source.listen(0)
        for _ in range(2):
            client = self._closing.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(where)
        return where

    def answering(self, answer: bytes, *, hangs_up: bool = True) -> Where:
        source, where = self._bound()
        source.listen()
        clients: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    client, _ = source.accept()
                except OSError:
                    return
                client.sendall(answer)
                clients.append(client)
                if hangs_up:
                    client.close()

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self._closing.callback(lambda: [self._closing.callback(one.close) for one in clients])
        self._closing.callback(thread.join, 20)
        self._closing.callback(source.shutdown, socket.SHUT_RDWR)
        return where

    def greeting(self) -> bytes:
        """The greeting of the real server."""
        with socket.create_connection(self._server) as client:
            return client.recv(4096)

    def _bound(self) -> tuple[socket.socket, Where]:
        source = self._closing.enter_context(socket.socket())
        source.bind(("127.0.0.1", 0))
        return source, source.getsockname()


@pytest.fixture
def right(server: Server) -> Where:
    return "127.0.0.1", server.address.port


@pytest.fixture
def ports(right: Where) -> Iterator[Ports]:
    with ExitStack() as closing:
        yield Ports(right, closing)


@pytest.fixture
def named(server: Server, tenant: Tenant, config: Config) -> Iterator[Config]:
    yield replace(config, unix_socket=None, host=HOST, port=server.address.port)
    deadline = time.monotonic() + 10
    while server.connection_ids(tenant):  # the server notices with a delay
        assert time.monotonic() < deadline, "connections are still open"
        threading.Event().wait(0.005)


def in_threads(config: Config, timeout: float = 5.0) -> str:
    pool = ConnectionPool(size=1, min_size=0, config=config, connect_attempts=1)
    try:
        connection = pool.acquire(timeout)
        with connection.cursor() as cursor:
            cursor.execute("SELECT 'here'")
            ((answer,),) = cursor.fetchall()
        pool.release(connection)
        return str(answer)
    finally:
        pool.close()


def in_asyncio(config: Config, timeout: float = 5.0) -> str:
    async def body() -> str:
        pool = AsyncConnectionPool(size=1, min_size=0, config=config, connect_attempts=1)
        await pool.start()
        try:
            connection = await pool.acquire(timeout)
            async with connection.cursor() as cursor:
                await cursor.execute("SELECT 'here'")
                ((answer,),) = await cursor.fetchall()
            await pool.release(connection)
            return str(answer)
        finally:
            await pool.close()

    return asyncio.run(body())


both_pools = pytest.mark.parametrize("borrow", [in_threads, in_asyncio])


def error_packet(code: int) -> bytes:
    body = b"\xff" + code.to_bytes(2, "little") + b"refused as the test asked"
    return len(body).to_bytes(3, "little") + b"\0" + body


@both_pools
def test_a_look_up_takes_no_more_than_the_timeout_of_the_acquire(
    borrow: Borrow, named: Config, system: System
) -> None:
    system.hangs = True
    began = time.monotonic()
    with pytest.raises(PoolTimeoutError):
        borrow(named, timeout=0.3)
    assert 0.3 <= time.monotonic() - began < 2


@both_pools
def test_a_look_up_takes_no_more_than_the_connect_timeout(
    borrow: Borrow, named: Config, system: System
) -> None:
    system.hangs = True
    began = time.monotonic()
    with pytest.raises(ConnectionFailedError):
        borrow(replace(named, connect_timeout=0.3), timeout=20)
    assert 0.3 <= time.monotonic() - began < 2


@both_pools
def test_a_look_up_that_hangs_does_not_keep_the_next_from_an_answer(
    borrow: Borrow, named: Config, system: System, right: Where
) -> None:
    system.addresses = [right]
    system.hangs = True
    with pytest.raises(PoolTimeoutError):
        borrow(named, timeout=0.1)
    system.hangs = False
    assert borrow(named) == "here"


@both_pools
def test_an_unknown_name_is_an_error(borrow: Borrow, named: Config, system: System) -> None:
    with pytest.raises(ConnectionFailedError, match=r"not known.*Check host"):
        borrow(named)


@both_pools
def test_a_malformed_name_is_tried_once(borrow: Borrow, named: Config) -> None:
    with pytest.raises(ConnectionFailedError, match=r"is not a host name"):
        borrow(replace(named, host="a" * 64 + ".test"))


@both_pools
def test_a_numeric_address_is_not_looked_up(
    borrow: Borrow, named: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise AssertionError("looked up")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert borrow(replace(named, host="127.0.0.1")) == "here"
    assert Name("::1", 3306).addresses(1) == [Address(socket.AF_INET6, ("::1", 3306, 0, 0))]


@both_pools
@pytest.mark.parametrize("first", ["refusing", "silent", "lost"])
def test_the_next_address_is_tried(
    borrow: Borrow, named: Config, system: System, ports: Ports, right: Where, first: str
) -> None:
    bad = getattr(ports, first)()
    system.addresses = [bad, right]
    began = time.monotonic()
    assert borrow(named) == "here"
    assert time.monotonic() - began < 2.5


@both_pools
@pytest.mark.parametrize("first", ["silent", "lost"])
def test_a_silent_address_leaves_the_others_their_share_of_a_short_timeout(
    borrow: Borrow, named: Config, system: System, ports: Ports, right: Where, first: str
) -> None:
    system.addresses = [getattr(ports, first)(), getattr(ports, first)(), right]
    assert borrow(named, timeout=0.9) == "here"


@both_pools
def test_an_address_that_hangs_up_is_followed_by_the_next(
    borrow: Borrow, named: Config, system: System, ports: Ports, right: Where
) -> None:
    system.addresses = [ports.answering(b""), right]
    assert borrow(named) == "here"


@both_pools
def test_an_address_that_greets_and_then_stays_silent_is_followed_by_the_next(
    borrow: Borrow, named: Config, system: System, ports: Ports, right: Where
) -> None:
    system.addresses = [ports.answering(ports.greeting(), hangs_up=False), right]
    assert borrow(replace(named, connect_timeout=1.0)) == "here"


@both_pools
def test_an_address_that_greets_and_then_hangs_up_is_followed_by_the_next(
    borrow: Borrow, named: Config, system: System, ports: Ports, right: Where
) -> None:
    system.addresses = [ports.answering(ports.greeting()), ports.silent(), right]
    assert borrow(named) == "here"


@both_pools
def test_a_full_server_is_followed_by_the_next_address(
    borrow: Borrow, named: Config, system: System, ports: Ports, right: Where
) -> None:
    system.addresses = [ports.answering(error_packet(1040)), right]
    assert borrow(named) == "here"


@both_pools
def test_a_refusal_that_time_does_not_mend_ends_the_connect(
    borrow: Borrow, named: Config, system: System, ports: Ports, right: Where
) -> None:
    system.addresses = [ports.answering(error_packet(1130)), right]
    with pytest.raises(ConnectionFailedError, match="1130"):
        borrow(named)


@both_pools
def test_the_error_of_the_last_address_that_answered_is_raised(
    borrow: Borrow, named: Config, system: System, ports: Ports
) -> None:
    system.addresses = [ports.answering(error_packet(1040)), ports.refusing()]
    with pytest.raises(ConnectionFailedError, match="1040"):
        borrow(named)


@both_pools
def test_the_error_names_each_address_that_failed(
    borrow: Borrow, named: Config, system: System, ports: Ports
) -> None:
    first, second = ports.refusing(), ports.refusing()
    system.addresses = [first, second]
    with pytest.raises(ConnectionFailedError) as caught:
        borrow(named)
    assert f"127.0.0.1:{first[1]}" in str(caught.value)
    assert f"127.0.0.1:{second[1]}" in str(caught.value)


@both_pools
def test_addresses_that_stay_silent_take_no_more_than_the_timeout(
    borrow: Borrow, named: Config, system: System, ports: Ports
) -> None:
    system.addresses = [ports.silent(), ports.lost(), ports.silent()]
    began = time.monotonic()
    with pytest.raises(PoolTimeoutError):
        borrow(named, timeout=0.5)
    assert 0.5 <= time.monotonic() - began < 2


@both_pools
def test_a_connect_follows_the_name_to_another_address(
    borrow: Borrow, named: Config, system: System, ports: Ports, right: Where
) -> None:
    system.addresses = [ports.refusing()]
    with pytest.raises(ConnectionFailedError):
        borrow(named)
    system.addresses = [right]
    assert borrow(named) == "here"
    assert system.asked == 2


def test_families_take_turns_and_duplicates_are_dropped() -> None:
    six = [Address(socket.AF_INET6, (f"::{n}", 1, 0, 0)) for n in (1, 2, 3)]
    four = [Address(socket.AF_INET, ("127.0.0.1", 1)), Address(socket.AF_INET, ("127.0.0.1", 1))]
    assert names._interleaved([*six, *four]) == [six[0], four[0], six[1], six[2]]


def test_the_end_of_an_event_loop_does_not_wait_for_a_look_up(
    named: Config, system: System
) -> None:
    system.hangs = True

    async def body() -> None:
        pool = AsyncConnectionPool(size=1, min_size=0, config=named)
        await pool.start()
        asking = asyncio.create_task(pool.acquire())
        while not system.asked:
            await asyncio.sleep(0.001)
        asking.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert time.monotonic() - began < 1
        await pool.close()

    began = time.monotonic()
    asyncio.run(body())
    assert time.monotonic() - began < 5


def test_closing_an_asyncio_pool_does_not_wait_for_a_look_up(named: Config, system: System) -> None:
    system.hangs = True

    async def body() -> None:
        pool = AsyncConnectionPool(size=1, min_size=0, config=named)
        await pool.start()
        asking = asyncio.create_task(pool.acquire())
        while not system.asked:
            await asyncio.sleep(0.001)
        began = time.monotonic()
        await pool.close()
        with pytest.raises(PoolClosedError):
            await asking
        assert time.monotonic() - began < 1

    asyncio.run(body())


def test_look_ups_that_hang_use_a_limited_number_of_threads(system: System) -> None:
    system.hangs = True
    name = Name(HOST, 3306)
    for _ in range(2 * names._MOST):
        with pytest.raises(TimeoutError, match="look-up"):
            name.addresses(0.001)
    assert sum("look-up" in thread.name for thread in threading.enumerate()) <= names._MOST


def test_without_threads_a_look_up_blocks(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(names._LookUp, "start", refuse)
    system.addresses = [("127.0.0.1", 3306)]
    assert Name(HOST, 3306).addresses(1) == [Address(socket.AF_INET, ("127.0.0.1", 3306))]


def test_an_interrupted_race_leaves_no_socket(ports: Ports) -> None:
    from steadypool._drivers.race import Race

    addresses = [Address(socket.AF_INET, ports.silent()), Address(socket.AF_INET, ports.lost())]
    race = Race(addresses, time.monotonic() + 0.5)
    with pytest.raises(TimeoutError), race:
        race.wait()
    assert not race._running
