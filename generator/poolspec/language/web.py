"""What is asked of a web application as fields → model."""

from poolspec.language import grammar_loads as s
from poolspec.language import grammar_web as g
from poolspec.language.grammar_common import TIMEOUT
from poolspec.model import Request
from poolspec.spec.fields import Fields
from poolspec.spec.scope import Scope

_NOT_WITH_REQUESTS = (
    *(s.OPERATIONS, s.EACH, s.UNTIL, s.MIX, s.HOLD_KEY),
    *(TIMEOUT, s.VIA, s.RUNNER),
)


def build_request(scope: Scope, fields: Fields) -> Request | None:
    """One request, and what its answer must be."""
    _ask(scope, fields)
    request, status = fields.get(g.REQUEST), fields.get(g.STATUS)
    if request is None or status is None:
        return None
    return Request(
        fields.node.line,
        request,
        status,
        fields.get(g.REQUEST_TOOK),
        tuple((word.text, text) for word, text in fields.get(g.HEADERS) or ()),
        tuple((word.text, value) for word, value in fields.get(g.JSON_VALUES) or ()),
    )


def check_requests(scope: Scope, fields: Fields) -> None:
    """A load of requests is told of nothing that belongs to borrowing."""
    _ask(scope, fields)
    for key in _NOT_WITH_REQUESTS:
        if fields.has(key):
            message = f"'requests' and {key.name!r} exclude each other"
            scope.reader.problem(fields.at(key), message, "keep one of them")


def _ask(scope: Scope, fields: Fields) -> None:
    scope.names.asked.append(fields.node)
    scope.names.at_server.append(("a web application is asked", fields.node))
