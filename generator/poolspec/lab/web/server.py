"""A web application on a real server, on a real loopback port, in the test's own process.

The application's pool is the test's: its events are in the log, the lab counts its connections, its
clock is the test's, and every invariant holds for it too.

**Actors.** Each request carries the number of its call. Everything that the application does in
that call, in any thread or task, is logged as done by the actor that sent the request.

**Time.** An actor that waits for an answer counts as running on the clock, in place of the call
that answers it. So time also passes while the call waits for a connection. For this, a request ends
only when its call ends: a call releases its connection after it has answered.
"""

import asyncio
import itertools
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from poolspec.invariants.log import acting_for, current_actor
from poolspec.lab.web.answers import Answer, answer_of
from poolspec.lab.web.requests import CALL, NOTHING, Sent
from poolspec.servers import listening_socket

__tracebackhide__ = True  # a failure is shown where the test failed

LIMIT = 10.0
"""Real seconds for a server to start or stop, and for a call to end."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class Calls:
    """Wraps an application, and knows the actor of each call and when the call ends."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._numbers = itertools.count(1)
        self._expected: dict[int, tuple[str, Callable[[], None]]] = {}
        self._failure: Exception | None = None

    def expect(self, over: Callable[[], None]) -> int:
        """Announce a call of the current actor and return its number; its end calls `over`."""
        number = next(self._numbers)
        self._expected[number] = current_actor(), over
        return number

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a call to the application."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self._failure = error
            raise

    def raise_failure(self) -> None:
        """Raise, once, the error with which the application started or stopped."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        number = int(dict(scope["headers"])[CALL.encode()])
        actor, over = self._expected.pop(number)
        acting_for.set(actor)  # a server runs each call in a new context
        try:
            await self._app(scope, receive, send)
        finally:
            over()


class Uvicorn(uvicorn.Server):
    """A server without signal handlers, which stops on an event instead of polling."""

    def __init__(self, app: Calls, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=int(LIMIT / 2),
        )
        super().__init__(config)
        self._ready = ready
        self._end = asyncio.Event()

    def end(self) -> None:
        """Make it stop. Call this in its own event loop."""
        self._end.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Install no signal handlers."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then report that it has started."""
        await super().startup(sockets)
        self._ready()

    async def main_loop(self) -> None:
        """Serve until `end` is called."""
        await self.on_tick(0)
        await self._end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop at once if no request is being served; otherwise as uvicorn does."""
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        await self.lifespan.shutdown()


class Service:
    """An application on a server with its own thread and event loop."""

    def __init__(self, app: Application) -> None:
        self._calls = Calls(app)
        self._ready = threading.Event()
        self._server = Uvicorn(self._calls, self._ready.set)
        self._listening = listening_socket()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="web-server", daemon=True)

    def start(self) -> None:
        """Start to serve. Raises the error with which the application starts."""
        self._thread.start()
        if not self._ready.wait(LIMIT):
            raise AssertionError(f"the web application did not start within {LIMIT:g} s")
        self._calls.raise_failure()
        if not self._server.started:
            raise AssertionError("the web application reported that it cannot start")

    def ask(self, request: str, content: Sent = NOTHING) -> Answer:
        """Send a request, and wait for the answer and the end of its call. Any thread may."""
        over = threading.Event()
        with socket.create_connection(self._listening.getsockname()) as connection:
            connection.sendall(content.bytes_of(request, self._calls.expect(over.set)))
            with connection.makefile("rb") as answer:
                received = answer.read()
        if received and not over.wait(LIMIT):
            raise AssertionError(f"{request} was answered, but its call does not end")
        return answer_of(received)

    def stop(self) -> None:
        """Stop; the application closes its pool. Raises the error with which it stops."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # its loop has just closed
                self._loop.call_soon_threadsafe(self._server.end)
        self._thread.join(LIMIT)
        self._listening.close()
        if self._thread.is_alive():
            raise AssertionError(f"the web application did not stop within {LIMIT:g} s")
        self._calls.raise_failure()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner, suppress(SystemExit):
                runner.run(self._server.serve([self._listening]))
        finally:
            self._ready.set()  # also if it failed to start: `start` raises the reason
