"""The setting of a test: layer, level, clock, concurrency, connections, and how real they are."""

from enum import StrEnum


class Layer(StrEnum):
    """How much of a real system takes part in a test."""

    UNIT = "unit"
    INTEGRATION = "integration"
    SYSTEM = "system"
    PERFORMANCE = "performance"
    CHAOS = "chaos"


def layers(words: str) -> list[Layer]:
    """Return the layers of an option's value, `unit` or `unit,chaos`. Raises ValueError."""
    return [_layer(word.strip()) for word in words.split(",")]


def _layer(word: str) -> Layer:
    try:
        return Layer(word)
    except ValueError:
        known = ", ".join(Layer)
        raise ValueError(f"{word!r} is not a layer; the layers are {known}") from None


class Level(StrEnum):
    """How binding a behaviour is, in the sense of RFC 2119; the most binding first."""

    MUST = "must"
    """Safety: no loss, no leak, no two holders, limits and deadlines kept, no deadlock."""
    SHOULD = "should"
    """Quality: fair, fast to recover, clear errors."""
    MAY = "may"
    """A choice: a sound pool may choose otherwise."""


class ServerNumber(StrEnum):
    """One of the private servers of a test."""

    FIRST = "first"
    SECOND = "second"


class ServerSetting(StrEnum):
    """A setting of the test's private server, by the name of the system variable."""

    MAX_CONNECTIONS = "max_connections"
    """The number of connections that the server accepts."""
    WAIT_TIMEOUT = "wait_timeout"
    """The idle time after which the server ends a connection."""
    INNODB_LOCK_WAIT_TIMEOUT = "innodb_lock_wait_timeout"
    """The time after which a statement that waits for a row lock fails."""


class TimeKind(StrEnum):
    """Which clock a test runs on."""

    VIRTUAL = "virtual"
    REAL = "real"


class Concurrency(StrEnum):
    """The kind of the borrowers; a pool may support threads, asyncio or both."""

    THREADS = "threads"
    """Threads; a call that waits blocks its thread."""
    ASYNCIO = "asyncio"
    """Tasks of an event loop; a call that waits is awaited."""


class Connections(StrEnum):
    """The kind of a pool's connections."""

    DRIVER = "driver"
    """Opened by the pool's own driver, in the pool's own way."""
    PLAIN = "plain"
    """Opened by a callable that the pool is given, as a plain driver opens them."""
    SCRIPTED = "scripted"
    """Without a server: they follow a script, and can fail in any call that a test names."""
    MINIMAL = "minimal"
    """Scripted, and able to do no more than DB-API asks."""


class Real(StrEnum):
    """The parts of a test that may be real or simulated."""

    SERVER = "server"
    """A database server as users run it, not the embedded one."""
    SOCKET = "socket"
    """Every connection goes over a socket."""
    DRIVER = "driver"
    """Every connection comes from a driver; none is scripted."""
    CLOCK = "clock"
    """Time passes in real time."""
