"""What a test is about: how much of the world takes part in it, and how real that is."""

from enum import StrEnum


class Layer(StrEnum):
    """How much of the world takes part in a test."""

    UNIT = "unit"
    INTEGRATION = "integration"
    SYSTEM = "system"
    PERFORMANCE = "performance"
    CHAOS = "chaos"


class Level(StrEnum):
    """How binding a behaviour is, in the sense of RFC 2119."""

    MUST = "must"
    SHOULD = "should"


class TimeKind(StrEnum):
    """Which clock a test runs on."""

    VIRTUAL = "virtual"
    REAL = "real"


class Concurrency(StrEnum):
    """Who borrows: a pool may have a concurrency for threads, one for asyncio, or both."""

    THREADS = "threads"
    """Threads; a call that waits blocks its thread."""
    ASYNCIO = "asyncio"
    """Tasks of an event loop; a call that waits is awaited."""


class Connections(StrEnum):
    """What a pool's connections are."""

    DRIVER = "driver"
    """Opened by the pool's own driver, in the pool's own way."""
    PLAIN = "plain"
    """Opened by a callable that the pool is given, as a plain driver opens them."""
    SCRIPTED = "scripted"
    """Without a server: they follow a script, and so can fail exactly as a test says."""
    MINIMAL = "minimal"
    """Scripted, and able to do no more than DB-API asks."""


class Real(StrEnum):
    """What may be real in a test, or be stood in for."""

    SERVER = "server"
    """A database server as users run it; not the embedded one, nor none."""
    SOCKET = "socket"
    """Every connection goes over a socket."""
    DRIVER = "driver"
    """Every connection is a driver's, and not a scripted one."""
    CLOCK = "clock"
    """Time passes as it does in the world."""
