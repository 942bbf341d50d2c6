"""Registers the web applications of `examples/`, which the specs serve on the pool under test."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest

from poolspec.lab.web_apps import web_app
from poolspec.vocabulary import Concurrency

if TYPE_CHECKING:
    from fastapi import FastAPI

    from steadypool import AsyncConnectionPool, ConnectionPool


MISSING = "not applicable: the extra `examples` is not installed"


@web_app("visits")
def visits(open_pool: "Callable[..., ConnectionPool]") -> "FastAPI":
    """Make the service whose handlers are plain functions and run in threads."""
    pytest.importorskip("fastapi", reason=MISSING)
    from fastapi_app import create_app, settings

    return create_app(lambda: open_pool(**settings()))


@web_app("visits", Concurrency.ASYNCIO)
def async_visits(open_pool: "Callable[..., Awaitable[AsyncConnectionPool]]") -> "FastAPI":
    """Make the service whose handlers are coroutine functions and run in tasks."""
    pytest.importorskip("fastapi", reason=MISSING)
    from fastapi_async_app import create_app, settings

    return create_app(lambda: open_pool(**settings()))
