"""The web examples over real HTTP and a real database; a table lock exhausts their pools."""

import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pymysql
import pytest

from poolspec.servers import PrivateServer, Server, Tenant

Eventually = Callable[[Callable[[], bool]], None]
Launch = Callable[..., Any]
Own = pymysql.connections.Connection

PROGRAMS = ["fastapi_app.py", "fastapi_async_app.py", "wsgi_app.py"]
APPS = pytest.mark.parametrize("app", PROGRAMS)
TIMEOUT = 0.3


@contextmanager
def locked_visits(connection: Own) -> Iterator[None]:
    """Lock the table: any other statement on it blocks and occupies its connection."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLES visits WRITE")
        try:
            yield
        finally:
            cursor.execute("UNLOCK TABLES")


def figures(program: Any) -> dict[str, int]:
    found: dict[str, int] = program.client.get("/healthz").json()["pool"]
    return found


def health(program: Any) -> tuple[int, str]:
    answer = program.client.get("/healthz")
    return answer.status_code, answer.json()["status"]


@APPS
def test_a_visit_is_recorded_and_counted(launch: Launch, app: str) -> None:
    program = launch(app)
    for number in (1, 2):
        answer = program.client.post("/visits")
        assert (answer.status_code, answer.json()) == (201, {"id": number})
    answer = program.client.get("/visits")
    assert (answer.status_code, answer.json()) == (200, {"visits": 2})


@APPS
def test_an_exhausted_pool_answers_503_until_a_connection_is_free(
    launch: Launch, app: str, own_connection: Own, eventually: Eventually
) -> None:
    program = launch(app, POOL_SIZE="2", REQUEST_TIMEOUT=str(TIMEOUT))
    with ThreadPoolExecutor(2) as clients:
        with locked_visits(own_connection):
            blocked = [clients.submit(program.client.post, "/visits") for _ in range(2)]
            eventually(lambda: figures(program)["in_use"] == 2)
            assert health(program) == (200, "healthy")
            asked = time.monotonic()
            refused = program.client.get("/visits")
            waited = time.monotonic() - asked
        assert [answer.result().status_code for answer in blocked] == [201, 201]
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert waited >= TIMEOUT
    assert program.client.get("/visits").json() == {"visits": 2}
    assert figures(program)["timeouts"] == 1


@APPS
def test_a_waiting_request_is_served_when_a_connection_comes_back_in_time(
    launch: Launch, app: str, own_connection: Own, eventually: Eventually
) -> None:
    program = launch(app, POOL_SIZE="1", REQUEST_TIMEOUT="30")
    with ThreadPoolExecutor(8) as clients:
        with locked_visits(own_connection):
            answers = [clients.submit(program.client.post, "/visits") for _ in range(8)]
            eventually(lambda: figures(program)["waiting"] == 7)
            assert health(program) == (200, "degraded")
        assert [answer.result().status_code for answer in answers] == [201] * 8


@pytest.mark.parametrize("app", ["fastapi_app.py", "fastapi_async_app.py"])
def test_more_waiting_requests_than_default_threads_are_all_served(
    launch: Launch, app: str, own_connection: Own, eventually: Eventually
) -> None:
    program = launch(app, POOL_SIZE="5", REQUEST_TIMEOUT="30")
    limits = httpx.Limits(max_connections=100)
    base = program.client.base_url
    with (
        httpx.Client(base_url=base, timeout=30, limits=limits) as client,
        ThreadPoolExecutor(80) as clients,
    ):
        with locked_visits(own_connection):
            answers = [clients.submit(client.post, "/visits") for _ in range(80)]
            eventually(lambda: figures(program)["waiting"] == 75)
        assert [answer.result().status_code for answer in answers] == [201] * 80


@APPS
def test_a_lost_database_is_answered_with_503_until_it_recovers(
    launch: Launch, app: str, own_server: PrivateServer, own_url: str, eventually: Eventually
) -> None:
    program = launch(app, POOL_SIZE="1", DATABASE_URL=own_url)
    assert program.client.post("/visits").status_code == 201
    own_server.crash()
    eventually(lambda: program.client.get("/visits").status_code == 503)
    assert health(program) == (503, "unhealthy")
    own_server.restart()
    eventually(lambda: health(program) == (200, "healthy"))
    eventually(lambda: program.client.get("/visits").status_code == 200)
    assert program.client.get("/visits").json() == {"visits": 1}


@APPS
def test_stopping_the_program_closes_every_connection(
    launch: Launch, app: str, server: Server, tenant: Tenant, eventually: Eventually
) -> None:
    program = launch(app, POOL_SIZE="3")
    eventually(lambda: len(server.connection_ids(tenant)) == 3)
    program.stop()
    eventually(lambda: not server.connection_ids(tenant))


@pytest.mark.parametrize("app", [*PROGRAMS, "prometheus_metrics.py"])
def test_a_taken_port_is_reported_with_advice_and_leaves_nothing_running(
    start: Launch, app: str, server: Server, tenant: Tenant
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        program = start(app, port)
        _, errors = program.finish()
    assert program.process.returncode == 1
    holder = f", process {os.getpid()}" if sys.platform == "linux" else "another program"
    assert errors.startswith(f"port {port} on 127.0.0.1 is taken by ")
    assert f"{holder}. Stop that program" in errors
    assert f"--port {port + 1}" in errors
    assert not server.connection_ids(tenant)
