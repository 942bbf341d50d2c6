"""A request and its answer, as bytes and as values, in either concurrency mode.

Each request uses a new connection and HTTP/1.0, where the answer ends with the connection.
"""

import http.client
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from poolspec.invariants.complaints import demand
from poolspec.lab.comparisons import Expected, mismatch

__tracebackhide__ = True  # a failure is shown where the test failed

HOST = "127.0.0.1"
CALL = "poolspec-call"
"""The header that carries the number of the call."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes

    def check(
        self, status: Expected, headers: Mapping[str, str], values: Mapping[str, Any]
    ) -> None:
        """Check the answer. Raises AssertionError that lists all differences."""
        found = self._values() if values else {}
        demand(
            mismatch("status", status, self.status),
            *(
                _differs(name, text, self.headers.get(name.lower(), ...))
                for name, text in headers.items()
            ),
            *(_differs(name, value, found.get(name, ...)) for name, value in values.items()),
        )

    def _values(self) -> dict[str, Any]:
        try:
            parsed = json.loads(self.body)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise AssertionError(f"expected a JSON object, was {self.body[:200]!r}")
        return parsed


def request_bytes(request: str, call: int) -> bytes:
    """Return the bytes of a request, such as `GET /visits`, without a body."""
    head = f"{request} HTTP/1.0\r\nHost: {HOST}\r\nContent-Length: 0\r\n{CALL}: {call}\r\n\r\n"
    return head.encode("ascii")


def answer_of(received: bytes) -> Answer:
    """Parse an answer. Raises AssertionError if the server closed the connection without one."""
    response = http.client.HTTPResponse(_Received(received))  # type: ignore[arg-type]  # it uses no more of a socket
    try:
        response.begin()
    except http.client.HTTPException as error:
        raise AssertionError(f"the server gave no answer: {error}") from None
    headers = {name.lower(): text for name, text in response.getheaders()}
    return Answer(response.status, headers, response.read())


class _Received:
    """The part of a socket that `HTTPResponse` uses."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, mode: str) -> io.BytesIO:
        """Return what was received."""
        return io.BytesIO(self._received)


def _differs(name: str, expected: Any, seen: Any) -> str | None:
    if seen == expected:
        return None
    return f"{name}: expected {expected!r}, was {'missing' if seen is ... else repr(seen)}"
