"""Futures that only the operating system, or another thread, completes.

asyncio makes a future for each wait: for bytes to read, for room to write, for a connect, a TLS
handshake or a name look-up, for work in an executor (so for `asyncio.to_thread`), for the end of a
subprocess, and for a future of another thread or event loop. The event loop is asked for every one
of them, and the modules that ask for these are few (`MODULES`). A pool's queue, lock,
condition, event, sleep or task group asks for its futures from other modules. So a future's origin
shows whether its completion needs the world outside the event loop.

Such a future is *under way* while it is not done and something awaits it: a task, directly or
through `wait`, `gather`, `shield` or a timeout. It does not matter how many coroutines, generators
or greenlets lie between the task and the future. The socket of an idle connection is registered
for reading, but nothing awaits its bytes, so it is not under way.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextvars import Context, copy_context
from typing import Any
from weakref import WeakSet

MODULES = frozenset(
    (
        *(
            f"asyncio.{name}"
            for name in (
                "base_events",
                "base_subprocess",
                "futures",  # `wrap_future`
                "selector_events",
                "sslproto",
                "streams",
                "unix_events",
            )
        ),
        *(f"poolspec.drivers.{name}" for name in ("aiomysql", "asyncmy", "dbapi")),
    )
)
"""The modules that wait for the world outside the event loop.

Those of asyncio, and of the lab's drivers: a library that is compiled, such as asyncmy, has no
frames, so it asks for its futures in the name of the driver that calls it.
"""
FOR_CLIENTS = frozenset(("serve_forever", "sock_accept", "wait_closed"))
"""Their functions that wait for others to act: a server waits for its clients."""


class RealWork(asyncio.Future[Any]):
    """A future that the operating system, or another thread, completes."""

    context: Context
    """The context of the call that awaits it; a task inherits that of the code that starts it."""


class RealWorks:
    """The real work of one event loop."""

    def __init__(self) -> None:
        self._pending: WeakSet[RealWork] = WeakSet()

    def future(self, loop: asyncio.AbstractEventLoop) -> "asyncio.Future[Any]":
        """Make a future for the caller of the loop's `create_future`."""
        frame = sys._getframe(2)
        if frame.f_globals.get("__name__") not in MODULES or frame.f_code.co_name in FOR_CLIENTS:
            return asyncio.Future(loop=loop)
        work = RealWork(loop=loop)
        work.context = copy_context()
        self._pending.add(work)
        return work

    def under_way(self) -> Iterator[RealWork]:
        """Return the work that is not done, and that something awaits."""
        for work in list(self._pending):
            if work.done():
                self._pending.discard(work)
            elif work._callbacks:  # one for each that awaits it
                yield work
