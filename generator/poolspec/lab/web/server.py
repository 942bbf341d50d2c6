"""A web application under a real server, on a real port of loopback, in the test's own process.

So the application's pool is the test's: its events are in the log, its connections are counted,
its clock is the test's, and every standing invariant holds for it too.

**Who acts.** Each request carries the number of its call. What the application does in that call,
in whatever thread or task, is logged as done by the actor that asked.

**Time.** An actor that waits for an answer counts as running, and so lends its place to the call
that answers it: where the call waits for a connection, nobody runs in its stead. For that a request
is over only when its call is, which gives back what it borrowed after it has answered.
"""

import asyncio
import itertools
import random
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn

from poolspec.invariants.log import acting_for, current_actor
from poolspec.lab.web.answers import CALL, HOST, Answer, answer_of, request_bytes

__tracebackhide__ = True  # a failure is shown where the test failed

PATIENCE = 10.0
"""Real seconds until a server that does not start or stop, or a call without end, is given up."""
PORTS = range(20_000, 32_768)
"""Below those that clients are given."""
ATTEMPTS = 50
"""Ports that are tried before it is given up."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


class Calls:
    """Stands before an application, and knows whose call is whose and when it is over."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._numbers = itertools.count(1)
        self._expected: dict[int, tuple[str, Callable[[], None]]] = {}
        self._failure: Exception | None = None

    def expect(self, over: Callable[[], None]) -> int:
        """Announce a call by the actor that runs; `over` is called at its end. Its number."""
        number = next(self._numbers)
        self._expected[number] = current_actor(), over
        return number

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a call on."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            self._failure = error
            raise

    def raise_failure(self) -> None:
        """Raise, once, what the application has raised when it started or stopped."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        number = int(dict(scope["headers"])[CALL.encode()])
        actor, over = self._expected.pop(number)
        acting_for.set(actor)  # a server runs each call in a context of its own
        try:
            await self._app(scope, receive, send)
        finally:
            over()


class Uvicorn(uvicorn.Server):
    """A server that leaves signals alone, and is told when to stop instead of asking."""

    def __init__(self, app: Calls, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=int(PATIENCE / 2),
        )
        super().__init__(config)
        self._ready = ready
        self._end = asyncio.Event()

    def end(self) -> None:
        """Ask it to stop; from its own loop."""
        self._end.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take none."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self._ready()

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        await self.on_tick(0)
        await self._end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop at once where nobody is being served; else as any server does, patiently."""
        if self.server_state.connections or self.server_state.tasks:
            await super().shutdown(sockets)
            return
        for server in self.servers:
            server.close()
        await self.lifespan.shutdown()


class Service:
    """An application under a server that has a thread, and an event loop, of its own."""

    def __init__(self, app: Application) -> None:
        self._calls = Calls(app)
        self._ready = threading.Event()
        self._server = Uvicorn(self._calls, self._ready.set)
        self._listening = listening_socket()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="web-server", daemon=True)

    def start(self) -> None:
        """Serve. Raises what the application raises when it starts."""
        self._thread.start()
        if not self._ready.wait(PATIENCE):
            raise AssertionError(f"the web application did not start within {PATIENCE:g} s")
        self._calls.raise_failure()
        if not self._server.started:
            raise AssertionError("the web application said that it cannot start")

    def ask(self, request: str) -> Answer:
        """Send a request, and wait until it is answered and its call is over. Any thread may."""
        over = threading.Event()
        with socket.create_connection(self._listening.getsockname()) as connection:
            connection.sendall(request_bytes(request, self._calls.expect(over.set)))
            with connection.makefile("rb") as answer:
                received = answer.read()
        if received and not over.wait(PATIENCE):
            raise AssertionError(f"{request} was answered, but its call does not end")
        return answer_of(received)

    def stop(self) -> None:
        """Stop; the application closes its pool. Raises what the application raises then."""
        if self._thread.is_alive():
            with suppress(RuntimeError):  # its loop has just closed
                self._loop.call_soon_threadsafe(self._server.end)
        self._thread.join(PATIENCE)
        self._listening.close()
        if self._thread.is_alive():
            raise AssertionError(f"the web application did not stop within {PATIENCE:g} s")
        self._calls.raise_failure()

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner, suppress(SystemExit):
                runner.run(self._server.serve([self._listening]))
        finally:
            self._ready.set()  # also where it did not start: `start` asks why


def listening_socket() -> socket.socket:
    """Return a socket that listens on a free port; one that is taken is tried no further."""
    for port in random.sample(PORTS, ATTEMPTS):
        listening = socket.socket()
        try:
            listening.bind((HOST, port))
            listening.listen(128)
        except OSError:
            listening.close()
            continue
        return listening
    raise AssertionError(f"none of {ATTEMPTS} ports from {PORTS.start} to {PORTS.stop - 1} is free")
