"""Web applications are served on a real port, answer requests, and stop without a trace."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import Any

import pytest

from poolspec.invariants.log import current_actor
from poolspec.lab.aio.service import AsyncService
from poolspec.lab.web.answers import Answer, answer_of
from poolspec.lab.web.server import Service
from poolspec.lab.web_apps import find_web_app, web_app
from poolspec.servers import PortTakenError, bound_socket, listening_socket
from poolspec.servers.ports import chosen_ports
from poolspec.vocabulary import Concurrency

Event = MutableMapping[str, Any]


class App:
    """Answers each request with its path and its actor, and ends the call a moment later."""

    def __init__(
        self,
        fault: Exception | None = None,
        *,
        last_fault: Exception | None = None,
        answer: str = "complete",
    ) -> None:
        self.fault = fault
        self.last_fault = last_fault
        self.answer = answer
        self.done: list[str] = []

    async def __call__(self, scope: Event, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            if self.fault:
                raise self.fault
            await send({"type": f"lifespan.startup.{self.answer}"})
            await receive()
            if self.last_fault:
                raise self.last_fault
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] == "/broken":
            raise ValueError("broken, as asked")
        body = f'{{"path": "{scope["path"]}", "actor": "{current_actor()}"}}'
        headers = [(b"content-length", str(len(body)).encode()), (b"x-kind", b"test")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})
        await asyncio.sleep(0.02)
        self.done.append(scope["path"])


@pytest.fixture
def serve() -> Iterator[Callable[[App], Service]]:
    before = set(threading.enumerate())
    services: list[Service] = []

    def start(app: App) -> Service:
        services.append(Service(app))
        services[-1].start()
        return services[-1]

    yield start
    for service in services:
        service.stop()
    assert set(threading.enumerate()) == before


Serve = Callable[[App], Service]


def test_a_request_ends_when_its_call_ends(serve: Serve) -> None:
    app = App()
    answer = serve(app).ask("GET /here")
    assert app.done == ["/here"]
    answer.check(200, {"X-Kind": "test"}, {"path": "/here"})


def test_a_call_acts_for_the_actor_that_sent_the_request(serve: Serve) -> None:
    service = serve(App())
    answers: list[Answer] = []
    asking = threading.Thread(target=lambda: answers.append(service.ask("GET /")), name="asker")
    asking.start()
    asking.join()
    answers[0].check(200, {}, {"actor": "asker"})
    assert current_actor() == "main"


def test_the_server_answers_for_an_application_that_fails(serve: Serve) -> None:
    serve(App()).ask("GET /broken").check(500, {}, {})


def test_an_application_that_does_not_start_raises_its_error(serve: Serve) -> None:
    with pytest.raises(ValueError, match="no database"):
        serve(App(ValueError("no database")))


def test_an_application_that_reports_a_failed_start_is_an_error(serve: Serve) -> None:
    with pytest.raises(AssertionError, match="reported that it cannot start"):
        serve(App(answer="failed"))


def test_an_application_that_fails_to_stop_raises_its_error(serve: Serve) -> None:
    service = serve(App(last_fault=ValueError("a pool is left")))
    with pytest.raises(ValueError, match="a pool is left"):
        service.stop()


def test_a_service_without_a_free_port_names_the_process_that_holds_it(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening_socket() as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv("POOLSPEC_PORTS", str(port))
        with pytest.raises(PortTakenError) as wrong:
            serve(App())
    assert f"port {port} on 127.0.0.1 is taken by " in str(wrong.value)
    assert f", process {os.getpid()}. " in str(wrong.value)
    assert "choose other ports with --ports FIRST-LAST or POOLSPEC_PORTS." in str(wrong.value)
    assert "web-server" not in {thread.name for thread in threading.enumerate()}


def test_a_service_takes_a_chosen_port(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    with bound_socket() as free:
        monkeypatch.setenv("POOLSPEC_PORTS", str(free.getsockname()[1]))
    service = serve(App())
    assert service.ask("GET /").status == 200
    assert service._listening.getsockname()[1] == chosen_ports().start


def test_the_port_is_free_again_when_the_service_has_stopped(serve: Serve) -> None:
    service = serve(App())
    where = service._listening.getsockname()
    service.ask("GET /")
    service.stop()
    with socket.socket() as client:
        assert client.connect_ex(where) != 0


def test_the_asyncio_service_runs_in_the_tests_own_loop() -> None:
    async def main() -> None:
        app = App()
        service = AsyncService(app)
        await service.start()
        answers = await asyncio.gather(*(service.ask(f"GET /{n}") for n in range(5)))
        assert sorted(app.done) == [f"/{n}" for n in range(5)]
        for n, answer in enumerate(answers):
            answer.check(200, {}, {"path": f"/{n}"})
        (await service.ask("GET /broken")).check(500, {}, {})
        await service.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_request_that_is_cancelled_stops_no_other() -> None:
    async def main() -> None:
        app = App()
        service = AsyncService(app)
        await service.start()
        asking = asyncio.create_task(service.ask("GET /left"))
        await asyncio.sleep(0)
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking
        (await service.ask("GET /after")).check(200, {}, {"path": "/after"})
        await service.stop()

    asyncio.run(main())


def test_an_application_that_does_not_start_in_asyncio_raises_its_error() -> None:
    async def main() -> None:
        service = AsyncService(App(ValueError("no database")))
        try:
            with pytest.raises(ValueError, match="no database"):
                await service.start()
        finally:
            await service.stop()

    asyncio.run(main())


ANSWER = Answer(503, {"retry-after": "1"}, b'{"visits": 2, "none": null}')


@pytest.mark.parametrize(
    ("status", "headers", "values", "complaint"),
    [
        (200, {}, {}, "status: expected 200, was 503"),
        (503, {"Retry-After": "2"}, {}, "Retry-After: expected '2', was '1'"),
        (503, {"Via": "a"}, {}, "Via: expected 'a', was missing"),
        (503, {}, {"visits": 3}, "visits: expected 3, was 2"),
        (503, {}, {"other": None}, "other: expected None, was missing"),
    ],
)
def test_a_difference_in_an_answer_is_reported(
    status: int, headers: dict[str, str], values: dict[str, Any], complaint: str
) -> None:
    ANSWER.check(503, {"RETRY-AFTER": "1"}, {"visits": 2, "none": None})
    with pytest.raises(AssertionError) as caught:
        ANSWER.check(status, headers, values)
    assert str(caught.value) == complaint


def test_an_answer_that_is_no_object_is_reported() -> None:
    with pytest.raises(AssertionError, match="expected a JSON object, was b'<html>'"):
        Answer(200, {}, b"<html>").check(200, {}, {"a": 1})


def test_the_status_of_an_answer_that_is_no_json_object_is_compared_too() -> None:
    with pytest.raises(AssertionError) as failure:
        Answer(500, {}, b"Internal Server Error").check(200, {}, {"a": 1})
    assert str(failure.value) == (
        "status: expected 200, was 500; expected a JSON object, was b'Internal Server Error'"
    )


def test_a_closed_connection_is_no_answer() -> None:
    with pytest.raises(AssertionError, match="the server gave no answer"):
        answer_of(b"")


def test_a_registered_application_is_found_by_name_and_concurrency() -> None:
    @web_app("shop")
    def shop(open_pool: object) -> None: ...

    assert find_web_app("shop", Concurrency.THREADS) is shop
    with pytest.raises(
        LookupError, match=r"'shop' for asyncio.*Concurrency\.ASYNCIO.*conftest\.py"
    ):
        find_web_app("shop", Concurrency.ASYNCIO)
