"""A request to a web application: its content, and the answer that it must get."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypedDict

from poolspec.lab.comparisons import Expected

__tracebackhide__ = True  # a failure is shown where the test failed

HOST = "127.0.0.1"
CALL = "poolspec-call"
"""The header that carries the number of the call."""


class RequestTerms(TypedDict, total=False):
    """The content of a request, and the answer that it must get."""

    status: Expected
    headers: Mapping[str, str]
    """Headers that the answer must have."""
    json: Mapping[str, Any]
    """Values that the JSON object in the answer must have."""
    contains: tuple[str, ...]
    """Texts that the answer must contain."""
    send_headers: Mapping[str, str]
    send_json: Any
    send_text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """The headers and the body of a request."""

    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def bytes_of(self, request: str, call: int) -> bytes:
        """Return the bytes of a request, such as `GET /visits`, which is a call of this number."""
        own = (("Host", HOST), ("Content-Length", str(len(self.body))), (CALL, str(call)))
        head = "".join(f"{name}: {text}\r\n" for name, text in (*own, *self.headers))
        return f"{request} HTTP/1.0\r\n{head}\r\n".encode("latin-1") + self.body


NOTHING = Sent()


def sent(terms: RequestTerms) -> Sent:
    """Return the content of a request. Its body has the type of a text or of JSON."""
    headers = dict(terms.get("send_headers", {}))
    kind, body = "", b""
    if "send_json" in terms:
        kind, body = "application/json", json.dumps(terms["send_json"]).encode()
    elif "send_text" in terms:
        kind, body = "text/plain; charset=utf-8", terms["send_text"].encode()
    if kind and "content-type" not in {name.lower() for name in headers}:
        headers["Content-Type"] = kind
    return Sent(tuple(headers.items()), body)
