"""The answer to a request, as bytes and as values, in either concurrency mode.

Each request uses a new connection and HTTP/1.0, where the answer ends with the connection.
"""

import http.client
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from poolspec.invariants.complaints import demand
from poolspec.lab.comparisons import Expected, mismatch
from poolspec.vocabulary.secrets import is_secret

__tracebackhide__ = True  # a failure is shown where the test failed


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request."""

    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes

    def check(
        self,
        status: Expected,
        headers: Mapping[str, str],
        values: Mapping[str, Any],
        texts: tuple[str, ...] = (),
    ) -> None:
        """Check the answer. Raises AssertionError that lists all differences."""
        body = self.body.decode(errors="replace") if texts else ""
        demand(
            mismatch("status", status, self.status),
            *(
                _differs(name, text, self.headers.get(name.lower(), ...))
                for name, text in headers.items()
            ),
            *self._other_values(values),
            *(f"the answer does not contain {text!r}" for text in texts if text not in body),
        )

    def _other_values(self, expected: Mapping[str, Any]) -> Iterator[str | None]:
        if not expected:
            return
        try:
            found = json.loads(self.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            yield f"expected a JSON object, was {self.body[:200]!r}"
            return
        for name, value in expected.items():
            yield _differs(name, value, found.get(name, ...))


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
    if is_secret(name):
        return f"{name}: {'missing' if seen is ... else 'another value than expected'}"
    return f"{name}: expected {expected!r}, was {'missing' if seen is ... else repr(seen)}"
