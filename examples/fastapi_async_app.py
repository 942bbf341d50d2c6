"""The service of `fastapi_app.py` on asyncio throughout: no threads, the same answers.

    export DATABASE_URL=mysql://app:secret@127.0.0.1/shop
    python examples/fastapi_async_app.py --port 8002
    curl -i -X POST http://127.0.0.1:8002/visits
    curl -i http://127.0.0.1:8002/visits
    curl -i http://127.0.0.1:8002/healthz

A waiter is a task, which costs almost nothing. The queue is limited nevertheless: in a queue of a
thousand, most clients have given up before they are served. A cancelled request releases its
connection, or leaves the queue.

Needs the packages fastapi, uvicorn and aiomysql (the extras `examples` and `asyncio`).
"""

import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Annotated, Any

import pymysql
import uvicorn
from fastapi import APIRouter, Body, Depends, FastAPI, Request
from fastapi.responses import JSONResponse

from serving import HOST, chosen_port, port_errors
from steadypool import (
    AsyncConnectionPool,
    ConnectionFailedError,
    HealthStatus,
    PoolClosedError,
    PoolExhaustedError,
    PoolTimeoutError,
)

SERVER_LOST = (2006, 2013)
"""The driver's error codes for a lost server or a missing answer."""


routes = APIRouter()


def settings() -> dict[str, Any]:
    """Read the pool's options from the environment."""
    return {
        "size": int(os.environ.get("POOL_SIZE", "5")),
        "max_overflow": 0,
        "timeout": float(os.environ.get("REQUEST_TIMEOUT", "30")),
        "max_waiting": 200,
    }


async def open_pool() -> AsyncConnectionPool:
    """Open the pool and create the table of this example."""
    where = os.environ.get("DATABASE_URL", "mysql://root@127.0.0.1/test")
    pool = await AsyncConnectionPool.open(**settings(), config=where, name="visits")
    try:
        async with pool as connection, connection.cursor() as cursor:
            await cursor.execute("SHOW TABLES LIKE 'visits'")
            if await cursor.fetchone() is None:
                await cursor.execute(
                    "CREATE TABLE visits (id INT AUTO_INCREMENT PRIMARY KEY, "
                    "seen TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)"
                )
    except BaseException:
        await pool.close()
        raise
    return pool


def current_pool(request: Request) -> AsyncConnectionPool:
    """Provide the pool to an endpoint."""
    pool: AsyncConnectionPool = request.app.state.pool
    return pool


Pool = Annotated[AsyncConnectionPool, Depends(current_pool)]


async def borrowed(pool: Pool) -> AsyncIterator[Any]:
    """Provide a connection to an endpoint; uncommitted work is rolled back afterwards."""
    async with pool.connection() as connection:
        yield connection


Borrowed = Annotated[Any, Depends(borrowed)]
Count = Annotated[int, Body(embed=True, ge=1, le=100)]


async def unavailable(request: Request, error: Exception) -> JSONResponse:
    """Answer 503 without the error's text, which is not for clients."""
    return JSONResponse(
        {"detail": "no database connection in time; try again"}, 503, {"Retry-After": "1"}
    )


async def server_lost(request: Request, error: Exception) -> JSONResponse:
    """Answer 503 if the server was lost during a request; the pool drops that connection."""
    if error.args[0] not in SERVER_LOST:
        raise error
    return await unavailable(request, error)


@routes.post("/visits", status_code=201)
async def add_visit(connection: Borrowed, count: Count = 1) -> dict[str, int]:
    """Record a visit, or as many as the body says: `{"count": 3}`. Return the last one's number."""
    async with connection.cursor() as cursor:
        for _ in range(count):
            await cursor.execute("INSERT INTO visits (seen) VALUES (CURRENT_TIMESTAMP)")
        number: int = cursor.lastrowid
    await connection.commit()
    return {"id": number}


@routes.get("/visits")
async def count_visits(connection: Borrowed) -> dict[str, int]:
    """Count the visits."""
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT COUNT(*) FROM visits")
        (count,) = await cursor.fetchone()
    return {"visits": count}


@routes.get("/healthz")
async def healthz(pool: Pool) -> JSONResponse:
    """Report the pool's health; works without a free connection.

    The reasons contain the database's address: expose them to operators and balancers only.
    """
    health = await pool.health()
    code = 503 if health.status is HealthStatus.UNHEALTHY else 200
    return JSONResponse(
        {"status": health.status, "reasons": health.reasons, "pool": health.stats.as_dict()}, code
    )


def create_app(open_pool: Callable[[], Awaitable[AsyncConnectionPool]] = open_pool) -> FastAPI:
    """Make the service. It opens its pool at start and closes it at shutdown."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.pool = pool = await open_pool()
        try:
            yield
        finally:
            await pool.close()

    app = FastAPI(title="Visits", lifespan=lifespan)
    app.include_router(routes)
    for error in (PoolTimeoutError, PoolExhaustedError, ConnectionFailedError, PoolClosedError):
        app.add_exception_handler(error, unavailable)
    app.add_exception_handler(pymysql.OperationalError, server_lost)
    return app


app = create_app()


def main() -> None:
    port = chosen_port("A FastAPI service on steadypool, on asyncio throughout.", 8002)
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
