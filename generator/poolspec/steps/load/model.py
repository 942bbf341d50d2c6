"""The steps `load` and `stop` as values."""

from dataclasses import dataclass

from poolspec.spec.values import OwnPool, Step, Value
from poolspec.vocabulary import Arrivals, Operation, Runner, Via

DEFAULT_MIX = ((Operation.READ, 1),)


@dataclass(frozen=True, slots=True)
class Load(Step):
    """Many clients, each acquiring, using and releasing, until all operations are done.

    One of total, each, counts, duration and requests is given, or the load continues until it is
    stopped.
    """

    label: str
    clients: Value
    total: Value | None = None
    """Operations shared out among the clients, of the kinds of `mix`."""
    each: Value | None = None
    """Operations of every client, of the kinds of `mix`."""
    counts: tuple[tuple[Operation, int], ...] = ()
    """Operations by kind, shared out among the clients."""
    mix: tuple[tuple[Operation, int], ...] = DEFAULT_MIX
    """Shares of the kinds, for total and each."""
    hold: tuple[Value, Value] | None = None
    """The shortest and the longest time a connection is kept, in seconds."""
    timeout: Value | None = None
    via: Via = Via.ACQUIRE
    runner: Runner = Runner.THREADS
    requests: tuple[tuple[str, Value], ...] = ()
    """Requests to the web application, each with a number, shared out among the clients."""
    until_stopped: bool = False
    """It runs beside the steps that follow, until a `Stop`; without total, each, counts."""
    pool: str | None = None
    """The pool to borrow from; None: the test's own."""
    duration: Value | None = None
    rate: Value | None = None
    """Operations per second that are due; None: a client that is free does the next one."""
    arrivals: Arrivals = Arrivals.EVEN
    seed: Value | None = None
    ramp: Value | None = None
    warm_up: float = 0
    """Operations (an int) or seconds (a float) that do not count."""
    think: tuple[Value, Value] | None = None
    """The shortest and the longest pause of a client, in seconds."""
    statements: tuple[tuple[Operation, tuple[str, ...]], ...] = ()

    def binds(self) -> tuple[str, ...]:
        """Return its label."""
        return (self.label,)

    def reads(self) -> tuple[str, ...]:
        """Return the label of its pool."""
        return () if self.pool is None else (self.pool,)

    def own_pool(self) -> OwnPool:
        """Use the test's own pool, which the lab knows, unless another is named."""
        return OwnPool.USED if self.pool is None else OwnPool.NONE


@dataclass(frozen=True, slots=True)
class Stop(Step):
    """End a load that runs until it is stopped; every client finishes its operation."""

    label: str

    def reads(self) -> tuple[str, ...]:
        """Return the load's label."""
        return (self.label,)
