"""The keys `servers` and `server_settings`: the private servers of a test, and their settings.

Each setting is a global system variable of MariaDB and MySQL, which connections inherit when they
are opened. The names are an allow-list, because they become part of a statement.
"""

from typing import Any

from poolspec.errors import shown
from poolspec.spec.fields import Fields, Key, Kind, Place, Reader, Wrong
from poolspec.spec.kinds import fields_kind, literal_kind
from poolspec.spec.quantities import Quantity
from poolspec.spec.tree import Node, Scalar
from poolspec.vocabulary import ServerSetting

Settings = tuple[tuple[ServerSetting, int], ...]
"""Settings with the values that the server understands, in the order of the vocabulary."""

_CONNECTIONS = Quantity("a whole number", "20", whole=True, low=10, high=100_000)
"""MariaDB raises a smaller `max_connections` to 10, without an error."""
_TIME = Quantity("a duration", "2s", timed=True, low=1, high=31_536_000)


def _whole_kind(quantity: Quantity) -> Kind[int]:
    """A number that the server takes as a whole one: of connections, or of seconds."""
    plain = literal_kind(quantity)

    def read(reader: Reader, node: Node) -> int:
        value = plain.read(reader, node)
        if value != int(value):
            written = shown(node.text) if isinstance(node, Scalar) else f"{value}"
            message = f"{written} is not a whole number of seconds"
            raise Wrong(node, message, f"write whole seconds, such as {quantity.example}")
        return int(value)

    return Kind(plain.words, read, plain.schema)


_SECONDS = _whole_kind(_TIME)
_KEYS: dict[ServerSetting, Key[int]] = {
    ServerSetting.MAX_CONNECTIONS: Key(
        ServerSetting.MAX_CONNECTIONS,
        _whole_kind(_CONNECTIONS),
        "number of connections that the server accepts, all together; 10 or more",
        "20",
        default="512",
    ),
    ServerSetting.WAIT_TIMEOUT: Key(
        ServerSetting.WAIT_TIMEOUT,
        _SECONDS,
        "idle time after which the server ends a connection, in real seconds",
        "2s",
        default="8h",
    ),
    ServerSetting.INNODB_LOCK_WAIT_TIMEOUT: Key(
        ServerSetting.INNODB_LOCK_WAIT_TIMEOUT,
        _SECONDS,
        "time after which a statement that waits for a row lock fails, in real seconds",
        "2s",
        default="50s",
    ),
}
SETTINGS = Place("settings of the server", tuple(_KEYS.values()))
SERVER_SETTINGS = Key(
    "server_settings",
    fields_kind(SETTINGS),
    "settings of the test's private server while the test runs",
    "{max_connections: 20}",
    default="those of the class",
)


SERVERS = Key(
    "servers",
    literal_kind(Quantity("a number of servers", "2", whole=True, low=1, high=2)),
    "number of private servers that the test has; the test's database and user are on each",
    "2",
    default="1",
)


def settings_of(*given: Fields | None) -> Settings:
    """Return the settings that are given; the later ones override the earlier."""
    found: dict[str, Any] = {}
    for fields in filter(None, given):
        found |= {name: fields.get(key) for name, key in _KEYS.items() if fields.has(key)}
    return tuple((name, found[name]) for name in _KEYS if found.get(name) is not None)
