"""The keys of the steps `load` and `stop`."""

from poolspec.spec.common import NAME, SQL, TIME_LIMIT
from poolspec.spec.conditions import HOLD, RATE_PER_TIME, WARM_UP_KIND
from poolspec.spec.fields import Key, Kind, Reader, Wrong
from poolspec.spec.kinds import enum_kind, map_kind, some_kind, value_kind
from poolspec.spec.quantities import ACTORS, NUMBER_OF, SIZE
from poolspec.spec.tree import Mapping, Node, Scalar
from poolspec.spec.values import Value
from poolspec.steps.web import REQUEST_LINE
from poolspec.vocabulary import Arrivals, Operation, Runner, Until, Via

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
THINK = Key(
    "think", HOLD, "how long a client pauses after an operation", "10ms..50ms", default="not at all"
)
DURATION_KEY = Key(
    "duration", TIME_LIMIT, "time for which the clients work", "10s", default="see each"
)
RATE_KEY = Key(
    "rate",
    RATE_PER_TIME,
    "operations that are due per time, whether the pool keeps up or not",
    "200/s",
    default="as fast as the clients can",
)
ARRIVALS = Key(
    "arrivals",
    enum_kind("a spacing", Arrivals),
    "how the operations of a `rate` are spaced",
    "poisson",
    default="even",
)
SEED = Key("seed", value_kind(SIZE), "chooses the times of `poisson` arrivals", "7", default="1")
RAMP = Key(
    "ramp",
    TIME_LIMIT,
    "time within which the clients start, or the rate rises from 0",
    "5s",
    default="all at once",
)
WARM_UP = Key(
    "warm_up",
    WARM_UP_KIND,
    "operations, or time, at the start that do not count",
    "2s",
    default="all count",
)
STATEMENTS = Key(
    "statements",
    map_kind(
        "kinds of operations with statements",
        enum_kind("a kind of operation", Operation),
        some_kind("an SQL statement or a list of them", SQL),
    ),
    "statements of a kind, instead of its usual ones",
    '{read: "SELECT COUNT(*) FROM orders"}',
    default="as the kind says",
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
