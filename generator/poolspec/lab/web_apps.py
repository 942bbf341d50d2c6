"""Web applications under test, registered by name.

A spec names one: `web_app: visits`. Register it where pytest finds it, in `conftest.py`:

    from poolspec.lab.web_apps import web_app

    @web_app("visits")
    def visits(open_pool: Callable[..., ConnectionPool]) -> ASGIApplication: ...

The function makes an ASGI application. At its start, the application calls `open_pool` with its own
pool options, and gets the pool under test; at its end, it closes that pool. The test's options
override the application's. Import the application's packages inside the function, so that other
tests do not load them.

The asyncio form of a test uses a second function, `@web_app("visits", Concurrency.ASYNCIO)`, whose
`open_pool` is a coroutine function.
"""

from collections.abc import Callable
from typing import Any

from poolspec.vocabulary import Concurrency

MakeApp = Callable[[Callable[..., Any]], Any]

_APPS: dict[tuple[str, Concurrency], MakeApp] = {}


def web_app(
    name: str, concurrency: Concurrency = Concurrency.THREADS
) -> Callable[[MakeApp], MakeApp]:
    """Register the function that makes the web application of that name, for one concurrency."""

    def register(make: MakeApp) -> MakeApp:
        _APPS[name, concurrency] = make
        return make

    return register


def find_web_app(name: str, concurrency: Concurrency) -> MakeApp:
    """Return the function that makes an application. Raises LookupError with instructions."""
    try:
        return _APPS[name, concurrency]
    except KeyError:
        known = ", ".join(sorted(word for word, its in _APPS if its is concurrency)) or "none"
        raise LookupError(
            f"no web application {name!r} for {concurrency} is registered (there are: {known}); "
            f"put @web_app({name!r}, Concurrency.{concurrency.name}) above a function in a "
            "conftest.py, or restrict the spec with `concurrency: [...]`"
        ) from None
