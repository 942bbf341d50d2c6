"""A web application in the test's own event loop; see `poolspec.runtime.serving`."""

import asyncio
from contextlib import suppress

from poolspec.runtime.answers import Answer, answer_of, request_bytes
from poolspec.runtime.serving import PATIENCE, Application, Calls, Uvicorn, listening_socket

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncService:
    """An application under a server that is a task."""

    def __init__(self, app: Application) -> None:
        self._calls = Calls(app)
        self._ready = asyncio.Event()
        self._server = Uvicorn(self._calls, self._ready.set)
        self._listening = listening_socket()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve. Raises what the application raises when it starts."""
        self._task = asyncio.create_task(self._run(), name="web-server")
        async with asyncio.timeout(PATIENCE):
            await self._ready.wait()
        if self._calls.failure is not None:
            raise self._calls.failure

    async def ask(self, request: str) -> Answer:
        """Send a request, and wait until it is answered and its call is over. Any task may."""
        over = asyncio.Event()
        host, port = self._listening.getsockname()
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(request_bytes(request, self._calls.expect(over.set)))
            received = await reader.read(-1)
        finally:
            writer.close()
        if received:
            async with asyncio.timeout(PATIENCE):
                await over.wait()
        return answer_of(received)

    async def stop(self) -> None:
        """Stop; the application closes its pool. Raises TimeoutError if it does not end."""
        self._server.end()
        if self._task is not None:
            await asyncio.wait_for(self._task, PATIENCE)
        self._listening.close()

    async def _run(self) -> None:
        try:
            with suppress(SystemExit):  # `start` says why it did not start
                await self._server.serve([self._listening])
        finally:
            self._ready.set()
