"""The keys of the steps `load` and `stop`."""

from poolspec.spec.common import NAME
from poolspec.spec.conditions import HOLD
from poolspec.spec.fields import Key, Kind, Reader, Wrong
from poolspec.spec.kinds import enum_kind, map_kind, value_kind
from poolspec.spec.quantities import ACTORS, NUMBER_OF
from poolspec.spec.tree import Mapping, Node, Scalar
from poolspec.spec.values import Value
from poolspec.steps.web import REQUEST_LINE
from poolspec.vocabulary import Operation, Runner, Until, Via

_SHARES = map_kind(
    "kinds of operations with a number each",
    enum_kind("a kind of operation", Operation),
    value_kind(NUMBER_OF),
)


def _read_operations(reader: Reader, node: Node) -> Value | tuple[tuple[Operation, int], ...]:
    if isinstance(node, Mapping):
        return read_shares(reader, node)
    return value_kind(NUMBER_OF).read(reader, node)


def read_shares(reader: Reader, node: Node) -> tuple[tuple[Operation, int], ...]:
    """Operations with a literal number each. Raises `Wrong`."""
    if isinstance(node, Mapping):
        for _, value in node.pairs:
            if isinstance(value, Scalar) and value.text.startswith("$"):
                raise Wrong(value, "a matrix parameter is not allowed here", "write a number")
    shares = _SHARES.read(reader, node)
    return tuple((kind, share) for kind, share in shares if isinstance(share, int))


SHARES: Kind[tuple[tuple[Operation, int], ...]] = Kind(_SHARES.words, read_shares, _SHARES.schema)
OPERATIONS_KIND: Kind[Value | tuple[tuple[Operation, int], ...]] = Kind(
    "a number, or kinds of operations with a number each",
    _read_operations,
    {"anyOf": [value_kind(NUMBER_OF).schema, SHARES.schema]},
)
LOAD = Key("load", NAME, "run many clients at once", "traffic", True)
CLIENTS = Key("clients", value_kind(ACTORS), "number of clients", "20", True)
OPERATIONS = Key(
    "operations",
    OPERATIONS_KIND,
    "number of operations of all clients together",
    "{read: 60, write: 40}",
    default="see each",
)
EACH = Key(
    "each", value_kind(NUMBER_OF), "number of operations of each client", "50", default="see above"
)
MIX = Key(
    "mix", SHARES, "share of each kind of operation", "{read: 70, write: 30}", default="only reads"
)
HOLD_KEY = Key(
    "hold", HOLD, "how long an operation holds its connection", "100ms..300ms", default="as needed"
)
VIA = Key(
    "via", enum_kind("a way to borrow", Via), "how the clients borrow", "with", default="acquire"
)
RUNNER = Key(
    "runner", enum_kind("a runner", Runner), "where the clients run", "executor", default="threads"
)
UNTIL = Key(
    "until",
    enum_kind("an end", Until),
    "when the load ends",
    "stopped",
    default="when all operations are done",
)
STOP = Key("stop", NAME, "end a load that runs until it is stopped", "traffic", True)
REQUESTS = Key(
    "requests",
    map_kind("requests with a number each", REQUEST_LINE, value_kind(NUMBER_OF)),
    "number of requests of all clients together",
    "{GET /visits: 70, POST /visits: 30}",
    default="see each",
)
