"""A plain WSGI application on steadypool; the same pattern works with Flask and Django.

    export DATABASE_URL=mysql://app:secret@127.0.0.1/shop
    python examples/wsgi_app.py --port 8001
    curl -i -X POST http://127.0.0.1:8001/visits
    curl -i http://127.0.0.1:8001/visits

A WSGI server that forks workers needs only `application`. (The commands above create the table of
this example.)

    gunicorn --chdir examples --workers 4 --threads 8 wsgi_app:application

The first request in a process creates its pool, so no connection is open before the fork, and each
worker has a separate pool. The database sees up to workers x POOL_SIZE connections. In a worker
with no more threads than connections no thread ever waits.
"""

import json
import os
import socketserver
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pymysql

from serving import HOST, chosen_port, port_errors
from steadypool import (
    ConnectionFailedError,
    ConnectionPool,
    HealthStatus,
    PoolExhaustedError,
    PoolTimeoutError,
    close_global_pool,
    get_global_pool,
)

Start = Callable[[str, list[tuple[str, str]]], object]
Answer = tuple[str, dict[str, object]]

UNAVAILABLE = (
    PoolTimeoutError,
    PoolExhaustedError,
    ConnectionFailedError,
    pymysql.OperationalError,
)
SERVER_LOST = (2006, 2013)
"""The driver's error codes for a lost server or a missing answer."""

_TABLE = (
    "CREATE TABLE IF NOT EXISTS visits (id INT AUTO_INCREMENT PRIMARY KEY, "
    "seen TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
)


def pool() -> ConnectionPool:
    """Return the default pool of the process; the first call creates it."""
    return get_global_pool(
        size=int(os.environ.get("POOL_SIZE", "5")),
        max_overflow=0,
        timeout=float(os.environ.get("REQUEST_TIMEOUT", "30")),
        max_waiting=200,
        config=os.environ.get("DATABASE_URL", "mysql://root@127.0.0.1/test"),
        name="visits",
    )


def application(environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
    """Answer one request; called in many threads at once."""
    headers = [("Content-Type", "application/json")]
    try:
        status, body = respond(environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/"))
    except UNAVAILABLE as error:
        if isinstance(error, pymysql.OperationalError) and error.args[0] not in SERVER_LOST:
            raise
        status, body = "503 Service Unavailable", {"detail": "no connection in time; try again"}
        headers.append(("Retry-After", "1"))
    start_response(status, headers)
    return [json.dumps(body).encode()]


def respond(method: str, path: str) -> Answer:
    """Return the answer to a request."""
    match method, path:
        case "GET", "/healthz":
            return pool_health()
        case "GET", "/visits":
            return "200 OK", {"visits": count_visits()}
        case "POST", "/visits":
            return "201 Created", {"id": add_visit()}
    return "404 Not Found", {"detail": f"nothing at {method} {path}"}


def add_visit() -> int:
    """Record a visit."""
    with pool().transaction() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO visits (seen) VALUES (CURRENT_TIMESTAMP)")
        return int(cursor.lastrowid)


def count_visits() -> int:
    """Count the visits."""
    with pool() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM visits")
        return int(cursor.fetchone()[0])


def pool_health() -> Answer:
    """Report the pool's health; works without a free connection."""
    health = pool().health()
    failing = health.status is HealthStatus.UNHEALTHY
    figures: dict[str, object] = {
        "status": health.status,
        "reasons": health.reasons,
        "pool": health.stats.as_dict(),
    }
    return "503 Service Unavailable" if failing else "200 OK", figures


class ThreadedServer(socketserver.ThreadingMixIn, WSGIServer):
    """The standard library's server, with a thread for each request."""

    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    """A request handler without a log."""

    def log_message(self, *details: object) -> None:
        """Log nothing."""


def main() -> None:
    port = chosen_port("A WSGI application on steadypool.", 8001)
    with port_errors(port):
        server = make_server(HOST, port, application, ThreadedServer, QuietHandler)
    try:
        with pool() as connection, connection.cursor() as cursor:
            cursor.execute(_TABLE)
        print(f"listening on http://{HOST}:{port}", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        print("stopped")
    finally:
        server.server_close()
        close_global_pool()


if __name__ == "__main__":
    main()
