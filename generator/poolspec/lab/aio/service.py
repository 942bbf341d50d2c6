"""A web application in the test's own event loop; see `poolspec.lab.web.server`."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from poolspec.lab.web.answers import Answer, answer_of
from poolspec.lab.web.requests import NOTHING, Sent
from poolspec.lab.web.server import LIMIT, Application, Calls, Uvicorn
from poolspec.servers import listening_socket

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncService:
    """An application on a server that runs as a task."""

    def __init__(self, app: Application) -> None:
        self._calls = Calls(app)
        self._ready = asyncio.Event()
        self._server = Uvicorn(self._calls, self._ready.set)
        self._listening = listening_socket()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start to serve. Raises the error with which the application starts."""
        self._task = asyncio.create_task(self._run(), name="web-server")
        await _in_time(self._ready.wait(), "the web application did not start")
        self._calls.raise_failure()
        if not self._server.started:
            raise AssertionError("the web application reported that it cannot start")

    async def ask(self, request: str, content: Sent = NOTHING) -> Answer:
        """Send a request, and wait for the answer and the end of its call. Any task may."""
        over = asyncio.Event()
        host, port = self._listening.getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(content.bytes_of(request, self._calls.expect(over.set)))
            received = await reader.read(-1)
        finally:
            writer.close()
        if received:
            await _in_time(over.wait(), f"{request} was answered, but its call did not end")
        return answer_of(received)

    async def stop(self) -> None:
        """Stop; the application closes its pool. Raises the error with which it stops."""
        self._server.end()
        if self._task is not None:
            await _in_time(self._task, "the web application did not stop")
        self._listening.close()
        self._calls.raise_failure()

    async def _run(self) -> None:
        try:
            with suppress(SystemExit):  # `start` raises the reason
                await self._server.serve([self._listening])
        finally:
            self._ready.set()


async def _in_time(end: Awaitable[object], complaint: str) -> None:
    try:
        await asyncio.wait_for(end, LIMIT)
    except TimeoutError:
        raise AssertionError(f"{complaint} within {LIMIT:g} s") from None
