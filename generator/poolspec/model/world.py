"""Steps about the world around a pool: faults, load, requests, and steps of the user's own."""

from dataclasses import dataclass

from poolspec.model.values import Check, Scalar, Value
from poolspec.vocabulary import Fault, Operation, Runner, Via


@dataclass(frozen=True, slots=True)
class Inject:
    """Break something between the pool and its server."""

    line: int
    fault: Fault
    on: str | None = None
    """The connection that is ended, for CONNECTION_KILLED."""
    seconds: Value | None = None
    """How long a call takes, for CONNECT_SLOW and the like."""
    times: Value | None = None
    """How many calls it is for; None: all, until it is healed."""
    after: Value | None = None
    """How many calls go well first; None: none."""


@dataclass(frozen=True, slots=True)
class Heal:
    """Undo what an `Inject` broke."""

    line: int
    fault: Fault


@dataclass(frozen=True, slots=True)
class Use:
    """Take a step that the user has written in Python and registered by this name."""

    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Request:
    """Send a request to the web application, and look at its answer."""

    line: int
    request: str
    """Method and path: `GET /visits`."""
    status: Check
    took: Check | None = None
    headers: tuple[tuple[str, str], ...] = ()
    json: tuple[tuple[str, Scalar], ...] = ()
    """Values of the JSON object that the answer is."""


@dataclass(frozen=True, slots=True)
class Load:
    """Many clients, each borrowing, using and giving back, until all operations are done."""

    line: int
    label: str
    clients: Value
    total: Value | None = None
    """Operations shared out among the clients, of the kinds of `mix`."""
    each: Value | None = None
    """Operations of every client, of the kinds of `mix`."""
    counts: tuple[tuple[Operation, int], ...] = ()
    """Operations by kind, shared out among the clients."""
    mix: tuple[tuple[Operation, int], ...] = ((Operation.READ, 1),)
    """Shares of the kinds, for total and each."""
    hold: tuple[Value, Value] | None = None
    """The shortest and the longest time a connection is kept, in seconds."""
    timeout: Value | None = None
    via: Via = Via.ACQUIRE
    runner: Runner = Runner.THREADS
    requests: tuple[tuple[str, Value], ...] = ()
    """Requests to the web application, each so often, shared out among the clients.

    One of total, each, counts and requests is given, or it goes on until it is stopped.
    """
    until_stopped: bool = False
    """It goes on beside the steps that follow, until a `Stop`; none of total, each, counts then."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End a load that goes on until it is stopped; every client finishes its operation."""

    line: int
    label: str
