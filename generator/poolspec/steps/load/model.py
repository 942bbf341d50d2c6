"""The steps `load` and `stop` as values."""

from dataclasses import dataclass

from poolspec.spec.values import OwnPool, Step, Value
from poolspec.vocabulary import Operation, Runner, Via

DEFAULT_MIX = ((Operation.READ, 1),)


@dataclass(frozen=True, slots=True)
class Load(Step):
    """Many clients, each acquiring, using and releasing, until all operations are done.

    One of total, each, counts and requests is given, or the load continues until it is stopped.
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

    def binds(self) -> tuple[str, ...]:
        """Return its label."""
        return (self.label,)

    def own_pool(self) -> OwnPool:
        """Use the test's own pool, which the lab knows."""
        return OwnPool.USED


@dataclass(frozen=True, slots=True)
class Stop(Step):
    """End a load that runs until it is stopped; every client finishes its operation."""

    label: str

    def reads(self) -> tuple[str, ...]:
        """Return the load's label."""
        return (self.label,)
