"""A FastAPI service on steadypool.

    export DATABASE_URL=mysql://app:secret@127.0.0.1/shop
    python examples/fastapi_app.py --port 8000
    curl -i -X POST http://127.0.0.1:8000/visits
    curl -i http://127.0.0.1:8000/visits
    curl -i http://127.0.0.1:8000/healthz

* The pool is opened before the first request and closed after the last.
* A request borrows a connection as a dependency, for the request's length.
* With every connection out, a request waits for its turn. After $REQUEST_TIMEOUT seconds (30) the
  answer is 503 with Retry-After: the service is overloaded, not broken, and says so to a client or
  a load balancer, which may try again or elsewhere.
* Endpoints and the dependency are plain functions, which FastAPI runs in threads. Who waits for a
  connection keeps a thread; who has one needs a thread, too, to go on. Hence the queue is bounded,
  and there are threads for all who hold a connection and for all who may wait. With 40, FastAPI's
  own number, there would not be: who waits would keep those from finishing for whom he waits.
* An endpoint commits itself. A dependency's end comes after the answer was sent, which is too late
  to find out that the commit failed.

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
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from serving import HOST, chosen_port, port_explained
from steadypool import (
    Connection,
    ConnectionFailedError,
    ConnectionPool,
    HealthStatus,
    PoolClosedError,
    PoolExhaustedError,
    PoolTimeoutError,
)

MOST_WAITING = 200
"""Requests that may wait for a connection at once; who comes then is told 503 without waiting."""
SPARE_THREADS = 10
"""For requests that need no connection."""
SERVER_LOST = (2006, 2013)
"""The driver's codes for a server that went away, or does not answer any more."""


routes = APIRouter()


def settings() -> dict[str, Any]:
    """Read the pool's options from the environment."""
    return {
        "size": int(os.environ.get("POOL_SIZE", "5")),
        "max_overflow": 0,
        "timeout": float(os.environ.get("REQUEST_TIMEOUT", "30")),
        "max_waiting": MOST_WAITING,
    }


def open_pool() -> ConnectionPool:
    """Open the pool, and make the table that this example uses."""
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


def the_pool(request: Request) -> ConnectionPool:
    """Give an endpoint the pool."""
    pool: ConnectionPool = request.app.state.pool
    return pool


Pool = Annotated[ConnectionPool, Depends(the_pool)]


def borrowed(pool: Pool) -> Iterator[Connection]:
    """Give an endpoint a connection; what it has not committed is rolled back afterwards."""
    with pool.connection() as connection:
        yield connection


Borrowed = Annotated[Connection, Depends(borrowed)]


def unavailable(request: Request, error: Exception) -> JSONResponse:
    """Answer 503; the error itself is for the log, not for strangers."""
    return JSONResponse(
        {"detail": "no database connection in time; try again"}, 503, {"Retry-After": "1"}
    )


def lost(request: Request, error: Exception) -> JSONResponse:
    """Answer 503 where the server went away in the middle; the pool drops that connection."""
    if error.args[0] not in SERVER_LOST:
        raise error
    return unavailable(request, error)


@routes.post("/visits", status_code=201)
def add_visit(connection: Borrowed) -> dict[str, int]:
    """Write a visit down."""
    with connection.cursor() as cursor:
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
    """Say how the pool is; borrows no connection, so it answers when the pool is exhausted.

    The reasons name the database's address: for a balancer and for operators, not for the world.
    """
    health = pool.health()
    code = 503 if health.status is HealthStatus.UNHEALTHY else 200
    return JSONResponse(
        {"status": health.status, "reasons": health.reasons, "pool": health.stats.as_dict()}, code
    )


def create_app(open_pool: Callable[[], ConnectionPool] = open_pool) -> FastAPI:
    """Make the service. It opens its pool when it starts, and closes it when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = pool = await anyio.to_thread.run_sync(open_pool)
        threads = anyio.to_thread.current_default_thread_limiter()
        threads.total_tokens = pool.max_size + MOST_WAITING + SPARE_THREADS
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(pool.close)

    app = FastAPI(title="Visits", lifespan=lifespan)
    app.include_router(routes)
    for error in (PoolTimeoutError, PoolExhaustedError, ConnectionFailedError, PoolClosedError):
        app.add_exception_handler(error, unavailable)
    app.add_exception_handler(pymysql.OperationalError, lost)
    return app


app = create_app()


def main() -> None:
    port = chosen_port("A FastAPI service on steadypool.", 8000)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with port_explained(port):
            listening.bind((HOST, port))
            listening.listen(128)
        print(f"listening on http://{HOST}:{port}", flush=True)
        with suppress(KeyboardInterrupt):  # raised after everything was shut down
            uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])


if __name__ == "__main__":
    main()
