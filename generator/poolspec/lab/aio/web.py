"""A web application that is served on the pool under test, and requests to it."""

from typing import TYPE_CHECKING, Any, Unpack

from poolspec.lab.aio.pool import AsyncContext, AsyncPool
from poolspec.lab.aio.pools import AsyncPools
from poolspec.lab.web.requests import NOTHING, RequestTerms, Sent, sent
from poolspec.lab.web_apps import find_web_app
from poolspec.vocabulary import Concurrency
from poolspec.witness.reported import ReportedAcquires

if TYPE_CHECKING:
    from poolspec.lab.aio.service import AsyncService
    from poolspec.lab.web.answers import Answer

__tracebackhide__ = True  # a failure is shown where the test failed


class AsyncWeb:
    """The web application of one test."""

    _service: "AsyncService | None" = None

    def __init__(self, context: AsyncContext, pools: AsyncPools) -> None:
        self._context = context
        self._pools = pools

    async def serve(self, name: str, options: dict[str, Any]) -> AsyncPool:
        """Serve a web application, whose pool's options `options` override; return the pool."""
        from poolspec.lab.aio.service import AsyncService  # a web server takes long to import

        async def open_pool(**own: Any) -> Any:
            return (await self._pools.make(None, None, {**own, **options})).raw

        self._context.reported = ReportedAcquires(self._context.witness)
        self._service = AsyncService(find_web_app(name, Concurrency.ASYNCIO)(open_pool))
        await self._service.start()
        pool = self._context.pools.meant()
        pool.account.is_partial = True
        return pool

    async def request(self, request: str, **terms: Unpack[RequestTerms]) -> None:
        """Send a request to the web application, and check its answer. Any actor may."""
        answer = await self.ask(request, sent(terms))
        headers, json = terms.get("headers", {}), terms.get("json", {})
        answer.check(terms["status"], headers, json, terms.get("contains", ()))

    async def ask(self, request: str, content: Sent = NOTHING) -> "Answer":
        """Send a request and return the answer. Any actor may."""
        assert self._service is not None, "the test has no web_app"
        self._context.log.add("asked", detail=request)
        answer = await self._service.ask(request, content)
        self._context.log.add("answered", detail=f"{request}: {answer.status}")
        return answer

    async def stop(self) -> None:
        """Stop the application, if there is one."""
        service, self._service = self._service, None
        if service is not None:
            await service.stop()
