"""The step `request`: ask the web application that is served on a pool under test.

A value whose name says that it is a secret, such as that of the header Authorization, is in the
spec and in the generated test, but in no report.
"""

import json
import re
from dataclasses import dataclass, replace

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines, guarded
from poolspec.python.literals import by_text, literal, nested, row
from poolspec.spec.common import SCALAR, SHORT_TEXT, TEXTS, TIMED
from poolspec.spec.fields import Fields, Key, Kind, Place, Reader, Wrong, scalar
from poolspec.spec.json_values import JSON, JsonList, JsonObject, JsonValue
from poolspec.spec.kinds import check_kind, fields_kind, map_kind, name_kind, text_kind
from poolspec.spec.quantities import STATUS_CODE
from poolspec.spec.scope import Scope
from poolspec.spec.tree import Node
from poolspec.spec.values import Check, Scalar, Step
from poolspec.steps.demands import time_taken
from poolspec.steps.kind import StepKind, Trait
from poolspec.vocabulary import Capability, Method
from poolspec.vocabulary.secrets import HIDDEN, is_secret


@dataclass(frozen=True, slots=True)
class Request(Step):
    """Send a request to the web application, and look at its answer."""

    request: str
    """Method and path: `GET /visits`."""
    status: Check
    took: Check | None = None
    headers: tuple[tuple[str, str], ...] = ()
    json: tuple[tuple[str, Scalar], ...] = ()
    """Values of the JSON object that the answer is."""
    contains: tuple[str, ...] = ()
    """Texts in the answer."""
    sent_headers: tuple[tuple[str, str], ...] = ()
    sent_text: str | None = None
    sent_json: JsonValue = None
    sends_json: bool = False
    """The request has the body `sent_json`, which may be null."""


BODY = text_kind("a text", 10_000)
_WORDS = "a request such as 'GET /visits'"
_PATTERN = rf"({'|'.join(Method)}) /[A-Za-z0-9._~!&'()*+,;=:@%/?-]{{0,199}}"
_REQUEST = re.compile(_PATTERN)
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,59}")
_VALUE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")


def _read_request(_: Reader, node: Node) -> str:
    text = scalar(node, _WORDS).text
    if not _REQUEST.fullmatch(text):
        hint = f"write one of {', '.join(Method)}, a space and a path, as in GET /visits"
        raise Wrong(node, f"expected {_WORDS}", hint)
    return text


def _header_fault(word: str) -> str:
    return "" if _HEADER.fullmatch(word) else "a header's name is letters, digits or -"


def _value_fault(word: str) -> str:
    return "" if _VALUE.fullmatch(word) else "a value's name is letters, digits or _"


REQUEST_LINE: Kind[str] = Kind(
    _WORDS, _read_request, {"type": "string", "pattern": f"^{_PATTERN}$"}
)


def _read_header_text(reader: Reader, node: Node) -> str:
    text = SHORT_TEXT.read(reader, node)
    if not (text.isascii() and text.isprintable()):
        raise Wrong(node, "a header has printable ASCII characters only")
    return text


def _sent_header_fault(word: str) -> str:
    if word.lower() in _OWN_HEADERS:
        return "the lab sends this header itself"
    return _header_fault(word)


_OWN_HEADERS = ("host", "content-length", "connection", "transfer-encoding", "poolspec-call")
HEADER_TEXT = replace(SHORT_TEXT, read=_read_header_text)
SENT_HEADER = name_kind("a header of a request", _sent_header_fault, _HEADER.pattern)
HEADER_NAME = name_kind("a header's name", _header_fault, _HEADER.pattern)
VALUE_NAME = name_kind("a value's name", _value_fault, _VALUE.pattern)

REQUEST = Key("request", REQUEST_LINE, "ask the web application", "GET /visits", True)
STATUS = Key("status", check_kind(STATUS_CODE), "the status of the answer", "200", True)
TOOK = Key("took", TIMED, "how long it takes", '"< 1s"', default="any time")
HEADERS = Key(
    "headers",
    map_kind("headers by name", HEADER_NAME, SHORT_TEXT),
    "headers that the answer must have",
    '{Retry-After: "1"}',
    default="any headers",
)
JSON_VALUES = Key(
    "json",
    map_kind("values by name", VALUE_NAME, SCALAR),
    "values that the answer, a JSON object, must hold",
    "{visits: 2}",
    default="any answer",
)
CONTAINS = Key(
    "contains", TEXTS, "texts that the answer must contain", "paid", default="any answer"
)
SENT_HEADERS = Key(
    "headers",
    map_kind("headers by name", SENT_HEADER, HEADER_TEXT),
    "headers of the request",
    '{Accept-Language: "de"}',
    default="none",
)
SENT_JSON = Key(
    "json", JSON, "its body, as JSON", "{items: [{id: 7, count: 2}]}", default="no body"
)
SENT_TEXT = Key("text", BODY, "its body, as a text", '"id=7"', default="no body")
CONTENT = Place("the content of a request", (SENT_HEADERS, SENT_JSON, SENT_TEXT))
SEND = Key(
    "send",
    fields_kind(CONTENT),
    "headers and body of the request",
    "{json: {count: 2}}",
    default="no body",
)


