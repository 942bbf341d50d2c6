"""Web applications that tests are about, registered by name.

A spec names one: `web_app: visits`. It is registered where pytest finds it, in `conftest.py`:

    from poolspec.lab.web_apps import web_app

    @web_app("visits")
    def visits(open_pool: Callable[..., ConnectionPool]) -> ASGIApplication: ...

The function makes an ASGI application that calls `open_pool`, with its own options of a pool, when
it starts, and closes that pool when it stops. The test's options go over the application's, and
what it gets is the pool under test, of the library that the application is written for. Import the
application's packages inside of the function: then tests without it do not pay for them.

For the asyncio form of a test there is a function of its own, `@web_app("visits",
Concurrency.ASYNCIO)`, whose `open_pool` is a coroutine function.
"""

from collections.abc import Callable
from typing import Any

from poolspec.vocabulary import Concurrency

MakeApp = Callable[[Callable[..., Any]], Any]

_APPS: dict[tuple[str, Concurrency], MakeApp] = {}


def web_app(
    name: str, concurrency: Concurrency = Concurrency.THREADS
) -> Callable[[MakeApp], MakeApp]:
    """Register a function as what makes the web application of that name, for one concurrency."""

    def register(make: MakeApp) -> MakeApp:
        _APPS[name, concurrency] = make
        return make

    return register


def find_web_app(name: str, concurrency: Concurrency) -> MakeApp:
    """Return what makes an application. Raises LookupError, which says how to register one."""
    try:
        return _APPS[name, concurrency]
    except KeyError:
        known = ", ".join(sorted(word for word, its in _APPS if its is concurrency)) or "none"
        raise LookupError(
            f"no web application {name!r} for {concurrency} is registered (there are: {known}); "
            f"write @web_app({name!r}, Concurrency.{concurrency.name}) over a function in a "
            "conftest.py, or restrict the spec with `concurrency: [...]`"
        ) from None
