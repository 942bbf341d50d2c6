"""The actors of a test, their states, and the operations of load."""

from enum import StrEnum


class ActorState(StrEnum):
    """A state of an actor that a test can wait for."""

    WAITING = "waiting"
    """Queued in the pool."""
    HOLDING = "holding"
    """Holds at least one connection."""
    BLOCKED = "blocked"
    """Runs a statement that waits in the server for a lock of another transaction."""
    DONE = "done"
    """Finished, with or without an error."""


class Operation(StrEnum):
    """The kinds of operations of generated load, by what they do with their connection."""

    BORROW = "borrow"
    """Nothing: acquire and release."""
    READ = "read"
    """One SELECT."""
    WRITE = "write"
    """One committed INSERT, which is checked afterwards."""
    COMPLEX = "complex"
    """A transaction of an INSERT and an aggregating SELECT."""


class Via(StrEnum):
    """How generated load borrows a connection."""

    ACQUIRE = "acquire"
    """`acquire` and `release`."""
    WITH = "with"
    """`with pool as connection`."""


class BlockKind(StrEnum):
    """The context that a block of a test enters."""

    WITH = "with"
    """The pool, as in `with pool as connection`."""
    CONNECTION = "connection"
    """A context that the pool makes for one loan."""
    TRANSACTION = "transaction"
    """A context that the pool makes for one transaction."""


class BlockFrame(StrEnum):
    """The runner of a block between its beginning and its end."""

    EXIT_STACK = "exit_stack"
    """`contextlib.ExitStack` or `AsyncExitStack`."""
    GENERATOR = "generator"
    """A generator, suspended inside its `with` statement."""
    BY_HAND = "by_hand"
    """Calls of `__enter__` and `__exit__`, or of `__aenter__` and `__aexit__`."""


class LoopEnd(StrEnum):
    """The state of an event loop in which a pool was started, when the pool is closed elsewhere."""

    CLOSED = "closed"
    """It has ended, and everything that was under way there."""
    STOPPED = "stopped"
    """It does not run, but continues later."""
    RUNNING = "running"
    """It runs in another thread."""


class Runner(StrEnum):
    """The runner of the clients of generated load."""

    THREADS = "threads"
    """A thread for each client."""
    EXECUTOR = "executor"
    """`concurrent.futures.ThreadPoolExecutor` with a worker for each client."""


class Arrivals(StrEnum):
    """The spacing of the operations of an open load."""

    EVEN = "even"
    """All the same time apart."""
    POISSON = "poisson"
    """As independent users would send them: a Poisson process, the same one for each seed."""


class Until(StrEnum):
    """How generated load ends."""

    STOPPED = "stopped"
    """When a step stops it."""


class Method(StrEnum):
    """The HTTP method of a request to a web application."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"
