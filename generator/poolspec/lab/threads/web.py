"""Visits: a web application is served on the pool under test, and asked."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from poolspec.lab.comparisons import Expected
from poolspec.lab.threads.pool import Pool
from poolspec.lab.threads.pools import Pools
from poolspec.lab.web_apps import find_web_app
from poolspec.vocabulary import Concurrency

if TYPE_CHECKING:
    from poolspec.lab.web.answers import Answer
    from poolspec.lab.web.server import Service


__tracebackhide__ = True  # a failure is shown where the test failed


class Visits(Pools):
    """A web application, and requests to it."""

    _service: "Service | None" = None

    def web_app(self, name: str, **options: Any) -> Pool:
        """Serve a web application on a pool under test, with `options` over its own; the pool."""
        from poolspec.lab.web.server import Service  # a web server takes long to import

        make = find_web_app(name, Concurrency.THREADS)
        self._service = Service(make(lambda **own: self.pool(**{**own, **options}).raw))
        self._service.start()
        return self._only_pool()

    def request(
        self,
        request: str,
        *,
        status: Expected,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, Any] | None = None,
    ) -> None:
        """Send a request to the web application, and check its answer. Any actor may.

        The answer's body is a JSON object, where any of its values are given.
        """
        self._ask(request).check(status, headers or {}, json or {})

    def _ask(self, request: str) -> "Answer":
        assert self._service is not None, "the test has no web_app"
        self._log.add("asked", detail=request)
        answer = self._service.ask(request)
        self._log.add("answered", detail=f"{request}: {answer.status}")
        return answer

    def _stop_service(self) -> None:
        service, self._service = self._service, None
        if service is not None:
            service.stop()