def _read(scope: Scope, fields: Fields) -> Request | None:
    """Read one request, and the answer that it must have."""
    note_request(scope, fields)
    request, status = fields.get(REQUEST), fields.get(STATUS)
    content = fields.get(SEND)
    if content:
        _check_content(scope, request, content)
    if request is None or status is None:
        return None
    return Request(
        fields.node.line,
        request,
        status,
        fields.get(TOOK),
        tuple((word.text, text) for word, text in fields.get(HEADERS) or ()),
        tuple((word.text, value) for word, value in fields.get(JSON_VALUES) or ()),
        fields.get(CONTAINS) or (),
        tuple((word.text, text) for word, text in (content and content.get(SENT_HEADERS)) or ()),
        content.get(SENT_TEXT) if content else None,
        content.get(SENT_JSON) if content else None,
        content is not None and content.has(SENT_JSON),
    )


def _check_content(scope: Scope, request: str | None, content: Fields) -> None:
    problem = scope.reader.problem
    if not content.nodes and content.sound:
        problem(content.node, "nothing is sent", "add: json: {count: 2}, or leave out 'send'")
    if content.has(SENT_JSON) and content.has(SENT_TEXT):
        problem(content.at(SENT_TEXT), "'json' and 'text' are mutually exclusive", "keep one")
    for key in (SENT_JSON, SENT_TEXT):
        if request and request.startswith(f"{Method.GET} ") and content.has(key):
            problem(content.at(key), "a GET request has no body", "use POST, PUT or PATCH")


def note_request(scope: Scope, fields: Fields) -> None:
    """Take note that a step asks something of a web application."""
    scope.names.asked.append(fields.node)
    scope.names.at_server.append(("a web application is asked", fields.node))


def _write(step: Request, body: Body) -> Lines:
    parts = [literal(step.request), f"status={body.check(step.status)}"]
    if step.headers:
        parts.append(f"headers={by_text(step.headers)}")
    if step.json:
        parts.append(f"json={by_text(step.json)}")
    if step.contains:
        parts.append(f"contains={row(step.contains)}")
    if step.sent_headers:
        parts.append(f"send_headers={by_text(step.sent_headers)}")
    if step.sent_text is not None:
        parts.append(f"send_text={literal(step.sent_text)}")
    if step.sends_json:
        parts.append(f"send_json={nested(step.sent_json)}")
    call = f"{body.awaits}lab.request({', '.join(parts)})"
    return guarded(body.timed(step.took), call)


def _say(step: Request) -> Sentence:
    demands = [f"status {amounts.check(step.status)}"]
    demands += [f"header {_header(name, text)}" for name, text in step.headers]
    demands += [f"{code(name)} = {_value(name, value)}" for name, value in step.json]
    demands += [f"the text {code(text)}" for text in step.contains]
    text = (
        f"Request {code(step.request)}{_content(step)}; the answer must have {', '.join(demands)}"
    )
    soon = "" if step.took is None else f", and take {time_taken(step.took)}"
    return Sentence(f"{text}{soon}.")


def _content(step: Request) -> str:
    parts = [f"header {_header(name, text)}" for name, text in step.sent_headers]
    if step.sent_text is not None:
        parts.append(f"body {code(step.sent_text)}")
    if step.sends_json:
        parts.append(f"body {code(json.dumps(_shown(step.sent_json), ensure_ascii=False))}")
    return f" with {', '.join(parts)}" if parts else ""


def _header(name: str, text: str) -> str:
    return code(f"{name}: {HIDDEN if is_secret(name) else text}")


def _value(name: str, given: Scalar) -> str:
    return code(HIDDEN) if is_secret(name) else amounts.scalar(given)


def _shown(given: JsonValue) -> object:
    """Return a JSON value without its secrets."""
    if isinstance(given, JsonObject):
        return {name: HIDDEN if is_secret(name) else _shown(value) for name, value in given.pairs}
    return [_shown(one) for one in given.items] if isinstance(given, JsonList) else given


KINDS = (
    StepKind(
        "request",
        (REQUEST, SEND, STATUS, TOOK, HEADERS, JSON_VALUES, CONTAINS),
        Request,
        _read,
        _write,
        _say,
        needs=Capability.WEB_APP,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        expects=(STATUS,),
        calls=("request",),
        arguments=(
            *("status", "headers", "json", "contains"),
            *("send_headers", "send_text", "send_json"),
        ),
    ),
)
