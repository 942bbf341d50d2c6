"""The example's services, each with one fault, as a plugin: `pytest -p tests.wrong_apps`.

$WRONG_APP names the fault. `test_wrong_apps.py` proves that the specs of services notice it.
"""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI, Request

import fastapi_app
import fastapi_async_app
from poolspec.lab.web_apps import web_app
from poolspec.vocabulary import Concurrency
from steadypool import ConnectionFailedError, PoolTimeoutError

EXAMPLES: dict[Concurrency, Any] = {
    Concurrency.THREADS: fastapi_app,
    Concurrency.ASYNCIO: fastapi_async_app,
}


def says_500(app: FastAPI, example: Any) -> None:
    """Let a timeout of the pool reach the web server, which answers 500."""
    del app.exception_handlers[PoolTimeoutError]


def breaks_with_the_database(app: FastAPI, example: Any) -> None:
    """Let a failed connect reach the web server, which answers 500."""
    del app.exception_handlers[ConnectionFailedError]


def keeps_connections(app: FastAPI, example: Any) -> None:
    """Borrow a connection for each request, and release none."""
    keeping = keep if example is fastapi_app else keep_async
    app.dependency_overrides[example.borrowed] = keeping


def keep(request: Request) -> Any:
    return request.app.state.pool.acquire()


async def keep_async(request: Request) -> Any:
    return await request.app.state.pool.acquire()


def forgets_the_commit(app: FastAPI, example: Any) -> None:
    """Answer that a visit was stored, and roll it back."""
    forgetting = forget if example is fastapi_app else forget_async
    app.dependency_overrides[example.borrowed] = forgetting


def forget(request: Request) -> Iterator[Any]:
    with request.app.state.pool.connection() as connection:
        yield Forgetful(connection, connection.rollback)


async def forget_async(request: Request) -> AsyncIterator[Any]:
    async with request.app.state.pool.connection() as connection:
        yield Forgetful(connection, connection.rollback)


class Forgetful:
    """A connection that rolls back where it should commit."""

    def __init__(self, connection: Any, rollback: Callable[[], Any]) -> None:
        self._connection = connection
        self.commit = rollback

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


FAULTS = {
    fault.__name__: fault
    for fault in (says_500, breaks_with_the_database, keeps_connections, forgets_the_commit)
}


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Register the wrong service in place of the right one, after every conftest."""
    for concurrency in Concurrency:
        web_app("visits", concurrency)(wrong_one(EXAMPLES[concurrency]))


def wrong_one(example: Any) -> Callable[[Callable[..., Any]], FastAPI]:
    def make(open_pool: Callable[..., Any]) -> FastAPI:
        app: FastAPI = example.create_app(lambda: open_pool(**example.settings()))
        FAULTS[os.environ["WRONG_APP"]](app, example)
        return app

    return make
