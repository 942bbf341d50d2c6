"""A FastAPI service on steadypool.

    export DATABASE_URL=mysql://app:secret@127.0.0.1/shop
    python examples/fastapi_app.py --port 8000
    curl -i -X POST http://127.0.0.1:8000/visits
    curl -i http://127.0.0.1:8000/visits
    curl -i http://127.0.0.1:8000/healthz

* The pool opens before the first request and closes after the last.
* A request borrows a connection through a dependency, for the duration of the request.
* While all connections are on loan, a request waits in the queue. After $REQUEST_TIMEOUT seconds
  (30) the answer is 503 with Retry-After: the service is overloaded, not broken, and the client or
  load balancer can retry.
* Endpoints and the dependency are plain functions, which FastAPI runs in threads. A waiter occupies
  a thread, and a borrower needs one to continue. Hence the queue is limited, and there are enough
  threads for all borrowers and all waiters. With FastAPI's default of 40 threads, waiters could
  occupy all of them and block the borrowers they wait for.
* An endpoint commits explicitly. A dependency ends after the answer was sent, too late to report a
  failed commit.

Needs the packages fastapi and uvicorn (the extra `examples`).
"""

import os
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import anyio.to_thread
import pymysql
import uvicorn
from fastapi import APIRouter, Body, Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from serving import HOST, chosen_port, port_errors
from steadypool import (
    Connection,
    ConnectionFailedError,
    ConnectionPool,
    HealthStatus,
    PoolClosedError,
    PoolExhaustedError,
    PoolTimeoutError,
)

MAX_WAITING = 200
"""Requests that may wait for a connection; any further request gets 503 at once."""
SPARE_THREADS = 10
"""Threads for requests that need no connection."""
SERVER_LOST = (2006, 2013)
"""The driver's error codes for a lost server or a missing answer."""


routes = APIRouter()


def settings() -> dict[str, Any]:
    """Read the pool's options from the environment."""
    return {
        "size": int(os.environ.get("POOL_SIZE", "5")),
        "max_overflow": 0,
        "timeout": float(os.environ.get("REQUEST_TIMEOUT", "30")),
        "max_waiting": MAX_WAITING,
    }


def open_pool() -> ConnectionPool:
    """Open the pool and create the table of this example."""
    where = os.environ.get("DATABASE_URL", "mysql://root@127.0.0.1/test")
    pool = ConnectionPool(**settings(), config=where, name="visits")
    try:
        with pool as connection, connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE IF NOT EXISTS visits (id INT AUTO_INCREMENT PRIMARY KEY, "
                "seen TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
            )
    except BaseException:
        pool.close()
        raise
    return pool


def current_pool(request: Request) -> ConnectionPool:
    """Provide the pool to an endpoint."""
    pool: ConnectionPool = request.app.state.pool
    return pool


Pool = Annotated[ConnectionPool, Depends(current_pool)]


def borrowed(pool: Pool) -> Iterator[Connection]:
    """Provide a connection to an endpoint; uncommitted work is rolled back afterwards."""
    with pool.connection() as connection:
        yield connection


Borrowed = Annotated[Connection, Depends(borrowed)]
Count = Annotated[int, Body(embed=True, ge=1, le=100)]


def unavailable(request: Request, error: Exception) -> JSONResponse:
    """Answer 503 without the error's text, which is not for clients."""
    return JSONResponse(
        {"detail": "no database connection in time; try again"}, 503, {"Retry-After": "1"}
    )


def server_lost(request: Request, error: Exception) -> JSONResponse:
    """Answer 503 if the server was lost during a request; the pool drops that connection."""
    if error.args[0] not in SERVER_LOST:
        raise error
    return unavailable(request, error)


@routes.post("/visits", status_code=201)
def add_visit(connection: Borrowed, count: Count = 1) -> dict[str, int]:
    """Record a visit, or as many as the body says: `{"count": 3}`. Return the last one's number."""
    with connection.cursor() as cursor:
        for _ in range(count):
            cursor.execute("INSERT INTO visits (seen) VALUES (CURRENT_TIMESTAMP)")
        number = cursor.lastrowid
    connection.commit()
    return {"id": number or 0}


@routes.get("/visits")
def count_visits(connection: Borrowed) -> dict[str, int]:
    """Count the visits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM visits")
        (count,) = cursor.fetchone() or (0,)
    return {"visits": count}


@routes.get("/healthz")
def healthz(pool: Pool) -> JSONResponse:
    """Report the pool's health; works without a free connection.

    The reasons contain the database's address: expose them to operators and balancers only.
    """
    health = pool.health()
    code = 503 if health.status is HealthStatus.UNHEALTHY else 200
    return JSONResponse(
        {"status": health.status, "reasons": health.reasons, "pool": health.stats.as_dict()}, code
    )


def create_app(open_pool: Callable[[], ConnectionPool] = open_pool) -> FastAPI:
    """Make the service. It opens its pool at start and closes it at shutdown."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = pool = await anyio.to_thread.run_sync(open_pool)
        threads = anyio.to_thread.current_default_thread_limiter()
        threads.total_tokens = pool.max_size + MAX_WAITING + SPARE_THREADS
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(pool.close)

    app = FastAPI(title="Visits", lifespan=lifespan)
    app.include_router(routes)
    for error in (PoolTimeoutError, PoolExhaustedError, ConnectionFailedError, PoolClosedError):
        app.add_exception_handler(error, unavailable)
    app.add_exception_handler(pymysql.OperationalError, server_lost)
    return app


app = create_app()


def main() -> None:
    port = chosen_port("A FastAPI service on steadypool.", 8000)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with port_errors(port):
            listening.bind((HOST, port))
            listening.listen(128)
        print(f"listening on http://{HOST}:{port}", flush=True)
        with suppress(KeyboardInterrupt):  # raised after the shutdown is complete
            uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main()
