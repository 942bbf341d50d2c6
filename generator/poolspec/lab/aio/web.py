"""Visits: a web application is served in the test's event loop, on the pool under test."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from poolspec.lab.aio.pool import AsyncPool
from poolspec.lab.aio.pools import AsyncPools
from poolspec.lab.comparisons import Expected
from poolspec.lab.web_apps import find_web_app
from poolspec.vocabulary import Concurrency

if TYPE_CHECKING:
    from poolspec.lab.aio.service import AsyncService
    from poolspec.lab.web.answers import Answer


__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncVisits(AsyncPools):
    """A web application, and requests to it."""

    _service: "AsyncService | None" = None

    async def web_app(self, name: str, **options: Any) -> AsyncPool:
        """Serve a web application on a pool under test; see `Lab.web_app`."""
        from poolspec.lab.aio.service import AsyncService  # a web server takes long to import

        async def open_pool(**own: Any) -> Any:
            return (await self.pool(**{**own, **options})).raw

        self._service = AsyncService(find_web_app(name, Concurrency.ASYNCIO)(open_pool))
        await self._service.start()
        return self._only_pool()

    async def request(
        self,
        request: str,
        *,
        status: Expected,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> None:
        """Send a request to the web application, and check its answer; see `Lab.request`."""
        answer = await self._ask(request)
        answer.check(status, headers or {}, json or {})

    async def _ask(self, request: str) -> "Answer":
        assert self._service is not None, "the test has no web_app"
        self._log.add("asked", detail=request)
        answer = await self._service.ask(request)
        self._log.add("answered", detail=f"{request}: {answer.status}")
        return answer

    async def _stop_service(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            await service.stop()
