"""The actors of a test, their states, and the operations of load."""

from enum import StrEnum


class ActorState(StrEnum):
    """What a test can wait for an actor to be."""

    WAITING = "waiting"
    """Queued in the pool."""
    HOLDING = "holding"
    """In possession of at least one connection."""
    DONE = "done"
    """Finished, well or not."""


class Operation(StrEnum):
    """What one operation of generated load does with the connection it borrows."""

    BORROW = "borrow"
    """Nothing: acquire and release."""
    READ = "read"
    """One SELECT."""
    WRITE = "write"
    """One committed INSERT, looked for afterwards."""
    COMPLEX = "complex"
    """A transaction of an INSERT and an aggregating SELECT."""


class Via(StrEnum):
    """How generated load borrows a connection."""

    ACQUIRE = "acquire"
    """`acquire` and `release`."""
    WITH = "with"
    """`with pool as connection`."""


class Runner(StrEnum):
    """What runs the clients of generated load."""

    THREADS = "threads"
    """A thread for each client."""
    EXECUTOR = "executor"
    """`concurrent.futures.ThreadPoolExecutor` with a worker for each client."""


class Until(StrEnum):
    """How generated load ends."""

    STOPPED = "stopped"
    """When a step stops it."""


class Method(StrEnum):
    """What a request asks of a web application, in the sense of HTTP."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
