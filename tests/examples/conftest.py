"""A real server with one tenant for each test, and the examples as separate programs."""

import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO
from urllib.parse import quote

import httpx
import pymysql
import pytest

from poolspec.servers import PrivateServer, Server, ServerError, ServerKind, Tenant, start_server
from poolspec.servers.ports import free_port

EXAMPLES = Path(__file__).parents[2] / "examples"
HOST = "127.0.0.1"
TIMEOUT = 30.0
"""Seconds until a program without an answer fails the test."""

PORT_ATTEMPTS = 5
"""Attempts to find a port, because another process may take a free port first."""


@pytest.fixture(scope="package")
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
def database_url(tenant: Tenant) -> str:
    return url_of(tenant)


@pytest.fixture
def own_server(server: Server) -> Iterator[PrivateServer]:
    """A separate server that the test may crash; available wherever `server` is."""
    own = start_server(ServerKind.MARIADB)
    assert isinstance(own, PrivateServer)
    yield own
    own.stop()


@pytest.fixture
def own_url(own_server: PrivateServer) -> str:
    return url_of(own_server.create_tenant())


def url_of(tenant: Tenant) -> str:
    where = f"{tenant.address.host}:{tenant.address.port or 3306}/{tenant.database}"
    options = "?query_timeout=60"  # a statement blocked by a test must not time out
    if tenant.address.unix_socket:
        options += f"&unix_socket={quote(tenant.address.unix_socket, safe='')}"
    return f"mysql://{quote(tenant.user)}:{quote(tenant.password, safe='')}@{where}{options}"


@pytest.fixture
def own_connection(tenant: Tenant) -> Iterator[pymysql.connections.Connection]:
    connection = pymysql.connect(
        host=tenant.address.host,
        port=tenant.address.port or 3306,
        unix_socket=tenant.address.unix_socket,
        user=tenant.user,
        password=tenant.password,
        database=tenant.database,
        autocommit=True,
    )
    yield connection
    connection.close()


class Program:
    """A running example; `client` sends HTTP requests to it."""

    def __init__(self, name: str, port: int, environment: dict[str, str]) -> None:
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(EXAMPLES / name), "--port", str(port)],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.client = httpx.Client(base_url=f"http://{HOST}:{port}", timeout=TIMEOUT)

    def is_ready(self) -> bool:
        """Wait until the program listens and answers; False: another process took its port."""
        line = read_line(self.process.stdout, TIMEOUT)
        if line.startswith("listening"):
            self.client.get("/healthz")  # answers when the program is ready
            return True
        errors = self.stop()[1]
        assert f"port {self.port} on {HOST} is taken" in errors, f"{line}{errors}"
        return False

    def stop(self) -> tuple[str, str]:
        """Interrupt the program as Ctrl-C does; return its output."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.finish()

    def finish(self) -> tuple[str, str]:
        """Wait for the program's end, kill it after the timeout, and return its output."""
        try:
            return self.process.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.communicate()


def read_line(stream: IO[str] | None, timeout: float) -> str:
    assert stream is not None
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        return stream.readline() if selector.select(timeout) else ""


Start = Callable[..., Program]


@pytest.fixture
def start(database_url: str) -> Iterator[Start]:
    """Start examples on a given port; at the end of the test each must stop on an interrupt."""
    programs: list[Program] = []

    def start(name: str, port: int, **environment: str) -> Program:
        program = Program(name, port, {"DATABASE_URL": database_url} | environment)
        programs.append(program)
        return program

    yield start
    for program in programs:
        _, errors = program.stop()
        assert "Traceback" not in errors, errors


@pytest.fixture
def launch(start: Start) -> Callable[..., Program]:
    """Start examples on free ports and wait until they are ready."""

    def launch(name: str, **environment: str) -> Program:
        for _ in range(PORT_ATTEMPTS):
            program = start(name, free_port(), **environment)
            if program.is_ready():
                return program
        raise AssertionError(f"no free port found for {name}")

    return launch


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    """Wait until a condition holds; fail after the timeout."""

    def wait(holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not holds():
            assert time.monotonic() < deadline, "the condition did not hold in time"
            threading.Event().wait(0.01)

    return wait
