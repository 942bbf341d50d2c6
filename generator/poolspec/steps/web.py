"""The step `request`: ask the web application that is served on a pool under test."""

import re
from dataclasses import dataclass

from poolspec.prose import amounts
from poolspec.prose.markdown import code
from poolspec.prose.sentence import Sentence
from poolspec.python.body import Body, Lines, guarded
from poolspec.python.literals import by_text, literal
from poolspec.spec.common import SCALAR, SHORT_TEXT, TIMED
from poolspec.spec.fields import Fields, Key, Kind, Reader, Wrong, scalar
from poolspec.spec.kinds import check_kind, map_kind, name_kind
from poolspec.spec.quantities import STATUS_CODE
from poolspec.spec.scope import Scope
from poolspec.spec.tree import Node
from poolspec.spec.values import Check, Scalar, Step
from poolspec.steps.demands import time_taken
from poolspec.steps.kind import StepKind, Trait
from poolspec.vocabulary import Capability, Method


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


def _read(scope: Scope, fields: Fields) -> Request | None:
    """Read one request, and the answer that it must have."""
    note_request(scope, fields)
    request, status = fields.get(REQUEST), fields.get(STATUS)
    if request is None or status is None:
        return None
    return Request(
        fields.node.line,
        request,
        status,
        fields.get(TOOK),
        tuple((word.text, text) for word, text in fields.get(HEADERS) or ()),
        tuple((word.text, value) for word, value in fields.get(JSON_VALUES) or ()),
    )


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
    call = f"{body.awaits}lab.request({', '.join(parts)})"
    return guarded(body.timed(step.took), call)


def _say(step: Request) -> Sentence:
    demands = [f"status {amounts.check(step.status)}"]
    demands += [f"header {code(f'{name}: {text}')}" for name, text in step.headers]
    demands += [f"{code(name)} = {amounts.scalar(value)}" for name, value in step.json]
    text = f"Request {code(step.request)}; the answer must have {', '.join(demands)}"
    soon = "" if step.took is None else f", and take {time_taken(step.took)}"
    return Sentence(f"{text}{soon}.")


KINDS = (
    StepKind(
        "request",
        (REQUEST, STATUS, TOOK, HEADERS, JSON_VALUES),
        Request,
        _read,
        _write,
        _say,
        needs=Capability.WEB_APP,
        traits=Trait.BORROWS | Trait.TAKES_TIME,
        expects=(STATUS,),
        calls=("request",),
        arguments=("status", "headers", "json"),
    ),
)
