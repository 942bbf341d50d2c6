"""The tables of keys of what is asked of a web application."""

import re

from poolspec.spec.common import SCALAR, SHORT_TEXT, TIMED
from poolspec.spec.fields import Key, Kind, Place, Reader, Wrong, scalar
from poolspec.spec.kinds import check_kind, map_kind, name_kind, value_kind
from poolspec.spec.names import LABEL
from poolspec.spec.quantities import NUMBER_OF, STATUS_CODE
from poolspec.spec.tree import Node
from poolspec.vocabulary import Method

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


def _app_fault(word: str) -> str:
    return (
        "" if LABEL.fullmatch(word) else "a name is a small letter, then small letters, digits or _"
    )


REQUEST_LINE: Kind[str] = Kind(
    _WORDS, _read_request, {"type": "string", "pattern": f"^{_PATTERN}$"}
)
HEADER_NAME = name_kind("a header's name", _header_fault, _HEADER.pattern)
VALUE_NAME = name_kind("a value's name", _value_fault, _VALUE.pattern)

WEB_APP = Key(
    "web_app",
    name_kind("a web application's name", _app_fault, LABEL.pattern),
    "the web application that is served, on a pool under test",
    "visits",
    default="the class's, else none",
)

REQUEST = Key("request", REQUEST_LINE, "ask the web application", "GET /visits", True)
STATUS = Key("status", check_kind(STATUS_CODE), "what the answer's status must be", "200", True)
REQUEST_TOOK = Key("took", TIMED, "how long it takes", '"< 1s"', default="any time")
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
REQUEST_STEP = Place("the step request", (REQUEST, STATUS, REQUEST_TOOK, HEADERS, JSON_VALUES))

REQUESTS = Key(
    "requests",
    map_kind("requests with a number each", REQUEST_LINE, value_kind(NUMBER_OF)),
    "requests to the web application, shared out among the clients",
    "{GET /visits: 70, POST /visits: 30}",
    default="see each",
)
